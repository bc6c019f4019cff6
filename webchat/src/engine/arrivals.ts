/** Messages of others as they come in, each once: not what is read from history or from this device. */

import type { Message } from "@amtrio/client";

type Listener = (message: Message) => void;
const listeners = new Set<Listener>();

export const arrivals = {
  subscribe(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** For `engine/` alone. */
  tell(message: Message): void {
    for (const listener of listeners) listener(message);
  },
};
