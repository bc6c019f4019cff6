/**
 * Keeps the confirmed place and then tells the server: not for each event, but soon.
 *
 * Here first, then there: the server must never believe more than this side would know after a crash.
 * Source: docs/protocol.md, "ack".
 */

import type { PositionStore } from "./position-store.js";
import type { Position } from "./shapes.js";

const EVENTS = 64;
const AFTER_MS = 250;

export class Confirmations {
  readonly #store: PositionStore;
  readonly #tell: (position: Position) => void;
  #confirmed: Position | undefined;
  #kept: Position | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();

  /** `kept` is what the store holds now. */
  constructor(store: PositionStore, kept: Position | undefined, tell: (position: Position) => void) {
    this.#store = store;
    this.#kept = this.#confirmed = kept;
    this.#tell = tell;
  }

  /** The consumer is done with everything up to here. */
  moved(position: Position): void {
    this.#confirmed = position;
    if (this.#isFar(position)) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), AFTER_MS);
  }

  /** Keep and tell it now. Never fails: what could not be kept is tried again later. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    const position = this.#confirmed;
    if (position === undefined || position === this.#kept) return;
    try {
      await this.#store.save(position);
    } catch {
      return;
    }
    this.#kept = position;
    this.#tell(position);
  }

  #isFar(position: Position): boolean {
    return position.epoch === this.#kept?.epoch && position.seq - this.#kept.seq >= EVENTS;
  }
}
