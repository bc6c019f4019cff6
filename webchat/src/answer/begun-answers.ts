/** What is chosen and written in questions and not sent yet, by message id: it outlives a look at another chat. */

import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { chat } from "../engine/state.ts";

export interface BegunAnswer {
  readonly chosen: readonly string[];
  readonly text: string;
}

// Source: docs/protocol.md, "Questions".
export const MAX_ANSWER_CHARS = 4000;

const NOTHING: BegunAnswer = { chosen: [], text: "" };

const begun = createStore<Readonly<Record<string, BegunAnswer | undefined>>>(() => ({}));

chat.subscribe((now, before) => {
  if (now.self?.userId !== before.self?.userId) begun.setState({}, true);
});

export function useBegunAnswer(messageId: string): BegunAnswer {
  return useStore(begun, (state) => state[messageId] ?? NOTHING);
}

export function begunAnswer(messageId: string): BegunAnswer {
  return begun.getState()[messageId] ?? NOTHING;
}

export function keepAnswer(messageId: string, change: Partial<BegunAnswer>): void {
  begun.setState((state) => ({ [messageId]: { ...(state[messageId] ?? NOTHING), ...change } }));
}

/** It has been sent. */
export function forgetAnswer(messageId: string): void {
  begun.setState({ [messageId]: undefined });
}
