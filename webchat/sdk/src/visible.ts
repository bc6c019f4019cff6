/**
 * Tells the server whether somebody looks at the app, so that no phone rings meanwhile.
 *
 * Source: docs/protocol.md, "visible".
 */

// The server forgets after 60 s.
const EVERY_MS = 30_000;

export class Visible {
  readonly #tell: (visible: boolean) => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(tell: (visible: boolean) => void) {
    this.#tell = tell;
  }

  /** Somebody looks, from now on. */
  begin(): void {
    this.#tell(true);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tell(true), EVERY_MS);
  }

  /** Nobody looks any more. */
  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#tell(false);
  }
}
