/**
 * Tells views that something changed: at once, and a few times a second while very much changes.
 *
 * A device that was away is told of thousands of messages in one go; drawing the list for each of them would take
 * minutes of which nobody sees anything.
 */

type Listener = () => void;

// More than agents say while one looks: twenty in a second are a catching-up.
const CHANGES = 20;
const WITHIN_MS = 1000;
const EVERY_MS = 60;

export class Bursts {
  readonly #listeners = new Set<Listener>();
  #since = 0;
  #changes = 0;
  #isFromLog = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** What changes in `work` is from the server's log, of which there may be very much. */
  fromLog<Result>(work: () => Result): Result {
    this.#isFromLog = true;
    try {
      return work();
    } finally {
      this.#isFromLog = false;
    }
  }

  /** Something changed. What a person does is told at once. */
  tell(): void {
    if (!this.#isFromLog) return this.#flush();
    const now = performance.now();
    if (now - this.#since > WITHIN_MS) {
      this.#since = now;
      this.#changes = 0;
    }
    this.#changes += 1;
    if (this.#changes <= CHANGES && this.#timer === undefined) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), EVERY_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const listener of this.#listeners) listener();
  }
}
