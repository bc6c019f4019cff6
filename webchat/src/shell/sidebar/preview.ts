/** What a row of the list says about its conversation: the most urgent thing, in one line. Pure. */

import type { LastMessage } from "@amtrio/client";
import type { Outgoing } from "../../engine/state.ts";
import { oneLine } from "../one-line.ts";

const MARKS_SHOWN = 100;

export type Preview =
  /** The agent types, its answer is being made, or that waits for an answer of mine. */
  | { readonly kind: "writing" | "answering" | "asking" | "empty" }
  | { readonly kind: "draft"; readonly text: string }
  /** Mine, and not on the server: it waits, or was refused. */
  | { readonly kind: "waiting" | "failed"; readonly text: string }
  | { readonly kind: "mine" | "theirs"; readonly text: string }
  /** The newest message is encrypted and cannot be read here, or holds files alone. */
  | { readonly kind: "locked" | "files"; readonly isMine: boolean };

export interface PreviewOf {
  readonly isOpen: boolean;
  readonly isTyping: boolean;
  readonly isAnswering: boolean;
  readonly isAsking: boolean;
  readonly draft: string | undefined;
  /** The newest one that was not sent yet. */
  readonly outgoing: Outgoing | undefined;
  readonly last: LastMessage | null;
  /** What `last` says if it is encrypted and this device can read it. */
  readonly plain: string | null | undefined;
}

export function previewOf({ isOpen, isTyping, isAnswering, isAsking, draft, outgoing, last, plain }: PreviewOf): Preview {
  if (isAsking) return { kind: "asking" };
  if (isAnswering) return { kind: "answering" };
  if (isTyping) return { kind: "writing" };
  if (outgoing?.state === "failed") return { kind: "failed", text: oneLine(outgoing.content) };
  // The draft of the open one stands in its composer.
  if (!isOpen && draft !== undefined && draft.trim() !== "") return { kind: "draft", text: oneLine(draft) };
  if (outgoing !== undefined) return { kind: "waiting", text: oneLine(outgoing.content) };
  return last === null ? { kind: "empty" } : previewOfMessage(last, plain);
}

function previewOfMessage(last: LastMessage, plain: string | null | undefined): Preview {
  const isMine = last.sender_type === "client";
  const content = last.kind === "encrypted" ? plain : last.content;
  if (content === null || content === undefined) return { kind: "locked", isMine };
  if (content.trim() === "") return { kind: "files", isMine };
  // Marks alone say nothing in a line of text, but they are no files.
  return { kind: isMine ? "mine" : "theirs", text: oneLine(content) || asWritten(content) };
}

function asWritten(content: string): string {
  return content.slice(0, MARKS_SHOWN).replace(/\s+/g, " ").trim();
}
