/**
 * Events between the socket, which brings them, and one consumer, which takes them.
 *
 * Knows order and room. Knows nothing of where events come from.
 */

import type { AmtrioEvent } from "./events.js";
import type { Handed } from "./log.js";

// 1,000 events of at most 64 KiB are 64 MB at worst and 1 MB as a rule. Beyond, a consumer that does not keep up is
// given nothing new; once it has caught up, the log is asked for the rest.
const ROOM = 1000;

export interface Queued {
  readonly event: AmtrioEvent;
  /** What to confirm once the consumer is done with it; only with a number. */
  readonly handed?: Handed;
}

export class EventQueue {
  #items: Queued[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;
  #error: Error | undefined;

  get hasRoom(): boolean {
    return this.#items.length < ROOM;
  }

  get isHalfEmpty(): boolean {
    return this.#items.length <= ROOM / 2;
  }

  push(item: Queued): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** A snapshot stands for everything with a number. */
  dropNumbered(): void {
    this.#items = this.#items.filter(({ event }) => event.seq === undefined);
  }

  /** Nothing more comes. With an error the consumer gets it after what is queued. */
  end(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#wake?.();
  }

  /** The next one; undefined at the end. One consumer at a time. */
  async next(): Promise<Queued | undefined> {
    while (this.#items.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#isOver) return undefined;
      if (this.#wake !== undefined) throw new Error("two loops take the events of one connection");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#items.shift();
  }
}
