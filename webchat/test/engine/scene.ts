/** Alice, her helper, and what is said between them. */

import type { AmtrioEvent, Conversation, Message } from "@amtrio/client";
import { vi } from "vitest";
import { apply, type Applied } from "../../src/engine/apply.ts";
import { EMPTY, type ChatState, type Self } from "../../src/engine/state.ts";

export const ALICE: Self = { userId: "alice", username: "alice" };

export function conversation(id = "c1", more: Partial<Conversation> = {}): Conversation {
  return {
    conversation_id: id,
    user_id: "alice",
    agent_id: "helper",
    title: null,
    is_default: true,
    created_at: "2026-11-25T10:00:00Z",
    updated_at: "2026-11-25T10:00:00Z",
    ...more,
  };
}

/** The message with this number; from the helper unless it says otherwise. */
export function message(seq: number, more: Partial<Message> = {}): Message {
  const from = more.sender_type === "client" ? "alice" : "helper";
  return {
    message_id: `m${seq}`,
    conversation_id: "c1",
    conversation_seq: seq,
    sender_type: "agent",
    sender_id: from,
    agent_id: "helper",
    user_id: "alice",
    content: `message ${seq}`,
    created_at: new Date(Date.UTC(2026, 10, 25, 10, 0, seq)).toISOString(),
    ...more,
  };
}

export function event<Type extends AmtrioEvent["type"]>(type: Type, data: object, seq?: number): AmtrioEvent {
  return { type, data, ...(seq === undefined ? {} : { seq }) } as AmtrioEvent;
}

/** The state after these events. */
export function after(events: readonly AmtrioEvent[], from: ChatState = EMPTY, now = 0): ChatState {
  return events.reduce((state, each) => apply(state, each, ALICE, now).state, from);
}

export function applied(state: ChatState, each: AmtrioEvent): Applied {
  return apply(state, each, ALICE, 0);
}

/** Something that a test settles when it likes. */
export function promised<Value = void>(): { readonly promise: Promise<Value>; resolve(value: Value | Promise<Value>): void } {
  let resolve!: (value: Value | Promise<Value>) => void;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** What becomes of it on a clock by which nobody waits: it goes on whenever nothing else is to be done. */
export async function hastened<Value>(work: () => Promise<Value>): Promise<Value> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const result = work();
    const over = { is: false };
    void result.catch(() => undefined).finally(() => (over.is = true));
    for (let turn = 0; turn < 1000 && !over.is; turn += 1) {
      await vi.advanceTimersByTimeAsync(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return await result;
  } finally {
    vi.useRealTimers();
  }
}
