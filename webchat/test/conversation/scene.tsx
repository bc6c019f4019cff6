/** A conversation with an agent called Demo: what is known of it, what is asked of the engine, and how it is shown. */

import { render } from "@testing-library/react";
import type { Message } from "@amtrio/client";
import type { ReactNode } from "react";
import { ConversationView } from "../../src/conversation/conversation-view.tsx";
import { Toasts } from "../../src/design/toast.tsx";
import { ActionsProvider, type Actions } from "../../src/engine/actions.ts";
import { chat, EMPTY, type ChatConversation, type ChatState, type Outgoing, type Timeline } from "../../src/engine/state.ts";

export const ID = "c1";
export const AGENT = "demo";
export const SELF = "u1";
/** Noon in the zone of the tests, so that minutes more stay on the same day. */
export const NOON = new Date(2026, 10, 25, 12).getTime();

export function minutesLater(minutes: number): string {
  return new Date(NOON + minutes * 60_000).toISOString();
}

/** What the agent said, unless `over` says otherwise. `seq` is its place, and its minute. */
export function said(seq: number, content: string, over: Partial<Message> = {}): Message {
  return {
    message_id: `m${seq}`,
    conversation_id: ID,
    conversation_seq: seq,
    sender_type: "agent",
    sender_id: AGENT,
    content,
    created_at: minutesLater(seq),
    ...over,
  };
}

export function own(seq: number, content: string, over: Partial<Message> = {}): Message {
  return said(seq, content, { sender_type: "client", sender_id: SELF, client_id: `k${seq}`, ...over });
}

export function answered(seq: number, content: string, runId: string, over: Partial<Message> = {}): Message {
  const run = { run_id: runId, outcome: "done", parts: [{ part: 0, kind: "text", length: [...content].length }] };
  return said(seq, content, { run, ...over });
}

export function outgoing(clientId: string, content: string, over: Partial<Outgoing> = {}): Outgoing {
  return {
    clientId,
    conversationId: ID,
    content,
    replyTo: undefined,
    attachments: [],
    createdAt: NOON + 60 * 60_000,
    state: "sending",
    error: undefined,
    encrypted: false,
    ...over,
  };
}

export function conversation(over: Partial<ChatConversation> = {}): ChatConversation {
  return {
    conversation_id: ID,
    user_id: SELF,
    agent_id: AGENT,
    title: null,
    is_default: true,
    created_at: minutesLater(0),
    updated_at: minutesLater(0),
    pinned: false,
    archived: false,
    muted_until: null,
    tags: [],
    receipts: [],
    last: null,
    lastSeq: 0,
    unread: 0,
    readUpTo: 0,
    ...over,
  };
}

export function timeline(messages: readonly Message[], over: Partial<Timeline> = {}): Timeline {
  return { messages, hasOlder: false, hasNewer: false, loading: null, error: null, ...over };
}

export function know(messages: readonly Message[], over: Partial<ChatState> = {}): void {
  chat.setState(
    {
      ...EMPTY,
      self: { userId: SELF, username: "ada" },
      link: { kind: "online" },
      agents: { [AGENT]: { agent_id: AGENT, name: "Demo", online: true, status: "online" } },
      conversations: { [ID]: conversation() },
      timelines: { [ID]: timeline(messages) },
      ...over,
    },
    true,
  );
}

export function change(over: Partial<Timeline>): void {
  chat.setState(({ timelines }) => ({ timelines: { ...timelines, [ID]: { ...timelines[ID]!, ...over } } }));
}

export function changeConversation(over: Partial<ChatConversation>): void {
  chat.setState(({ conversations }) => ({ conversations: { ...conversations, [ID]: { ...conversations[ID]!, ...over } } }));
}

export type Asked = readonly [name: string, ...values: unknown[]];

/** Answers everything with undefined, unless `answers` says otherwise, and remembers what it was asked. */
export function recording(answers: Partial<Record<keyof Actions, unknown>> = {}): { actions: Actions; asked: Asked[] } {
  const asked: Asked[] = [];
  const actions = new Proxy(answers, {
    get(known, name: keyof Actions) {
      if (name === "rest") return known.rest;
      return (...values: unknown[]): unknown => {
        asked.push([name, ...values]);
        const answer = known[name];
        return typeof answer === "function" ? (answer as (...all: unknown[]) => unknown)(...values) : Promise.resolve(answer);
      };
    },
  });
  return { actions: actions as Actions, asked };
}

/** Only what was asked of this kind. */
export function of(asked: readonly Asked[], name: keyof Actions): Asked[] {
  return asked.filter(([each]) => each === name);
}

export function show(actions: Actions, view: ReactNode = <ConversationView conversationId={ID} />) {
  return render(
    <ActionsProvider value={actions}>
      {view}
      <Toasts />
    </ActionsProvider>,
  );
}
