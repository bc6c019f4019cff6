/**
 * Finds messages on this device, encrypted ones, too: by reading all of them.
 *
 * That is no slower than an index: ten thousand texts in memory take some milliseconds, while keeping a word index
 * made storing them five times as slow.
 */

import type { Message } from "@amtrio/client";
import type { Database } from "./database.ts";
import type { Change } from "./writer.ts";

interface Text {
  readonly conversationId: string;
  readonly at: string;
  readonly text: string;
}

export class SearchHere {
  readonly #database: Database;
  readonly #plain: () => Readonly<Record<string, string | null>>;
  /** Message ids and their texts as they are compared; filled by the first search. */
  #texts: Promise<Map<string, Text>> | undefined;

  constructor(database: Database, plain: () => Readonly<Record<string, string | null>>) {
    this.#database = database;
    this.#plain = plain;
  }

  /** All words must be there, in any order; newest first. */
  async find(query: string, limit: number): Promise<Message[]> {
    const wanted = folded(query).split(/\s+/).filter(Boolean);
    if (wanted.length === 0) return [];
    const texts = await this.#known();
    const plain = this.#plain();
    const hits = [...texts]
      .map(([id, { at, text }]) => ({ id, at, text: plain[id] ? folded(plain[id]) : text }))
      .filter(({ text }) => wanted.every((word) => text.includes(word)))
      .toSorted((one, other) => (one.at < other.at ? 1 : -1))
      .slice(0, limit);
    const messages = await Promise.all(hits.map(({ id }) => this.#database.getFromIndex("messages", "message_id", id)));
    return messages.filter((message) => message !== undefined);
  }

  /** This is on the disk since now. Told of all that is written there, it need not be read again. */
  learn({ isAnew, removed, messages }: Change): void {
    if (isAnew) this.#texts = undefined;
    if (removed === undefined && messages === undefined) return;
    // What could not be read, the next search reads with this in it.
    this.#texts?.then(
      (texts) => {
        if (removed !== undefined) for (const [id, { conversationId }] of texts) if (removed.includes(conversationId)) texts.delete(id);
        for (const message of messages ?? []) put(texts, message);
      },
      () => undefined,
    );
  }

  #known(): Promise<Map<string, Text>> {
    if (this.#texts !== undefined) return this.#texts;
    const reading = this.#read();
    this.#texts = reading;
    reading.catch(() => {
      if (this.#texts === reading) this.#texts = undefined;
    });
    return reading;
  }

  async #read(): Promise<Map<string, Text>> {
    const texts = new Map<string, Text>();
    for (const message of await this.#database.getAll("messages")) put(texts, message);
    return texts;
  }
}

function put(texts: Map<string, Text>, message: Message): void {
  const { message_id: id, conversation_id: conversationId, created_at: at } = message;
  if (message.deleted) texts.delete(id);
  else texts.set(id, { conversationId, at, text: message.kind === "encrypted" ? "" : folded(message.content) });
}

/** Case and accents do not matter, as on the server. */
function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
