/** What was found, from both sources, as one list. Pure. */

import type { Message, SearchPage } from "@amtrio/client";
import { piecesOf, saysAll, type Piece } from "./snippet.ts";

export interface Hit {
  readonly message: Message;
  /** Made by the server; hits of this device are cut when they are drawn. */
  readonly snippet?: readonly Piece[];
}

export function hitsOf(page: SearchPage): Hit[] {
  return page.results.map(({ message, snippet }) => ({ message, snippet: piecesOf(snippet.text, snippet.matches) }));
}

/** Newest first, each message once. The server's word counts: it may know a newer text, and why it fits. */
export function merged(here: readonly Hit[], server: readonly Hit[]): Hit[] {
  const byId = new Map<string, Hit>();
  for (const hit of [...here, ...server]) byId.set(hit.message.message_id, hit);
  return [...byId.values()].sort((a, b) => compare(b.message, a.message));
}

/** What a page for another query still says about this one, until its own page is there. */
export function stillFitting(hits: readonly Hit[], terms: readonly string[]): Hit[] {
  return hits.filter(({ message }) => saysAll(message.content, terms)).map(({ message }) => ({ message }));
}

/** What a message says, as far as this device can read it; empty if it cannot. */
export function textOf(message: Message, plain: Readonly<Record<string, string | null>>): string {
  return message.kind === "encrypted" ? (plain[message.message_id] ?? "") : message.content;
}

function compare(a: Message, b: Message): number {
  return Date.parse(a.created_at) - Date.parse(b.created_at) || a.conversation_seq - b.conversation_seq;
}
