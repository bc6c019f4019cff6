/** Whether a message that came in is worth a sound or a notice. Pure: every decision says why. */

import type { Message } from "@amtrio/client";
import type { ChatConversation } from "../engine/state.ts";
import { isMuted } from "./muted.ts";
import { quietBecause, type QuietPreferences } from "./quiet-hours.ts";

// The same as the server takes for what it pushes: docs/discussion/push.md, case 4.
const NEWS_MS = 10 * 60_000;

export interface ArrivalContext {
  readonly selfId: string | undefined;
  readonly conversation: ChatConversation | undefined;
  /** The conversation that is shown in the window that has the focus, if one has. */
  readonly watchedId: string | undefined;
  readonly quiet: QuietPreferences;
  /** One tab of the browser speaks for all. */
  readonly isSpeaker: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export type Reason =
  | "another tab tells"
  | "own message"
  | "unknown conversation"
  | "deleted"
  | "already read"
  | "conversation muted"
  | "muted"
  | "quiet hours"
  | "is being looked at"
  | "too old"
  | "news";

export interface Decision {
  readonly notify: boolean;
  readonly reason: Reason;
}

export function shouldNotify(message: Message, context: ArrivalContext): Decision {
  const reason = reasonAgainst(message, context);
  return reason === undefined ? { notify: true, reason: "news" } : { notify: false, reason };
}

function reasonAgainst(message: Message, context: ArrivalContext): Reason | undefined {
  const { conversation, now } = context;
  if (message.sender_type === "client" || message.sender_id === context.selfId) return "own message";
  if (message.deleted) return "deleted";
  if (conversation === undefined) return "unknown conversation";
  if (message.conversation_seq <= conversation.readUpTo) return "already read";
  if (isMuted(conversation.muted_until, now)) return "conversation muted";
  if (context.watchedId === message.conversation_id) return "is being looked at";
  if (now - Date.parse(message.created_at) > NEWS_MS) return "too old";
  if (!context.isSpeaker) return "another tab tells";
  return quietBecause(context.quiet, now);
}
