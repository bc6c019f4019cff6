/**
 * Finds messages on this device, encrypted ones, too: by reading all of them.
 *
 * That is no slower than an index: ten thousand texts in memory take some milliseconds, while keeping a word index
 * made storing them five times as slow.
 */

import type { Message } from "@amtrio/client";
import type { Database } from "./database.ts";

export class SearchHere {
  readonly #database: Database;
  readonly #plain: () => Readonly<Record<string, string | null>>;
  /** Message ids and their texts as they are compared; filled by the first search. */
  #texts: Promise<Map<string, { readonly at: string; readonly text: string }>> | undefined;

  constructor(database: Database, plain: () => Readonly<Record<string, string | null>>) {
    this.#database = database;
    this.#plain = plain;
  }

  /** All words must be there, in any order; newest first. */
  async find(query: string, limit: number): Promise<Message[]> {
    const wanted = folded(query).split(/\s+/).filter(Boolean);
    if (wanted.length === 0) return [];
    this.#texts ??= this.#read();
    const plain = this.#plain();
    const hits = [...(await this.#texts)]
      .map(([id, { at, text }]) => ({ id, at, text: plain[id] ? folded(plain[id]) : text }))
      .filter(({ text }) => wanted.every((word) => text.includes(word)))
      .toSorted((one, other) => (one.at < other.at ? 1 : -1))
      .slice(0, limit);
    const messages = await Promise.all(hits.map(({ id }) => this.#database.getFromIndex("messages", "message_id", id)));
    return messages.filter((message) => message !== undefined);
  }

  /** A message is new, or changed. */
  async learn(messages: readonly Message[]): Promise<void> {
    const texts = await this.#texts;
    if (texts !== undefined) for (const message of messages) put(texts, message);
  }

  /** What was read is not true any more. */
  forget(): void {
    this.#texts = undefined;
  }

  async #read(): Promise<Map<string, { at: string; text: string }>> {
    const texts = new Map<string, { at: string; text: string }>();
    for (const message of await this.#database.getAll("messages")) put(texts, message);
    return texts;
  }
}

function put(texts: Map<string, { at: string; text: string }>, message: Message): void {
  if (message.deleted) texts.delete(message.message_id);
  else texts.set(message.message_id, { at: message.created_at, text: message.kind === "encrypted" ? "" : folded(message.content) });
}

/** Case and accents do not matter, as on the server. */
function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
