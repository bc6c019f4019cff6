/** People, agents and conversations for the tests of what stands round a conversation. */

import type { AgentInfo, LastMessage, Message } from "@amtrio/client";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { ActionsProvider, type Actions } from "../../src/engine/actions.ts";
import { chat, EMPTY, type ChatConversation, type ChatState, type Outgoing } from "../../src/engine/state.ts";

export const SELF = { userId: "usr_ada", username: "ada" };
/** 25 November 2026, noon in UTC. */
export const NOON = Date.UTC(2026, 10, 25, 12);

export function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

export function agent(id: string, more: Partial<AgentInfo> = {}): AgentInfo {
  return { agent_id: id, name: id.toUpperCase(), online: true, status: "online", ...more };
}

export function said(content: string, more: Partial<LastMessage> = {}): LastMessage {
  return {
    message_id: `msg_${content}`,
    conversation_seq: 1,
    sender_type: "agent",
    sender_id: "coder",
    content,
    created_at: iso(NOON),
    ...more,
  };
}

export function message(id: string, more: Partial<Message> = {}): Message {
  return {
    message_id: id,
    conversation_id: "c1",
    conversation_seq: 5,
    sender_type: "agent",
    sender_id: "coder",
    agent_id: "coder",
    content: `text of ${id}`,
    created_at: iso(NOON),
    ...more,
  };
}

/** `atMs`: when the newest message was said. */
export function conversation(id: string, more: Partial<ChatConversation> & { atMs?: number } = {}): ChatConversation {
  const { atMs = NOON, ...fields } = more;
  return {
    conversation_id: id,
    user_id: SELF.userId,
    agent_id: "coder",
    title: null,
    is_default: true,
    created_at: iso(atMs),
    updated_at: iso(atMs),
    pinned: false,
    archived: false,
    muted_until: null,
    tags: [],
    receipts: [],
    last: said(`hello from ${id}`, { created_at: iso(atMs) }),
    lastSeq: 1,
    unread: 0,
    readUpTo: 1,
    ...fields,
  };
}

export function outgoing(clientId: string, more: Partial<Outgoing> = {}): Outgoing {
  return {
    clientId,
    conversationId: "c1",
    content: clientId,
    replyTo: undefined,
    attachments: [],
    createdAt: NOON,
    state: "waiting",
    error: undefined,
    encrypted: false,
    ...more,
  };
}

export function byId(...conversations: ChatConversation[]): Record<string, ChatConversation> {
  return Object.fromEntries(conversations.map((each) => [each.conversation_id, each]));
}

/** Somebody is signed in, connected, and everything is known; `state` says what else. */
export function seed(state: Partial<ChatState> = {}): void {
  chat.setState({
    ...EMPTY,
    self: SELF,
    account: { user_id: SELF.userId, username: SELF.username, is_admin: false } as ChatState["account"],
    link: { kind: "online" },
    agents: { coder: agent("coder", { name: "Coder" }) },
    ...state,
  });
}

/** Records what it is asked for. What a test does not give answers with nothing. */
export type Asked = [name: string, ...args: unknown[]][];

export function recording(given: Partial<Actions> = {}): { actions: Actions; asked: Asked } {
  const asked: Asked = [];
  const rest = { call: async () => ({}) };
  const known: Partial<Record<string, unknown>> = { rest, ...given };
  const actions = new Proxy({} as Actions, {
    get(_, name: string) {
      const value = known[name];
      if (name === "rest") return value;
      return (...args: unknown[]) => {
        asked.push([name, ...args]);
        return typeof value === "function" ? value(...args) : Promise.resolve();
      };
    },
  });
  return { actions, asked };
}

export function show(view: ReactNode, given?: Partial<Actions>): RenderResult & { asked: Asked } {
  const { actions, asked } = recording(given);
  return { ...render(<ActionsProvider value={actions}>{view}</ActionsProvider>), asked };
}

export function goTo(place: string): void {
  history.replaceState(null, "", place);
}

/** There is no layout here: the list is 600 pixels high, and its rows are 66. */
export function layOut(): void {
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(66);
}
