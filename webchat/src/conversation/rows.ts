/**
 * What stands in the list of a conversation, from top to bottom.
 *
 * Pure: knows messages, what is on its way and what is being written. Knows nothing of views, of pixels or of the state.
 */

import type { Message } from "@amtrio/client";
import type { Outgoing } from "../engine/state.ts";

/** Name and face are shown once for what the same side says within this time. */
const GROUP_MS = 5 * 60_000;

interface Placed {
  /** The same from the moment of sending or of the first word on; nothing else in the list has it. */
  readonly key: string;
  /** Midnight of its day in milliseconds, if a day begins with it. */
  readonly day: number | undefined;
  /** The line "New messages" stands above. */
  readonly isFirstUnread: boolean;
  /** Somebody else spoke before, or it was a while ago. */
  readonly startsGroup: boolean;
}

export interface MessageRow extends Placed {
  readonly kind: "message";
  readonly message: Message;
  readonly isOwn: boolean;
  /** What it answers, unless that is what stands before it anyway. */
  readonly quote: Quote | undefined;
}

export interface DeletedRow extends Placed {
  readonly kind: "deleted";
  readonly messageIds: readonly string[];
}

export interface OutgoingRow extends Placed {
  readonly kind: "outgoing";
  readonly outgoing: Outgoing;
  readonly quote: Quote | undefined;
}

export interface LiveRow extends Placed {
  readonly kind: "live";
  readonly runId: string;
}

/** What only stands there: the first thing in a conversation, and that its agent is writing. */
export interface MarkRow extends Placed {
  readonly kind: "beginning" | "typing";
}

export type Row = MessageRow | DeletedRow | OutgoingRow | LiveRow | MarkRow;

export interface Quote {
  readonly messageId: string;
  /** Undefined: it is not in the stretch that is known. */
  readonly message: Message | undefined;
}

export interface LiveRun {
  readonly runId: string;
  /** RFC 3339; undefined as long as nothing is known of it. */
  readonly startedAt: string | undefined;
}

export interface RowsInput {
  /** Without gaps, oldest first. */
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
  /** The present is elsewhere: what is on its way has no place here. */
  readonly hasNewer: boolean;
  readonly outgoing: readonly Outgoing[];
  readonly runs: readonly LiveRun[];
  readonly isTyping: boolean;
  /** Everything up to here had been read when the conversation was opened; undefined: all of it. */
  readonly unreadAfter: number | undefined;
  /** Ids of messages that are being deleted: as good as gone. */
  readonly removed: ReadonlySet<string>;
}

/** Rows that say the same as `before` are the same objects, so that views of them need not be drawn again. */
export function buildRows(input: RowsInput, before: readonly Row[] = []): readonly Row[] {
  const { messages, hasOlder, hasNewer, outgoing, runs, isTyping } = input;
  const rows = new Rows(before);
  if (!hasOlder) rows.mark("beginning");
  const unread = firstUnread(input);
  const known = new Map(messages.map((message) => [message.message_id, message]));
  let lastOwnId: string | undefined;
  for (const message of messages) {
    if (message.deleted || input.removed.has(message.message_id)) {
      rows.deleted(message);
      continue;
    }
    const isOwn = message.sender_type === "client";
    // An answer right below what it answers needs no quote; a person who chose to reply means it.
    const answersLast = !isOwn && message.reply_to === lastOwnId;
    rows.message(message, isOwn, message === unread, answersLast ? undefined : quoteOf(message.reply_to, known));
    if (isOwn) lastOwnId = message.message_id;
  }
  if (hasNewer) return rows.all;

  const arrived = outgoing.length > 0 ? new Set(messages.map((message) => message.client_id)) : undefined;
  for (const each of outgoing) {
    if (!arrived!.has(each.clientId)) rows.outgoing(each, quoteOf(each.replyTo, known));
  }
  const ended = runs.length > 0 ? new Set(messages.map((message) => message.run?.run_id)) : undefined;
  let isWriting = false;
  for (const run of runs) {
    if (ended!.has(run.runId)) continue;
    rows.live(run);
    isWriting = true;
  }
  if (isTyping && !isWriting) rows.mark("typing");
  return rows.all;
}

/** Where a message is, or undefined. */
export function indexOfMessage(rows: readonly Row[], messageId: string): number | undefined {
  const index = rows.findIndex((row) => (row.kind === "deleted" ? row.messageIds.includes(messageId) : messageIn(row)?.message_id === messageId));
  return index < 0 ? undefined : index;
}

/** The message that a row shows. */
export function messageIn(row: Row | undefined): Message | undefined {
  return row?.kind === "message" ? row.message : undefined;
}

export function keyOf(message: Message): string {
  if (message.run !== undefined) return `r:${message.run.run_id}`;
  return message.client_id === undefined ? `m:${message.message_id}` : `c:${message.client_id}`;
}

function quoteOf(id: string | null | undefined, known: ReadonlyMap<string, Message>): Quote | undefined {
  return id === null || id === undefined ? undefined : { messageId: id, message: known.get(id) };
}

/** Undefined also if it lies further back than what is known. */
function firstUnread({ messages, hasOlder, unreadAfter, removed }: RowsInput): Message | undefined {
  const [oldest] = messages;
  if (unreadAfter === undefined || oldest === undefined) return undefined;
  if (hasOlder && oldest.conversation_seq > unreadAfter + 1) return undefined;
  return messages.find(
    ({ conversation_seq: seq, sender_type: sender, deleted, message_id: id }) =>
      seq > unreadAfter && sender !== "client" && !deleted && !removed.has(id),
  );
}

type Side = "own" | "agent" | "nobody";

/** The list as it grows downwards. */
class Rows {
  readonly all: Row[] = [];
  readonly #before: ReadonlyMap<string, Row>;
  #day: number | undefined;
  #side: Side = "nobody";
  #endedAt = -Infinity;

  constructor(before: readonly Row[]) {
    this.#before = new Map(before.map((row) => [row.key, row]));
  }

  message(message: Message, isOwn: boolean, isFirstUnread: boolean, quote: Quote | undefined): void {
    const at = momentOf(message.created_at);
    // So that the row of a live run does not change when it becomes its message.
    const begins = message.run?.started_at === undefined ? at : momentOf(message.run.started_at);
    const placed = this.#place(keyOf(message), isOwn ? "own" : "agent", begins, at, isFirstUnread);
    this.#push({ ...placed, kind: "message", message, isOwn, quote });
  }

  deleted(message: Message): void {
    const at = momentOf(message.created_at);
    const last = this.all.at(-1);
    if (last?.kind === "deleted" && dayOf(at) === this.#day) {
      this.all.pop();
      const key = keyOf(message);
      this.#push({ ...last, key, messageIds: [...last.messageIds, message.message_id] });
      return;
    }
    const placed = this.#place(keyOf(message), "nobody", at, at, false);
    this.#push({ ...placed, kind: "deleted", messageIds: [message.message_id] });
  }

  outgoing(outgoing: Outgoing, quote: Quote | undefined): void {
    const at = outgoing.createdAt;
    const placed = this.#place(`c:${outgoing.clientId}`, "own", at, at, false);
    this.#push({ ...placed, kind: "outgoing", outgoing, quote });
  }

  live({ runId, startedAt }: LiveRun): void {
    const at = startedAt === undefined ? this.#endedAt : momentOf(startedAt);
    const startsGroup = this.#side !== "agent" || at - this.#endedAt >= GROUP_MS;
    this.#side = "agent";
    this.#endedAt = at;
    // Its day is that of its end, which nobody knows yet.
    this.#push({ key: `r:${runId}`, kind: "live", runId, day: undefined, isFirstUnread: false, startsGroup });
  }

  mark(kind: MarkRow["kind"]): void {
    const startsGroup = kind === "typing" && this.#side !== "agent";
    this.#push({ key: kind, kind, day: undefined, isFirstUnread: false, startsGroup });
  }

  #place(key: string, side: Side, begins: number, ends: number, isFirstUnread: boolean): Placed {
    const day = dayOf(ends);
    const isNewDay = day !== this.#day;
    const isNear = begins - this.#endedAt < GROUP_MS;
    const startsGroup = isNewDay || isFirstUnread || side !== this.#side || !isNear;
    this.#day = day;
    this.#side = side;
    this.#endedAt = ends;
    return { key, day: isNewDay ? day : undefined, isFirstUnread, startsGroup };
  }

  #push(row: Row): void {
    const before = this.#before.get(row.key);
    this.all.push(before !== undefined && isSame(before, row) ? before : row);
  }
}

function isSame(one: Row, other: Row): boolean {
  const names = Object.keys(one) as (keyof Row)[];
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => one[name] === other[name] || isSameQuote(name, one, other) || areSameIds(name, one, other))
  );
}

function isSameQuote(name: string, one: Row, other: Row): boolean {
  if (name !== "quote" || !("quote" in one) || !("quote" in other)) return false;
  return one.quote?.messageId === other.quote?.messageId && one.quote?.message === other.quote?.message;
}

function areSameIds(name: string, one: Row, other: Row): boolean {
  if (name !== "messageIds" || one.kind !== "deleted" || other.kind !== "deleted") return false;
  return one.messageIds.length === other.messageIds.length && one.messageIds.every((id, at) => id === other.messageIds[at]);
}

// Reading a time costs a microsecond, and a list of thousands is built anew with each message.
const moments = new Map<string, number>();
const days = new Map<number, number>();
const REMEMBERED_AT_MOST = 50_000;
const HOUR_MS = 3_600_000;

function momentOf(time: string): number {
  return remembered(moments, time, Date.parse);
}

/** Midnight in the zone of the device. Days change at full quarters of an hour in every zone. */
function dayOf(at: number): number {
  return remembered(days, Math.floor(at / (HOUR_MS / 4)) * (HOUR_MS / 4), (quarter) => new Date(quarter).setHours(0, 0, 0, 0));
}

function remembered<Key>(known: Map<Key, number>, key: Key, make: (key: Key) => number): number {
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= REMEMBERED_AT_MOST) known.clear();
  const made = make(key);
  known.set(key, made);
  return made;
}
