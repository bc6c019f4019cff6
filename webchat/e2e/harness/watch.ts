/** What must not happen in any test: errors on a page or its console, a broken policy, a request to anybody else. */

import type { Browser, BrowserContext, ConsoleMessage } from "@playwright/test";

// What Chromium itself says about a server or a network that is away; no page can keep it from that.
const OUTAGE = /net::ERR_(CONNECTION|INTERNET|NETWORK|EMPTY_RESPONSE|SOCKET|TIMED_OUT)|WebSocket connection to .* failed|Failed to fetch dynamically imported|502|503/;
const OWN = /^(about|blob|data|chrome|chrome-error):/;

export class Watch {
  readonly #faults: string[] = [];
  readonly #allowed: RegExp[] = [];
  readonly #origins = new Set<string>();
  #isOffline = false;

  /** From now on, in all browsers that are opened. */
  begin(browser: Browser): () => void {
    const follow = (context: BrowserContext): void => this.#follow(context);
    for (const context of browser.contexts()) follow(context);
    browser.on("context", follow);
    return () => void browser.off("context", follow);
  }

  /** Pages may ask this origin. */
  trust(origin: string): void {
    this.#origins.add(origin);
  }

  /** This test makes it happen on purpose. */
  allow(...patterns: RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  /** What happened and nobody allowed. */
  faults(wasAway: boolean): string[] {
    const allowed = wasAway || this.#isOffline ? [...this.#allowed, OUTAGE] : this.#allowed;
    return this.#faults.filter((fault) => !allowed.some((pattern) => pattern.test(fault)));
  }

  #follow(context: BrowserContext): void {
    const setOffline = context.setOffline.bind(context);
    context.setOffline = async (offline) => {
      this.#isOffline = true;
      await setOffline(offline);
    };
    context.on("weberror", (error) => this.#faults.push(`page error: ${error.error().stack ?? error.error().message}`));
    context.on("console", (message) => this.#console(message));
    context.on("request", (request) => {
      const url = request.url();
      if (!OWN.test(url) && !this.#origins.has(new URL(url).origin)) this.#faults.push(`foreign request: ${url}`);
    });
  }

  // A broken Content-Security-Policy is an error of the console, too.
  #console(message: ConsoleMessage): void {
    if (message.type() === "error") this.#faults.push(`console: ${message.text()} (${message.location().url})`);
  }
}
