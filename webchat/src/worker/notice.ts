/**
 * What the server pushes, and the notification that it becomes.
 *
 * Knows no browser. Source: docs/protocol.md, "Push".
 */

import { oneLine } from "../shell/one-line.ts";
import { chatPlace } from "../shell/places.ts";

export interface Notice {
  readonly title: string;
  readonly body: string;
  /** One for each conversation: the next takes its place. */
  readonly tag: string;
  readonly conversationId: string | undefined;
  /** Where a click leads. */
  readonly url: string;
  /** Of all conversations together; undefined: not said. */
  readonly unread: number | undefined;
  /** Show nothing; take back what is shown under `tag`. */
  readonly isWithdrawn: boolean;
}

/** Never fails: browsers want to see a notification for every push, whatever was in it. */
export function readNotice(text: string): Notice {
  const said = parsed(text);
  const word = (name: string): string | undefined => {
    const value = said[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const conversationId = word("conversation_id");
  const unread = said["unread"];
  return {
    title: word("title") ?? "amtrio",
    // As it was written; marks are of no use there.
    body: oneLine(word("body") ?? ""),
    tag: word("tag") ?? "amtrio",
    conversationId,
    url: conversationId === undefined ? "/" : chatPlace(conversationId, word("message_id")),
    unread: typeof unread === "number" ? unread : undefined,
    isWithdrawn: said["withdraw"] === true,
  };
}

/** The tag of a conversation's notification, for whoever shows or closes one. As the server has it. */
export function tagOf(conversationId: string): string {
  return `conversation-${conversationId}`;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
