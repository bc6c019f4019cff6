/**
 * Who waits for the answer to which command.
 *
 * Knows promises. When a command is settled, and how, stands in `commands`.
 */

import type { Command } from "./commands.js";
import type { Data } from "./frames.js";

export class Answers {
  readonly #waiting = new Map<Command, () => void>();

  /** Until `settle`, or until the signal says that nobody waits any more, of which `onLeft` hears. */
  wait(command: Command, signal: AbortSignal | undefined, onLeft: () => void): Promise<Data> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(command);
        onLeft();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiting.set(command, () => {
        signal?.removeEventListener("abort", leave);
        if (command.failure !== undefined) reject(command.failure);
        else resolve(command.answer ?? {});
      });
    });
  }

  /** Its answer or its failure is there now. */
  settle(command: Command): void {
    const settled = this.#waiting.get(command);
    this.#waiting.delete(command);
    settled?.();
  }
}
