/**
 * What an event of the log, or about this moment, changes: the state after it, and what of it is to be kept.
 *
 * Pure: knows no database, no server and no clock but the one it is handed. An event that is applied twice changes
 * nothing the second time. Live runs are not here but in `live.ts`.
 */

import type { AgentInfo, AmtrioEvent, EventData, Message, Snapshot } from "@amtrio/client";
import {
  begun,
  fromSnapshot,
  withChanged,
  withMessage as conversationWithMessage,
  withoutMessage,
  withReceipt,
} from "./conversations.ts";
import type { ChatConversation, ChatState, Self, Timeline } from "./state.ts";
import { changed, stretch, withMessage, withReaction } from "./timeline.ts";
import type { Change } from "./writer.ts";

export interface Applied {
  readonly state: ChatState;
  readonly change?: Change;
  /** Somebody else said it, and it is news. */
  readonly arrived?: Message;
  /** Of this conversation more is to be fetched: something is not known. */
  readonly missing?: string;
}

// Typing ends by itself. Source: docs/protocol.md, "typing and status".
const TYPING_MS = 6000;

export function apply(state: ChatState, event: AmtrioEvent, self: Self, now: number): Applied {
  switch (event.type) {
    case "message":
      return said(state, event.data);
    case "message_edited":
      return edited(state, event.data);
    case "message_deleted":
      return deleted(state, event.data);
    case "message_taken":
      return changeMessage(state, event.data, ({ queued: _, ...message }) => message);
    case "question_answered":
    case "question_closed":
      return settled(state, event.data);
    case "reaction_added":
    case "reaction_removed":
      return reacted(state, event.data, event.type === "reaction_added");
    case "receipt":
    case "delivered": {
      const { conversation_id: id, ...receipt } = event.data;
      const known = state.timelines[id]?.messages ?? [];
      return changeConversation(state, id, (each) => withReceipt(each, receipt, self, known));
    }
    case "conversation_created":
    case "conversation_updated": {
      const before = state.conversations[event.data.conversation_id];
      return withConversation(state, before === undefined ? begun(event.data) : { ...before, ...event.data });
    }
    case "conversation_state": {
      const { conversation_id: id, ...own } = event.data;
      return changeConversation(state, id, (each) => ({ ...each, ...own }));
    }
    case "conversation_deleted":
      return withoutConversation(state, event.data.conversation_id);
    case "gone":
      return event.data.skipped && event.data.conversation_id ? { state, missing: event.data.conversation_id } : { state };
    case "typing":
      return typed(state, event.data, now);
    case "status":
      return event.data.sender_type === "agent" ? changeAgent(state, event.data.sender_id, statusOf(event.data)) : { state };
    case "presence_update": {
      const { id, type, online, last_seen: seen } = event.data;
      if (type !== "agent") return { state };
      const status = online ? (offlineless(state.agents[id]?.status) ?? "online") : "offline";
      return changeAgent(state, id, { online, status, ...(seen === undefined ? {} : { last_seen: seen }) });
    }
    case "agent_changed":
      return withAgent(state, event.data);
    case "snapshot":
      return rebuilt(state, event.data, self);
    default:
      return { state };
  }
}

/** Everything anew. What is only on this device stays: drafts, and what waits to be sent. */
function rebuilt(state: ChatState, snapshot: Snapshot, self: Self): Applied {
  const conversations: Record<string, ChatConversation> = {};
  const timelines: Record<string, Timeline> = {};
  const messages: Message[] = [];
  for (const told of snapshot.conversations) {
    const conversation = fromSnapshot(told, self);
    conversations[told.conversation_id] = conversation;
    messages.push(...told.messages);
    if (state.timelines[told.conversation_id] !== undefined) {
      timelines[told.conversation_id] = stretch(told.messages, conversation.lastSeq);
    }
  }
  // The snapshot stands for their events, too.
  const told = new Set(messages.map((message) => message.client_id));
  const outgoing = Object.fromEntries(
    Object.entries(state.outgoing).map(([id, rows]) => [id, rows.filter((row) => !told.has(row.clientId))]),
  );
  return {
    state: { ...state, conversations, timelines, quoted: {}, outgoing, runs: {}, stopping: {}, typing: {} },
    change: { isAnew: true, conversations: Object.values(conversations), messages },
  };
}

// ---------------------------------------------------------------------------------------------------------- messages

function said(state: ChatState, message: Message): Applied {
  const id = message.conversation_id;
  const before = state.conversations[id];
  // Its `conversation_created` was skipped or pruned; the row is fetched.
  const conversation = conversationWithMessage(before ?? begun(stub(message)), message);
  const isNews = before === undefined || message.conversation_seq > before.lastSeq;
  const next = withoutOutgoing(withoutTyping(withTimeline(state, message), message), message);
  return {
    state: { ...next.state, conversations: { ...state.conversations, [id]: conversation } },
    change: { messages: [message], conversations: [conversation] },
    ...(isNews && message.sender_type !== "client" && !message.deleted ? { arrived: message } : {}),
    ...(before === undefined || next.isMissing ? { missing: id } : {}),
  };
}

function edited(state: ChatState, message: Message): Applied {
  const applied = changeConversation(state, message.conversation_id, (each) => withChanged(each, message));
  const next = withTimeline(withQuoted(applied.state, message), message);
  return { state: next.state, change: { ...applied.change, messages: [message] } };
}

function deleted(state: ChatState, message: Message): Applied {
  const known = state.timelines[message.conversation_id]?.messages ?? [];
  const before = known.filter((each) => each.conversation_seq < message.conversation_seq);
  const shown = known.find((each) => each.message_id === message.message_id);
  const wasShown = shown === undefined ? known.length === 0 : !shown.deleted;
  const applied = changeConversation(state, message.conversation_id, (each) =>
    withoutMessage(each, message, before, wasShown),
  );
  const next = withTimeline(withQuoted(applied.state, message), message);
  const isPreviewLost = state.conversations[message.conversation_id]?.last?.message_id === message.message_id;
  return {
    state: next.state,
    change: { ...applied.change, messages: [message] },
    ...(isPreviewLost && before.length === 0 && message.conversation_seq > 1 ? { missing: message.conversation_id } : {}),
  };
}

/** The list says of a chat whether it waits for its person, also of one that is not open. */
function settled(state: ChatState, data: EventData["question_answered"] | EventData["question_closed"]): Applied {
  const { conversation_id: id, message_id: messageId, question } = data;
  const applied = changeConversation(state, id, (each) =>
    each.last?.message_id === messageId ? { ...each, last: { ...each.last, question } } : each,
  );
  const next = changeMessage(applied.state, data, (message) => ({ ...message, question }));
  return { ...next, change: { ...applied.change, ...next.change } };
}

function reacted(state: ChatState, data: EventData["reaction_added"], on: boolean): Applied {
  const { message_id: _message, conversation_id: _conversation, ...reaction } = data;
  return changeMessage(state, data, (message) => withReaction(message, reaction, on));
}

function changeMessage(
  state: ChatState,
  { conversation_id: id, message_id: messageId }: { conversation_id: string; message_id: string },
  howItChanges: (message: Message) => Message,
): Applied {
  // It may be in no timeline, but on the disk.
  const change: Change = { stored: { messageId, change: howItChanges } };
  const timeline = state.timelines[id];
  if (timeline === undefined) return { state, change };
  const now = changed(timeline, messageId, howItChanges);
  return { state: now === timeline ? state : { ...state, timelines: { ...state.timelines, [id]: now } }, change };
}

function withTimeline(state: ChatState, message: Message): { state: ChatState; isMissing: boolean } {
  const timeline = state.timelines[message.conversation_id];
  if (timeline === undefined) return { state, isMissing: false };
  const now = withMessage(timeline, message);
  if (now === "hole") return { state, isMissing: true };
  return { state: { ...state, timelines: { ...state.timelines, [message.conversation_id]: now } }, isMissing: false };
}

function withQuoted(state: ChatState, message: Message): ChatState {
  const { message_id: id } = message;
  return state.quoted[id] === undefined ? state : { ...state, quoted: { ...state.quoted, [id]: message } };
}

function withoutOutgoing<Next extends { state: ChatState }>(next: Next, message: Message): Next {
  const { conversation_id: id, client_id: clientId } = message;
  const outgoing = next.state.outgoing[id];
  if (clientId === undefined || !outgoing?.some((each) => each.clientId === clientId)) return next;
  const left = outgoing.filter((each) => each.clientId !== clientId);
  return { ...next, state: { ...next.state, outgoing: { ...next.state.outgoing, [id]: left } } };
}

function withoutTyping<Next extends { state: ChatState }>(next: Next, message: Message): Next {
  if (message.sender_type === "client" || next.state.typing[message.conversation_id] === undefined) return next;
  const { [message.conversation_id]: _, ...typing } = next.state.typing;
  return { ...next, state: { ...next.state, typing } };
}

function stub(message: Message): Parameters<typeof begun>[0] {
  return {
    conversation_id: message.conversation_id,
    user_id: message.user_id ?? "",
    agent_id: message.agent_id ?? (message.sender_type === "agent" ? message.sender_id : ""),
    title: null,
    is_default: false,
    created_at: message.created_at,
    updated_at: message.created_at,
  };
}

// ------------------------------------------------------------------------------------------- conversations and agents

function withConversation(state: ChatState, conversation: ChatConversation): Applied {
  return {
    state: { ...state, conversations: { ...state.conversations, [conversation.conversation_id]: conversation } },
    change: { conversations: [conversation] },
  };
}

export function changeConversation(
  state: ChatState,
  id: string,
  change: (conversation: ChatConversation) => ChatConversation,
): Applied {
  const before = state.conversations[id];
  if (before === undefined) return { state };
  const now = change(before);
  return now === before ? { state } : withConversation(state, now);
}

export function withoutConversation(state: ChatState, id: string): Applied {
  const without = <Value>(of: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> => {
    const { [id]: _, ...rest } = of;
    return rest;
  };
  const { conversations, timelines, outgoing, drafts, runs, typing, secrecy } = state;
  return {
    state: {
      ...state,
      conversations: without(conversations),
      timelines: without(timelines),
      outgoing: without(outgoing),
      drafts: without(drafts),
      runs: without(runs),
      typing: without(typing),
      secrecy: without(secrecy),
    },
    change: { removed: [id] },
  };
}

function typed(state: ChatState, data: EventData["typing"], now: number): Applied {
  if (data.sender_type === "client") return { state };
  const { [data.conversation_id]: _, ...typing } = state.typing;
  return { state: { ...state, typing: data.typing ? { ...typing, [data.conversation_id]: now + TYPING_MS } : typing } };
}

function statusOf({ status, text }: EventData["status"]): Partial<AgentInfo> {
  return { status, status_text: text ?? null };
}

function offlineless(status: string | undefined): string | undefined {
  return status === "offline" ? undefined : status;
}

function changeAgent(state: ChatState, id: string, change: Partial<AgentInfo>): Applied {
  const before = state.agents[id];
  return before === undefined ? { state } : withAgent(state, { ...before, ...change });
}

function withAgent(state: ChatState, agent: AgentInfo): Applied {
  return { state: { ...state, agents: { ...state.agents, [agent.agent_id]: agent } }, change: { agents: [agent] } };
}
