/** What the composer of a conversation is about to do with a message: answer it, or change it. */

import type { Message } from "@amtrio/client";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { chat } from "../engine/state.ts";

export type Intent =
  | { readonly kind: "reply"; readonly message: Message }
  | { readonly kind: "edit"; readonly message: Message };

const intents = createStore<Readonly<Record<string, Intent | undefined>>>(() => ({}));

chat.subscribe((now, before) => {
  if (now.self?.userId !== before.self?.userId) intents.setState({}, true);
});

export function intend(conversationId: string, intent: Intent | undefined): void {
  intents.setState({ [conversationId]: intent });
}

/** The answer to this message has gone. Whatever else was begun since stays. */
export function endReply(conversationId: string, messageId: string): void {
  const intent = intents.getState()[conversationId];
  if (intent?.kind === "reply" && intent.message.message_id === messageId) intend(conversationId, undefined);
}

export function useIntent(conversationId: string): Intent | undefined {
  return useStore(intents, (state) => state[conversationId]);
}
