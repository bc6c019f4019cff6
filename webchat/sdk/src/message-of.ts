/**
 * Messages and files of REST answers as the socket tells them.
 *
 * REST also writes older names, and null, false or an empty list where the socket leaves a field out.
 * Source: docs/protocol.md, "REST" and "Messages".
 */

import type { Attachment, Message, Reaction } from "./shapes.js";

const OLDER_NAMES: readonly string[] = ["id", "timestamp", "edited", "is_deleted", "read_at", "attachment_ids"];
const REACTION_NAMES: readonly string[] = ["message_id", "user_id"];

export function messageOf(view: Message): Message {
  const message = without(view, OLDER_NAMES);
  if (message.deleted) message.content = "";
  if (message.attachments) message.attachments = message.attachments.map(attachmentOf);
  if (message.reactions) message.reactions = message.reactions.map((each): Reaction => without(each, REACTION_NAMES));
  return message;
}

export function attachmentOf(view: Attachment): Attachment {
  return without(view, OLDER_NAMES);
}

function without<T extends object>(view: T, names: readonly string[]): T {
  const kept = Object.entries(view).filter(([name, value]) => !names.includes(name) && !isAbsence(value));
  return Object.fromEntries(kept) as T;
}

function isAbsence(value: unknown): boolean {
  return value === null || value === undefined || value === false || (Array.isArray(value) && value.length === 0);
}
