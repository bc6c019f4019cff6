/** Which own message Up in an empty field brings back. */

import type { Message } from "@amtrio/client";

export function lastEditable(messages: readonly Message[]): Message | undefined {
  return messages.findLast(isEditable);
}

/** Sealed messages cannot be edited (docs/protocol.md, `encrypted_message`). */
function isEditable({ sender_type, kind, deleted, content }: Message): boolean {
  return sender_type === "client" && kind !== "encrypted" && !deleted && content !== "";
}
