/** New messages of others as they come in, for whatever wants to ring: not history, not what this account said. */

import type { Message } from "@amtrio/client";

type Listener = (message: Message) => void;

class Arrivals {
  readonly #listeners = new Set<Listener>();

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(message: Message): void {
    for (const listener of this.#listeners) listener(message);
  }
}

export const arrivals = new Arrivals();
