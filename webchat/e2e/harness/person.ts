/** A person with an account, and what they sit in front of. */

import type { Browser, BrowserContext, BrowserContextOptions, Page } from "@playwright/test";
import { connect, Rest, type Connection } from "@amtrio/client";
import { expect } from "@playwright/test";
import { Line } from "./line.ts";
import type { Server } from "./server.ts";
import type { Watch } from "./watch.ts";

export const PASSWORD = "correct horse battery staple";

export interface Person {
  readonly username: string;
  readonly password: string;
  readonly userId: string;
  /** A browser of their own, nothing loaded yet. Its `setOffline(true)` really cuts it off. */
  readonly context: BrowserContext;
  readonly page: Page;
  /** The same account by REST. */
  readonly rest: Rest;
  /** Open the app in `page` and sign in by its form. */
  signIn(): Promise<Page>;
  /** Another tab of the same browser. */
  tab(): Promise<Page>;
  /** Another browser, signed in as well: a phone beside the desktop. */
  device(options?: BrowserContextOptions): Promise<Page>;
  /** A connection of the SDK, for what another device does. Closed with the test. */
  connect(): Connection;
}

export class People {
  readonly #server: Server;
  readonly #browser: Browser;
  readonly #watch: Watch;
  /** Whether their browsers run service workers. */
  readonly #workers: "allow" | "block";
  readonly #rests = new Map<string, Rest>();
  readonly #contexts: BrowserContext[] = [];
  readonly #lines: Line[] = [];
  readonly #connections: Connection[] = [];

  constructor(server: Server, browser: Browser, watch: Watch, workers: "allow" | "block") {
    this.#workers = workers;
    this.#server = server;
    this.#browser = browser;
    this.#watch = watch;
  }

  /** Signs up by REST. `name` begins the username; the rest of it keeps it apart from those of other tests. */
  async join(name: string, options: BrowserContextOptions = {}): Promise<Person> {
    const username = `${name.toLowerCase()}_${crypto.randomUUID().slice(0, 6)}`;
    const rest = new Rest({ url: this.#server.url });
    const { user_id: userId } = await rest.register(username, PASSWORD);
    this.#rests.set(userId, rest);
    const who = { username, password: PASSWORD };
    const context = await this.open(options);
    const page = await context.newPage();
    return {
      ...who,
      userId,
      context,
      page,
      rest,
      signIn: () => signIn(page, who),
      tab: () => context.newPage(),
      device: async (other = {}) => signIn(await (await this.open(other)).newPage(), who),
      connect: () => {
        const connection = connect({ url: this.#server.url, token: rest.token!, hints: null, random: () => 0 });
        this.#connections.push(connection);
        return connection;
      },
    };
  }

  /** That of somebody who has joined. */
  rest(userId: string): Rest {
    const found = this.#rests.get(userId);
    if (found === undefined) throw new Error(`nobody of this test is ${userId}`);
    return found;
  }

  /** A browser of nobody yet, with a line of its own that `setOffline` cuts. */
  async open(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const line = await Line.laid(this.#server.url);
    this.#lines.push(line);
    this.#watch.trust(line.url);
    const context = await this.#browser.newContext({ baseURL: line.url, serviceWorkers: this.#workers, ...options });
    this.#contexts.push(context);
    const setOffline = context.setOffline.bind(context);
    context.setOffline = async (offline) => {
      if (offline) await line.cut();
      else await line.mend();
      await setOffline(offline);
    };
    return context;
  }

  /** Also more than once. */
  async leave(): Promise<void> {
    await Promise.all(this.#connections.splice(0).map((connection) => connection.close()));
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
    await Promise.all(this.#lines.splice(0).map((line) => line.cut()));
  }
}

/** Open the app and sign in by its form, whatever language it is in. */
export async function signIn(page: Page, who: { username: string; password: string }): Promise<Page> {
  await page.goto("/");
  await page.locator("input[name=username]").fill(who.username);
  const password = page.locator("input[type=password]");
  await password.fill(who.password);
  await password.press("Enter");
  await expect(password).toHaveCount(0);
  return page;
}
