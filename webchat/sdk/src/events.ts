/**
 * What a connection tells: events of the account's log, passing ones, and how the connection itself fares.
 *
 * Knows which fields an event cannot do without. Whatever lacks one of them, and whatever type is not known here,
 * becomes `unknown`, since its number counts all the same. Source: docs/protocol.md, "Events".
 */

import { isObject, type Data, type Frame } from "./frames.js";
import type {
  AccountKind,
  AgentInfo,
  Connected,
  Conversation,
  Message,
  OwnState,
  Outcome,
  Question,
  Reaction,
  Receipt,
  RunDelta,
  RunSnapshot,
  Snapshot,
  Word,
} from "./shapes.js";

interface Of {
  conversation_id: string;
}

interface Asked extends Of {
  message_id: string;
  question: Question;
}

/** The data of each event, by its type. */
export interface EventData {
  message: Message;
  message_edited: Message;
  message_deleted: Message;
  message_taken: Of & { message_id: string; conversation_seq: number };
  question_answered: Asked;
  question_closed: Asked;
  reaction_added: Of & Reaction & { message_id: string };
  reaction_removed: Of & Reaction & { message_id: string };
  receipt: Of & Receipt;
  conversation_created: Conversation;
  conversation_updated: Conversation;
  conversation_deleted: Of;
  conversation_state: Of & OwnState;
  notification_preferences: {
    muted_until?: string | null;
    quiet_from?: string | null;
    quiet_to?: string | null;
    time_zone?: string;
  };
  identity_key_changed: {
    account_kind: AccountKind;
    account_id: string;
    version: number;
    public_key: string;
    changed_at: string;
  };
  one_time_keys_low: { remaining: number };
  /** Shows nothing any more. With `skipped`: fetch what is new in that conversation instead. */
  gone: { skipped?: boolean; conversation_id?: string };
  /** A run ended with nothing to keep; one that left something ends with its message. */
  run_ended: Of & { run_id: string; agent_id: string; outcome: Outcome };

  // From here on: about this moment, without a number.
  run_snapshot: RunSnapshot;
  run_delta: RunDelta;
  run_control_state: Of & {
    run_id: string;
    control_id: string;
    action: Word<"stop" | "steer">;
    state: Word<"sent" | "acknowledged" | "unresponsive" | "closed">;
  };
  typing: Of & { sender_type: Word<"client" | "agent">; sender_id: string; agent_id?: string; typing: boolean };
  status: { sender_type: Word<"client" | "agent">; sender_id: string; status: string; text?: string | null };
  presence_update: { id: string; type: AccountKind; online: boolean; last_seen?: string | null };
  delivered: Of & { account_kind: AccountKind; account_id: string; delivered_up_to: number };
  agent_changed: AgentInfo;
  /** Agents only: a person stops or steers a run. */
  run_control: Of & { run_id: string; control_id: string; action: Word<"stop" | "steer">; text?: string; message_id?: string };
  /** Agents only: how much of a run is on the server's disk. */
  run_ack: { run_id: string; parts: { part: number; durable_offset: number }[] };

  // From here on: not from the server.
  /** There is a working socket. */
  online: Connected;
  /** There is none, and the next try comes in `retry_in_ms`. */
  offline: { reason: string; close_code: number; retry_in_ms: number };
  /** Forget what you have and build anew from this. It stands for events that the server could not give any more. */
  snapshot: Snapshot;
  /** From a newer server: safe to ignore. */
  unknown: { type: string; data: Data };
}

export type EventType = keyof EventData;

/** One event. `seq` is its number in the account's log, absent for what no log keeps. */
export type AmtrioEvent<Type extends EventType = EventType> = {
  [T in Type]: { readonly type: T; readonly data: EventData[T]; readonly seq?: number };
}[Type];

type Check = (value: unknown) => boolean;
const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number";
const truth: Check = (value) => typeof value === "boolean";
const object: Check = isObject;
const objects: Check = (value) => Array.isArray(value) && value.every(isObject);
const texts: Check = (value) => Array.isArray(value) && value.every(text);

type Needs = Readonly<Record<string, Check>>;
const OF: Needs = { conversation_id: text };
const MEMBER: Needs = { account_kind: text, account_id: text };
const MESSAGE: Needs = {
  ...OF,
  message_id: text,
  conversation_seq: number,
  sender_type: text,
  sender_id: text,
  content: text,
};
const ASKED: Needs = { ...OF, message_id: text, question: object };
const REACTION: Needs = { ...OF, ...MEMBER, message_id: text, emoji: text };
const CONVERSATION: Needs = { ...OF, agent_id: text };
const RUN: Needs = { ...OF, run_id: text };

type FromServer = Exclude<EventType, "online" | "offline" | "snapshot" | "unknown">;
const NEEDS: Readonly<Record<FromServer, Needs>> = {
  message: MESSAGE,
  message_edited: MESSAGE,
  message_deleted: { ...OF, message_id: text, conversation_seq: number },
  message_taken: { ...OF, message_id: text },
  question_answered: ASKED,
  question_closed: ASKED,
  reaction_added: REACTION,
  reaction_removed: REACTION,
  receipt: { ...OF, ...MEMBER, read_up_to: number, delivered_up_to: number },
  conversation_created: CONVERSATION,
  conversation_updated: CONVERSATION,
  conversation_deleted: OF,
  conversation_state: { ...OF, pinned: truth, archived: truth, tags: texts },
  notification_preferences: {},
  identity_key_changed: { ...MEMBER, version: number, public_key: text },
  one_time_keys_low: { remaining: number },
  gone: {},
  run_ended: RUN,
  run_snapshot: { ...RUN, rev: number, parts: objects },
  run_delta: { ...RUN, rev: number, parts: objects },
  run_control_state: { ...RUN, control_id: text, state: text },
  typing: { ...OF, sender_id: text, typing: truth },
  status: { sender_id: text, status: text },
  presence_update: { id: text, type: text, online: truth },
  delivered: { ...OF, ...MEMBER, delivered_up_to: number },
  agent_changed: { agent_id: text },
  run_control: { ...RUN, control_id: text, action: text },
  run_ack: { run_id: text, parts: objects },
};

/** The event of a frame. Never fails. */
export function readEvent(frame: Frame): AmtrioEvent {
  const numbered = frame.seq === undefined ? {} : { seq: frame.seq };
  const needs = Object.hasOwn(NEEDS, frame.type) ? NEEDS[frame.type as FromServer] : undefined;
  const isWhole = needs !== undefined && Object.entries(needs).every(([name, check]) => check(frame.data[name]));
  return isWhole
    ? ({ type: frame.type, data: frame.data, ...numbered } as unknown as AmtrioEvent)
    : { type: "unknown", data: { type: frame.type, data: frame.data }, ...numbered };
}
