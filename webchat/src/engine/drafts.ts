/**
 * What is written and not sent, by conversation: shown at once, kept a moment later, and told to the other tabs.
 *
 * A page that is leaving has no time for a database. What it has not kept by then goes where writing is immediate, and
 * is kept by the next page.
 */

import type { Database } from "./database.ts";
import { chat } from "./state.ts";
import type { Tabs } from "./tabs.ts";

// While somebody types, once per pause is enough.
const KEEP_AFTER_MS = 300;

export class Drafts {
  readonly #database: Database;
  readonly #userId: string;
  readonly #tabs: Tabs;
  /** What is not in the database yet. */
  readonly #unkept = new Map<string, string>();
  readonly #stop = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLeaving = false;

  constructor(database: Database, userId: string, tabs: Tabs) {
    this.#database = database;
    this.#userId = userId;
    this.#tabs = tabs;
    const { signal } = this.#stop;
    addEventListener("pagehide", () => this.#leave(), { signal });
    addEventListener("pageshow", () => void this.#return().catch(() => undefined), { signal });
  }

  /** Keep what the page before had no time for. */
  async load(): Promise<void> {
    const left = localStorage.getItem(this.#key);
    if (left === null) return;
    for (const [conversationId, text] of Object.entries(JSON.parse(left) as Record<string, string>)) {
      this.show(conversationId, text);
      this.#unkept.set(conversationId, text);
    }
    await this.#keep();
    localStorage.removeItem(this.#key);
  }

  set(conversationId: string, text: string): void {
    if ((chat.getState().drafts[conversationId] ?? "") === text) return;
    this.show(conversationId, text);
    this.#unkept.set(conversationId, text);
    if (this.#isLeaving) return this.#leave();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#keep().catch(() => undefined), KEEP_AFTER_MS);
  }

  /** Written in this tab or in another one. */
  show(conversationId: string, text: string): void {
    chat.setState(({ drafts: { [conversationId]: _, ...others } }) => ({
      drafts: text === "" ? others : { ...others, [conversationId]: text },
    }));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#keep().catch(() => undefined);
  }

  /** Nothing is left of them. */
  erase(): void {
    localStorage.removeItem(this.#key);
  }

  get #key(): string {
    return `amtrio.drafts.${this.#userId}`;
  }

  async #keep(): Promise<void> {
    const unkept = [...this.#unkept];
    this.#unkept.clear();
    try {
      const transaction = this.#database.transaction("drafts", "readwrite");
      for (const [conversationId, text] of unkept) {
        void (text === "" ? transaction.store.delete(conversationId) : transaction.store.put(text, conversationId));
        this.#tabs.tell({ kind: "draft", userId: this.#userId, conversationId, text });
      }
      await transaction.done;
    } catch (error) {
      // Unless something newer was written meanwhile. The page that leaves has another place for it.
      for (const [conversationId, text] of unkept) {
        if (!this.#unkept.has(conversationId)) this.#unkept.set(conversationId, text);
      }
      throw error;
    }
  }

  #leave(): void {
    this.#isLeaving = true;
    if (this.#unkept.size > 0) localStorage.setItem(this.#key, JSON.stringify(Object.fromEntries(this.#unkept)));
  }

  /** Back and Forward bring a page back as it was. What it left for the next one would overwrite what is written now. */
  async #return(): Promise<void> {
    this.#isLeaving = false;
    if (localStorage.getItem(this.#key) === null) return;
    await this.#keep();
    localStorage.removeItem(this.#key);
  }
}
