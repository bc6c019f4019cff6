/** What a message says and brings, as far as this device can tell, and how its text reads in one line. */

import type { Attachment, Message } from "@amtrio/client";
import { useChat, type ChatState } from "../engine/state.ts";
import { withoutMarks } from "../markdown/without-marks.ts";

/** Null: this device cannot read it. Undefined: it is still being opened. */
export function textIn(plain: ChatState["plain"], message: Message): string | null | undefined {
  return message.kind === "encrypted" ? plain[message.message_id] : message.content;
}

const NO_FILES: readonly Attachment[] = [];

/** Of an encrypted one those that it speaks of; the others of its row are none of it. */
export function filesIn(sealedFiles: ChatState["sealedFiles"], message: Message): readonly Attachment[] {
  return (message.kind === "encrypted" ? sealedFiles[message.message_id] : message.attachments) ?? NO_FILES;
}

export function useMessageText(message: Message): string | null | undefined {
  return useChat((state) => textIn(state.plain, message));
}

/** Without the signs of Markdown, and not longer than so many characters. */
export function inOneLine(markdown: string, lengthAtMost: number): string {
  // Long answers are cut first: nobody needs the rest to be cleaned.
  const line = withoutMarks(markdown.slice(0, lengthAtMost * 4));
  const points = [...line];
  return points.length <= lengthAtMost ? line : `${points.slice(0, lengthAtMost - 1).join("").trimEnd()}…`;
}
