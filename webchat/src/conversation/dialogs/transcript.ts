/** A whole conversation as text: Markdown for people, JSON for programs. Pure. */

import type { Attachment, Conversation, Message } from "@amtrio/client";
import { dayName, daysBetween, timeOfDay } from "../../i18n/dates.ts";

export interface TranscriptWords {
  readonly you: string;
  readonly unreadable: string;
  readonly attached: (name: string) => string;
}

interface Transcript {
  readonly conversation: Conversation;
  readonly agentName: string;
  /** Oldest first. */
  readonly messages: readonly Message[];
  /** What encrypted messages say, as far as this device knows. */
  readonly textOf: (message: Message) => string | null | undefined;
  /** Of encrypted ones as their senders describe them. */
  readonly filesOf: (message: Message) => readonly Attachment[];
  readonly exportedAt: Date;
}

export function asMarkdown({ conversation, agentName, messages, textOf, filesOf, exportedAt }: Transcript, say: TranscriptWords): string {
  const lines = [`# ${conversation.title ?? agentName}`];
  let before: Date | undefined;
  for (const message of messages) {
    if (message.deleted) continue;
    const at = new Date(message.created_at);
    if (before === undefined || daysBetween(before, at) !== 0) lines.push(`## ${dayName(at, farFrom(at, exportedAt))}`);
    before = at;
    const sender = message.sender_type === "client" ? say.you : agentName;
    lines.push(`**${sender}**, ${timeOfDay(at)}`, textOf(message) ?? say.unreadable);
    for (const { filename } of filesOf(message)) lines.push(`*${say.attached(filename)}*`);
  }
  return `${lines.filter((line) => line !== "").join("\n\n")}\n`;
}

export function asJson({ conversation, messages, textOf, filesOf, exportedAt }: Transcript): string {
  const whole = {
    exported_at: exportedAt.toISOString(),
    conversation: {
      conversation_id: conversation.conversation_id,
      agent_id: conversation.agent_id,
      title: conversation.title,
      created_at: conversation.created_at,
    },
    messages: messages.map((message) =>
      message.kind === "encrypted"
        ? { ...message, decrypted_content: textOf(message) ?? null, decrypted_attachments: filesOf(message).map(described) }
        : message,
    ),
  };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}

/** Without what opens it: an export may go anywhere. */
function described({ attachment_id, filename, content_type, size }: Attachment) {
  return { attachment_id, filename, content_type, size };
}

/** For a file name that every system takes. */
export function fileNameOf(title: string, extension: string): string {
  const plain = title.replace(/[^\p{L}\p{N} _-]/gu, "").trim().replace(/\s+/g, "-").slice(0, 60);
  return `${plain === "" ? "amtrio" : plain}.${extension}`;
}

/** A file is read on another day: "Today" would be wrong, and the year must be there. */
function farFrom(at: Date, exportedAt: Date): Date {
  const far = new Date(exportedAt);
  far.setFullYear(Math.max(exportedAt.getFullYear(), at.getFullYear()) + 1);
  return far;
}
