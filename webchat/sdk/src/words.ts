/**
 * Every command: what it takes and what it is answered with.
 *
 * `client_id` may be left out everywhere: the connection makes one. Source: docs/protocol.md, "Commands".
 */

import type {
  AgentInfo,
  Conversation,
  Encryption,
  Message,
  Meta,
  Option,
  Outcome,
  OwnState,
  PartKind,
  Question,
  Reaction,
  RunSnapshot,
} from "./shapes.js";

interface Once {
  client_id?: string;
}

/** Where a message goes; a person may name the agent instead, an agent the person. */
type Place =
  | { conversation_id: string; agent_id?: never; user_id?: never }
  | { agent_id: string; conversation_id?: never; user_id?: never }
  | { user_id: string; conversation_id?: never; agent_id?: never };

interface MessageFields extends Once {
  reply_to?: string;
  metadata?: Meta;
  attachment_ids?: string[];
}

export interface MessageSent {
  message_id: string;
  client_id?: string;
  conversation_id: string;
  conversation_seq: number;
  status: string;
  created_at: string;
  /** It was stored before, under the same `client_id`. */
  repeated?: boolean;
}

export interface OpenQuestion {
  options: Option[];
  multiple?: boolean;
  free_text?: boolean;
  expires_in_s?: number;
}

interface Done {
  status: string;
  message_id: string;
  conversation_id: string;
}

export interface RunState {
  run_id: string;
  conversation_id: string;
  state: string;
  rev: number;
  parts: { part: number; kind: PartKind; offset: number }[];
  outcome: Outcome | null;
  message_id: string | null;
  repeated?: boolean;
}

/** A page of messages, oldest first. */
export interface HistoryPage {
  conversation_id: string;
  messages: Message[];
  has_more: boolean;
  epoch: string;
  seq: number;
}

export interface HistoryQuery {
  /** A message id, a `conversation_seq` or an RFC 3339 time; strictly older. */
  before?: string | number;
  /** The same; strictly newer. */
  after?: string | number;
  /** 1 to 200. */
  limit?: number;
}

export interface SearchQuery {
  /** Words and "quoted phrases", all of which must be there. */
  q: string;
  conversation_id?: string;
  agent_id?: string;
  before?: string;
  after?: string;
  /** `next` of the page before. */
  cursor?: string;
  limit?: number;
}

export interface SearchPage {
  results: { message: Message; snippet: { text: string; matches: [start: number, end: number][] } }[];
  next: string | null;
  is_complete: boolean;
}

type StateAnswer = OwnState & { conversation_id: string };

/** Commands that are answered: what they take, what comes back. */
export interface Words {
  message: { takes: Place & MessageFields & { content: string; question?: OpenQuestion }; gives: MessageSent };
  encrypted_message: { takes: Place & MessageFields & Encryption & { ciphertext: string }; gives: MessageSent };
  edit: { takes: Once & { message_id: string; content: string }; gives: Done & { content: string; edited_at: string } };
  delete: { takes: Once & { message_id: string }; gives: Done & { deleted_at: string } };
  answer: {
    takes: Once & { message_id: string; option_ids?: string[]; text?: string };
    gives: Done & { question: Question };
  };
  question_close: { takes: Once & { message_id: string }; gives: Done };
  message_take: { takes: Once & { message_id: string }; gives: Done };
  message_withdraw: { takes: Once & { message_id: string }; gives: Done };
  react: {
    takes: Once & { message_id: string; emoji: string; on?: boolean };
    gives: Done & { emoji: string; action: string; reaction?: Reaction };
  };
  read: {
    takes: Once & { conversation_id: string; up_to?: number; message_id?: string };
    gives: { status: string; conversation_id: string; read_up_to: number; count: number };
  };
  create_conversation: { takes: Once & { agent_id: string; title?: string }; gives: Conversation };
  update_conversation: {
    takes: Once & { conversation_id: string; title?: string | null; pinned?: boolean; archived?: boolean; tags?: string[] };
    gives: Partial<Conversation> & Partial<OwnState> & { conversation_id: string };
  };
  tag: { takes: Once & { conversation_id: string; tag: string; on: boolean }; gives: StateAnswer };
  rename: { takes: Once & { conversation_id: string; title: string }; gives: Conversation };
  delete_conversation: { takes: Once & { conversation_id: string }; gives: { status: string; conversation_id: string } };
  history: { takes: HistoryQuery & { conversation_id: string }; gives: HistoryPage };
  search: { takes: SearchQuery; gives: SearchPage };
  card: { takes: Once & Partial<Omit<AgentInfo, "agent_id">>; gives: { status: string } };
  ping: { takes: object; gives: { server_time: string } };
  heartbeat: {
    takes: object;
    gives: { server_time: string; interval_s: number; timeout_s: number; monitoring: boolean };
  };
  run_start: { takes: { run_id: string; conversation_id: string; reply_to?: string }; gives: RunState };
  run_resume: { takes: { run_id: string }; gives: RunState };
  run_finish: {
    takes: { run_id: string; outcome: Outcome; error?: string | null; usage?: Meta };
    gives: {
      run_id: string;
      conversation_id: string;
      outcome: Outcome;
      message_id: string | null;
      conversation_seq?: number | null;
    };
  };
  run_attach: { takes: { run_id: string }; gives: RunSnapshot };
  run_control: {
    takes: Once & { run_id: string } & ({ action: "stop" } | { action: "steer"; text: string });
    gives: { status: string; run_id: string; control_id: string; message_id?: string; conversation_seq?: number };
  };
}

/** Commands without an answer: about this moment, forgotten if there is no socket. */
export interface TellWords {
  typing: { conversation_id: string; typing: boolean };
  status: { status: "online" | "busy" | "idle" | "offline"; text?: string };
  visible: { visible: boolean };
  run_append: { run_id: string; part: number; offset: number; text: string };
  run_part: { run_id: string; part: number; kind: PartKind; meta?: Meta };
  run_control_ack: { run_id: string; control_id: string };
}

export type SendWord = keyof Words;
export type TellWord = keyof TellWords;

/** Commands that change nothing or carry an id of their own: they take no `client_id`. */
export const WITHOUT_CLIENT_ID: ReadonlySet<string> = new Set([
  "history",
  "search",
  "ping",
  "heartbeat",
  "run_start",
  "run_resume",
  "run_finish",
  "run_attach",
]);

/** Commands that change nothing: doing them again later makes no sense. */
export const ASKING: ReadonlySet<string> = new Set(["history", "search", "ping", "heartbeat", "run_attach"]);
