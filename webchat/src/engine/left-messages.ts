/**
 * Messages that were written as a page went, and that it had no time, or no room, to put on the disk: kept where writing
 * is immediate, and taken over by the next page.
 */

import { newClientId } from "@amtrio/client";
import type { Outgoing } from "./state.ts";

const PREFIX = "amtrio.left.";

export class LeftMessages {
  readonly #prefix: string;
  /** Each page has its own: two that go at once do not overwrite each other. */
  readonly #key: string;
  readonly #stop = new AbortController();

  /** `unwritten`: those that are in memory alone. */
  constructor(userId: string, unwritten: () => readonly Outgoing[]) {
    this.#prefix = `${PREFIX}${userId}.`;
    this.#key = this.#prefix + newClientId();
    const { signal } = this.#stop;
    addEventListener("pagehide", () => this.#leave(unwritten()), { signal });
    // Back and Forward bring a page back as it was: it has them still.
    addEventListener("pageshow", () => localStorage.removeItem(this.#key), { signal });
  }

  /** Of the pages before; each is forgotten once `take` has them. */
  async takeOver(take: (messages: readonly Outgoing[]) => Promise<void>): Promise<void> {
    for (const key of this.#keys()) {
      await take(JSON.parse(localStorage.getItem(key) ?? "[]") as Outgoing[]);
      localStorage.removeItem(key);
    }
  }

  close(): void {
    this.#stop.abort();
  }

  /** Nothing is left of them. */
  erase(): void {
    for (const key of this.#keys()) localStorage.removeItem(key);
  }

  #keys(): string[] {
    return Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
  }

  #leave(messages: readonly Outgoing[]): void {
    if (messages.length === 0) return;
    try {
      localStorage.setItem(this.#key, JSON.stringify(messages));
    } catch {
      // There is no room anywhere, and nobody left to tell.
    }
  }
}
