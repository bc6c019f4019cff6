/** What the composer of a conversation is about to do with a message: answer it, or change it. */

import type { Message } from "@amtrio/client";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

export type Intent =
  | { readonly kind: "reply"; readonly message: Message }
  | { readonly kind: "edit"; readonly message: Message };

const intents = createStore<Readonly<Record<string, Intent | undefined>>>(() => ({}));

export function intend(conversationId: string, intent: Intent | undefined): void {
  intents.setState({ [conversationId]: intent });
}

export function useIntent(conversationId: string): Intent | undefined {
  return useStore(intents, (state) => state[conversationId]);
}
