/**
 * How one conversation changes by what is told about it. Pure functions over values.
 */

import type { Conversation, LastMessage, Message, OwnState, Receipt, SnapshotConversation } from "@amtrio/client";
import type { ChatConversation, Self } from "./state.ts";

/** What `GET /snapshot` says beside the shapes of the SDK. */
export type ToldConversation = SnapshotConversation & { readonly unread_count?: number; readonly last_seq?: number };

/** What `GET /conversations/ID` says. */
export type ConversationRow = Conversation &
  OwnState & { readonly last_message: LastMessage | null; readonly unread_count: number; readonly read_up_to: number };

const NEW_STATE: OwnState = { pinned: false, archived: false, muted_until: null, tags: [] };
// Nothing wakes one from it, not even out of the archive. Source: docs/protocol.md, "Own state".
const FOR_EVER = "9999-";

/** One that has just begun. */
export function begun(conversation: Conversation): ChatConversation {
  return { ...NEW_STATE, ...conversation, receipts: [], last: null, lastSeq: 0, unread: 0, readUpTo: 0 };
}

export function fromSnapshot(told: ToldConversation, self: Self): ChatConversation {
  const { messages, receipts, unread_count: unread, last_seq: lastSeq, ...conversation } = told;
  const readUpTo = receipts.find((receipt) => isOwn(receipt, self))?.read_up_to ?? 0;
  const newest = messages.at(-1)?.conversation_seq ?? 0;
  return {
    ...NEW_STATE,
    ...conversation,
    receipts,
    last: lastOf(messages),
    lastSeq: lastSeq ?? newest,
    unread: unread ?? countUnread(messages, readUpTo),
    readUpTo,
  };
}

/**
 * With what the server says of it when it is asked.
 *
 * @param isCurrent - it knows all that is known here. Otherwise what was said and read since stands, and the rest is taken as it was.
 */
export function refreshed(conversation: ChatConversation, row: ConversationRow, isCurrent: boolean): ChatConversation {
  const { last_message: last, unread_count: unread, read_up_to: readUpTo, ...told } = row;
  if (!isCurrent) return { ...conversation, ...told, updated_at: conversation.updated_at };
  // One that was deleted had a number, too.
  const lastSeq = Math.max(conversation.lastSeq, last?.conversation_seq ?? 0);
  return { ...conversation, ...told, last, unread, readUpTo, lastSeq };
}

/** It was said just now, or is told for the first time. */
export function withMessage(conversation: ChatConversation, message: Message): ChatConversation {
  if (message.conversation_seq <= conversation.lastSeq) return withChanged(conversation, message);
  const isUnread = isOfOther(message) && !message.deleted && message.conversation_seq > conversation.readUpTo;
  return {
    ...conversation,
    last: message.deleted ? conversation.last : lastOf([message]),
    lastSeq: message.conversation_seq,
    unread: conversation.unread + (isUnread ? 1 : 0),
    updated_at: message.created_at,
    archived: conversation.archived && (conversation.muted_until ?? "").startsWith(FOR_EVER),
  };
}

/** A message that is known, as it is now. */
export function withChanged(conversation: ChatConversation, message: Message): ChatConversation {
  if (conversation.last?.message_id !== message.message_id || message.deleted) return conversation;
  return { ...conversation, last: lastOf([message]) };
}

/**
 * A message is deleted.
 *
 * @param before - what is known from before it, oldest first, to show in its place.
 */
export function withoutMessage(
  conversation: ChatConversation,
  message: Message,
  before: readonly Message[],
  wasShown: boolean,
): ChatConversation {
  const wasUnread = wasShown && isOfOther(message) && message.conversation_seq > conversation.readUpTo;
  return {
    ...conversation,
    last: conversation.last?.message_id === message.message_id ? lastOf(before) : conversation.last,
    unread: Math.max(0, conversation.unread - (wasUnread ? 1 : 0)),
  };
}

/**
 * Somebody has read, or was delivered, so far.
 *
 * @param known - the newest messages that are here, to count what is left unread.
 */
export function withReceipt(
  conversation: ChatConversation,
  receipt: Partial<Receipt> & Pick<Receipt, "account_kind" | "account_id">,
  self: Self,
  known: readonly Message[],
): ChatConversation {
  const isSame = (each: Receipt): boolean =>
    each.account_kind === receipt.account_kind && each.account_id === receipt.account_id;
  const before = conversation.receipts.find(isSame);
  const now: Receipt = {
    account_kind: receipt.account_kind,
    account_id: receipt.account_id,
    read_up_to: Math.max(before?.read_up_to ?? 0, receipt.read_up_to ?? 0),
    delivered_up_to: Math.max(before?.delivered_up_to ?? 0, receipt.delivered_up_to ?? 0),
  };
  const receipts = [...conversation.receipts.filter((each) => !isSame(each)), now];
  const changed = { ...conversation, receipts };
  return isOwn(now, self) ? withRead(changed, now.read_up_to, known) : changed;
}

/** Oneself has read so far, here or on another device. */
export function withRead(
  conversation: ChatConversation,
  upTo: number,
  known: readonly Message[],
): ChatConversation {
  if (upTo <= conversation.readUpTo) return conversation;
  const isKnown = known.length > 0 && known[0]!.conversation_seq <= upTo + 1;
  const left = isKnown ? countUnread(known, upTo) : conversation.unread;
  return { ...conversation, readUpTo: upTo, unread: upTo >= conversation.lastSeq ? 0 : Math.min(left, conversation.unread) };
}

export function lastOf(messages: readonly Message[]): LastMessage | null {
  return messages.findLast((message) => !message.deleted) ?? null;
}

function countUnread(messages: readonly Message[], readUpTo: number): number {
  return messages.filter((each) => isOfOther(each) && !each.deleted && each.conversation_seq > readUpTo).length;
}

function isOfOther(message: Message): boolean {
  return message.sender_type !== "client";
}

function isOwn(receipt: Receipt, self: Self): boolean {
  return receipt.account_kind === "user" && receipt.account_id === self.userId;
}
