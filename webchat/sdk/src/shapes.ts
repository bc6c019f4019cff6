/**
 * What messages, conversations and runs are made of, field by field as they come over the wire.
 *
 * Types only. Every field that may be absent is optional here; what a newer server adds is there at run time and
 * has no name here. Source: docs/protocol.md, "Events" and "Runs".
 */

export type AccountKind = "user" | "agent";

/** A word of the list or, from a newer server, another one. Keeps completion in editors. */
export type Word<Known extends string> = Known | (string & {});

export interface SlashCommand {
  /** Without the slash. */
  name: string;
  description?: string;
  /** How they are written, for people to read: `CITY [DAY]`. */
  arguments?: string;
}

/** An agent as people see it. */
export interface AgentInfo {
  agent_id: string;
  name?: string;
  model?: string;
  personality?: string;
  specialty?: string;
  description?: string;
  /** Which parts of the protocol it understands; do not offer others. */
  supports?: Word<"stop" | "steer" | "queue" | "attachments" | "questions">[];
  commands?: SlashCommand[];
  /** For people to read. */
  capabilities?: string[];
  status?: Word<"online" | "busy" | "idle" | "offline">;
  status_text?: string | null;
  online?: boolean;
  /** RFC 3339. */
  last_seen?: string | null;
}

/** A file on the server. */
export interface Attachment {
  attachment_id: string;
  filename: string;
  content_type: string;
  /** Bytes, as stored. */
  size: number;
  /** Path on the server, which wants the account's credential. */
  url: string;
  created_at: string;
  sha256?: string;
  /** Absent while no message has it. */
  message_id?: string;
  /** Pixels of a picture, as shown. */
  width?: number;
  height?: number;
  thumbnail_url?: string;
}

export interface Option {
  id: string;
  /** One line. */
  label: string;
  description?: string;
  style?: Word<"primary" | "danger" | "default">;
}

export interface Answer {
  option_ids: string[];
  text?: string;
  answered_by: string;
  /** RFC 3339. */
  answered_at: string;
}

/** What a message asks, as it is now. */
export interface Question {
  options: Option[];
  multiple: boolean;
  free_text: boolean;
  state: Word<"open" | "answered" | "expired" | "closed">;
  /** RFC 3339; from then on no answer is taken. */
  expires_at?: string | null;
  answer?: Answer;
}

export type PartKind = Word<"text" | "reasoning" | "tool" | "plan" | "status" | "artifact">;

export type Meta = Record<string, unknown>;

/** One part of a run: a stretch of text, of thoughts, a tool that ran … */
export interface RunPart {
  part: number;
  kind: PartKind;
  meta?: Meta;
  text?: string;
  /** Of a text part in a finished message: how many code points of its content are its own. */
  length?: number;
}

export type Outcome = Word<"done" | "stopped" | "failed" | "interrupted">;

/** How a message came to be: the run that it is the end of. */
export interface RunRecord {
  run_id: string;
  outcome: Outcome;
  /** For people to read. */
  error?: string | null;
  usage?: Meta | null;
  started_at?: string;
  ended_at?: string;
  /** Absent: the agent said nothing at all before it ended. */
  parts?: RunPart[];
}

export interface Encryption {
  algorithm: Word<"aes-256-gcm" | "x25519-aes-256-gcm" | "x25519-chacha20-poly1305" | "opaque">;
  iv?: string;
  sender_key_id?: string;
  recipient_key_id?: string;
  sender_device_id?: string;
  message_type?: string;
}

/** One emoji of one member on one message. */
export interface Reaction {
  id?: string;
  emoji: string;
  account_kind: AccountKind;
  account_id: string;
  created_at?: string;
}

export interface Message {
  message_id: string;
  conversation_id: string;
  /** Its place in the conversation: 1, 2, 3 … without gaps. This orders messages, times do not. */
  conversation_seq: number;
  sender_type: Word<"client" | "agent">;
  sender_id: string;
  /** Markdown; ciphertext if `kind` is `encrypted`; empty if deleted. */
  content: string;
  /** RFC 3339. */
  created_at: string;
  user_id?: string;
  agent_id?: string;
  /** Only in the sender's own account. */
  client_id?: string;
  /** Absent means text. */
  kind?: Word<"text" | "encrypted">;
  content_format?: string;
  encryption?: Encryption;
  attachments?: Attachment[];
  reply_to?: string | null;
  metadata?: Meta | null;
  reactions?: Reaction[];
  /** The run that it is the end of. */
  run?: RunRecord;
  /** The run that it was said into. */
  steers?: string;
  question?: Question;
  /** It waits for its agent and can still be withdrawn. */
  queued?: boolean;
  edited_at?: string | null;
  deleted?: boolean;
  deleted_at?: string | null;
  deleted_by?: string | null;
}

/** How far a member has got, as `conversation_seq`. Marks only grow. */
export interface Receipt {
  account_kind: AccountKind;
  account_id: string;
  read_up_to: number;
  delivered_up_to: number;
}

/** What the account keeps for itself about a conversation. */
export interface OwnState {
  pinned: boolean;
  archived: boolean;
  /** RFC 3339; the year 9999 means for ever. */
  muted_until: string | null;
  tags: string[];
}

/** One person and one agent. */
export interface Conversation {
  conversation_id: string;
  user_id: string;
  agent_id: string;
  title: string | null;
  is_default: boolean;
  created_at: string;
  updated_at: string;
}

/** As much of a message as a list shows. */
export type LastMessage = Pick<
  Message,
  "message_id" | "conversation_seq" | "sender_type" | "sender_id" | "kind" | "content" | "created_at"
>;

/** As lists show it. */
export interface ListedConversation extends Conversation, OwnState {
  last_message: LastMessage | null;
  unread_count: number;
  read_up_to: number;
}

/** As a snapshot shows it: with its latest messages. */
export interface SnapshotConversation extends Conversation, Partial<OwnState> {
  receipts: Receipt[];
  messages: Message[];
}

/** The account as it was at `seq`. */
export interface Snapshot {
  epoch: string;
  seq: number;
  conversations: SnapshotConversation[];
}

/** A place in an account's log: everything up to `seq` of the history `epoch` is known. */
export interface Position {
  epoch: string;
  seq: number;
}

export interface Limits {
  max_message_bytes?: number;
  max_content_bytes?: number;
  messages_per_minute?: number;
  ephemeral_per_minute?: number;
  ping_every_s?: number;
  dead_after_s?: number;
}

/** The server's first frame. */
export interface Connected {
  id: string;
  kind: AccountKind;
  protocol_version: string;
  epoch: string;
  /** The next event of this socket has `seq` + 1. */
  seq: number;
  head: number;
  server_time: string;
  device_id?: string;
  limits: Limits;
  /** The commands that this server knows. */
  capabilities: string[];
}

/** What is new about a part of a live run. */
export interface PartDelta {
  part: number;
  /** Only when the part is new. */
  kind?: PartKind;
  /** Only when it changed; replaces the old one as a whole. */
  meta?: Meta;
  /** Where `text` begins, in code points. */
  offset?: number;
  text?: string;
}

/** A live run as a whole. */
export interface RunSnapshot {
  run_id: string;
  conversation_id: string;
  agent_id: string;
  reply_to?: string | null;
  rev: number;
  started_at: string;
  parts: RunPart[];
}

export interface RunDelta {
  run_id: string;
  conversation_id: string;
  /** One more than that of the one before. */
  rev: number;
  parts: PartDelta[];
}
