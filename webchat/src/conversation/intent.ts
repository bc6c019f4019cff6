/** What the composer of a conversation is about to do with a message: answer it, or change it. */

import type { Message } from "@amtrio/client";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { chat, type ChatState } from "../engine/state.ts";

export type Intent =
  | { readonly kind: "reply"; readonly message: Message }
  | { readonly kind: "edit"; readonly message: Message };

interface Followed {
  readonly begun: Intent;
  /** With the message as it was last known. Out of sight it stays like this: deleted words do not come back. */
  readonly now: Intent;
}

const intents = createStore<Readonly<Record<string, Followed | undefined>>>(() => ({}));

chat.subscribe((now, before) => {
  if (now.self?.userId !== before.self?.userId) intents.setState({}, true);
  else if (now.timelines !== before.timelines || now.quoted !== before.quoted) follow(now);
});

export function intend(conversationId: string, intent: Intent | undefined): void {
  const followed = intent && { begun: intent, now: asIn(chat.getState(), intent) };
  intents.setState({ [conversationId]: followed });
}

/** The answer to this message has gone. Whatever else was begun since stays. */
export function endReply(conversationId: string, messageId: string): void {
  const intent = intents.getState()[conversationId]?.now;
  if (intent?.kind === "reply" && intent.message.message_id === messageId) intend(conversationId, undefined);
}

/** What becomes of the message elsewhere shows in it. */
export function useIntent(conversationId: string): Intent | undefined {
  return useStore(intents, (state) => state[conversationId]?.now);
}

/** The same object from its beginning to its end. */
export function useBegunIntent(conversationId: string): Intent | undefined {
  return useStore(intents, (state) => state[conversationId]?.begun);
}

export function nearbyIn({ timelines }: ChatState, { conversation_id: id, message_id: messageId }: Message): Message | undefined {
  return timelines[id]?.messages.findLast((each) => each.message_id === messageId);
}

function follow(state: ChatState): void {
  for (const [id, followed] of Object.entries(intents.getState())) {
    if (followed === undefined) continue;
    const now = asIn(state, followed.now);
    if (now !== followed.now) intents.setState({ [id]: { ...followed, now } });
  }
}

function asIn(state: ChatState, intent: Intent): Intent {
  const message = nearbyIn(state, intent.message) ?? state.quoted[intent.message.message_id];
  return message === undefined || message === intent.message ? intent : { ...intent, message };
}
