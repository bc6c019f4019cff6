/**
 * Brings stretches of conversations into memory: from this device where they are whole, else from the server.
 *
 * Knows the database and REST. What a stretch is, stands in `timeline`.
 */

import { Refused, type Message, type Rest } from "@amtrio/client";
import { messagesBetween, type Database } from "./database.ts";
import { chat, type ChatState, type Timeline } from "./state.ts";
import { isWhole, joined, NOTHING, stretch } from "./timeline.ts";
import type { Writer } from "./writer.ts";

// Some screens full; older ones come while one scrolls.
const FIRST = 60;
const MORE = 60;
// Where an agent is very busy, a word that is corrected a moment later is better than asking for ever.
const TRIES = 4;

export class Timelines {
  readonly #database: Database;
  readonly #rest: Rest;
  readonly #writer: Writer;
  readonly #quoting = new Set<string>();
  /** Messages that the server does not have, either. */
  readonly #lost = new Set<string>();
  #isClosed = false;
  /** By conversation: what is being loaded. A newer wish for the same conversation makes it stale. */
  readonly #loading = new Map<string, symbol>();

  readonly #seq: () => number;

  /** `seq` says how far the log has been applied. */
  constructor(database: Database, rest: Rest, writer: Writer, seq: () => number) {
    this.#database = database;
    this.#rest = rest;
    this.#writer = writer;
    this.#seq = seq;
  }

  /** The newest messages, unless something of the conversation is in memory, or nothing is known of it. */
  async show(id: string): Promise<void> {
    if (this.#timeline(id) !== undefined || this.#conversation(id) === undefined) return;
    await this.latest(id);
  }

  async latest(id: string): Promise<void> {
    await this.#load(id, "newer", async () => {
      const { lastSeq } = this.#conversation(id) ?? { lastSeq: 0 };
      if (lastSeq === 0 && this.#conversation(id) !== undefined) return { ...stretch([], 0), hasOlder: false };
      const here = await messagesBetween(this.#database, id, Math.max(1, lastSeq - FIRST + 1), lastSeq);
      const isHere = here.length > 0 && here.at(-1)!.conversation_seq === lastSeq && isWhole(here);
      const first = here[0]?.conversation_seq ?? 0;
      if (isHere && (first === 1 || here.length >= Math.min(FIRST, lastSeq))) return stretch(here, lastSeq);
      // Better some than none while the server is asked, or cannot be.
      const some = tail(here);
      if (some.length > 0) this.#set(id, { ...stretch(some, lastSeq), loading: "newer" });
      const page = await this.#page(id, { limit: FIRST });
      return stretch(page, Math.max(lastSeq, page.at(-1)?.conversation_seq ?? 0));
    });
  }

  async older(id: string): Promise<void> {
    const first = this.#timeline(id)?.messages[0]?.conversation_seq;
    if (first === undefined || first <= 1 || this.#loading.has(id)) return;
    await this.#load(id, "older", async () => {
      const wanted = Math.max(1, first - MORE);
      const here = await messagesBetween(this.#database, id, wanted, first - 1);
      const more = here.length === first - wanted ? here : await this.#page(id, { before: first, limit: MORE });
      return this.#joined(id, more);
    });
  }

  async newer(id: string): Promise<void> {
    const timeline = this.#timeline(id);
    const last = timeline?.messages.at(-1)?.conversation_seq;
    if (last === undefined || !timeline?.hasNewer || this.#loading.has(id)) return;
    await this.#load(id, "newer", async () => {
      const lastSeq = this.#conversation(id)?.lastSeq ?? last;
      const wanted = Math.min(lastSeq, last + MORE);
      const here = await messagesBetween(this.#database, id, last + 1, wanted);
      const more = here.length === wanted - last ? here : await this.#page(id, { after: last, limit: MORE });
      return this.#joined(id, more);
    });
  }

  /** Rejects if the message is not to be had. */
  async around(id: string, messageId: string): Promise<void> {
    if (this.#timeline(id)?.messages.some((each) => each.message_id === messageId)) return;
    const { conversation_seq: at } = await this.#find(messageId);
    await this.#load(
      id,
      "around",
      async () => {
        const first = Math.max(1, at - MORE / 2);
        const lastSeq = Math.max(at, this.#conversation(id)?.lastSeq ?? 0);
        const last = Math.min(lastSeq, at + MORE / 2);
        const here = await messagesBetween(this.#database, id, first, last);
        const isHere = here.length === last - first + 1;
        const messages = isHere ? here : await this.#page(id, { after: first - 1, limit: last - first + 1 });
        return stretch(messages, lastSeq);
      },
      true,
    );
  }

  /** For whoever shows an answer to it. What is not to be had now, such as without a network, may be asked for again. */
  async quoted(messageId: string): Promise<void> {
    if (chat.getState().quoted[messageId] !== undefined || this.#quoting.has(messageId) || this.#lost.has(messageId)) return;
    this.#quoting.add(messageId);
    try {
      let seq = this.#seq();
      let message = await this.#find(messageId);
      // What the log told meanwhile found it nowhere to change it.
      for (let tries = 1; seq < this.#seq() && tries < TRIES; tries += 1) {
        seq = this.#seq();
        message = await this.#find(messageId);
      }
      if (!this.#isClosed) chat.setState(({ quoted }) => ({ quoted: { ...quoted, [messageId]: message } }));
    } catch (error) {
      // That there was a message is all that can be said of it.
      if (error instanceof Refused && error.code === "not_found") this.#lost.add(messageId);
    } finally {
      this.#quoting.delete(messageId);
    }
  }

  /** Something is missing at its end: fetch it. */
  async mend(id: string): Promise<void> {
    const last = this.#timeline(id)?.messages.at(-1)?.conversation_seq;
    if (last === undefined) return;
    await this.#load(id, "newer", async () => this.#joined(id, await this.#page(id, { after: last, limit: 200 })));
  }

  /** What comes from now on is nothing for who is signed in by then. */
  close(): void {
    this.#isClosed = true;
    this.forget();
  }

  /** Nothing is known of what is in memory any more. */
  forget(): void {
    this.#loading.clear();
  }

  async #load(id: string, what: "older" | "newer" | "around", work: () => Promise<Timeline>, throws = false): Promise<void> {
    const mine = Symbol(what);
    this.#loading.set(id, mine);
    this.#set(id, { ...(this.#timeline(id) ?? NOTHING), loading: what, error: null });
    try {
      const timeline = await work();
      if (this.#loading.get(id) === mine) this.#set(id, timeline);
    } catch (error) {
      if (this.#loading.get(id) === mine) {
        const text = error instanceof Error ? error.message : String(error);
        this.#set(id, { ...(this.#timeline(id) ?? NOTHING), loading: null, error: text });
      }
      if (throws) throw error;
    } finally {
      if (this.#loading.get(id) === mine) this.#loading.delete(id);
    }
  }

  async #page(id: string, query: { before?: number; after?: number; limit: number }): Promise<Message[]> {
    let page = await this.#rest.history(id, query);
    // The log went on while this was on its way: what it told since would be overwritten with what was before.
    for (let tries = 1; page.seq < this.#seq() && tries < TRIES; tries += 1) page = await this.#rest.history(id, query);
    this.#writer.add({ messages: page.messages });
    return page.messages;
  }

  /** Rejects if it is neither here nor to be had from the server. */
  async #find(messageId: string): Promise<Message> {
    // A disk that refuses has what it has.
    await this.#writer.flush().catch(() => undefined);
    return (await this.#database.getFromIndex("messages", "message_id", messageId)) ?? (await this.#rest.message(messageId));
  }

  #joined(id: string, more: readonly Message[]): Timeline {
    const lastSeq = Math.max(this.#conversation(id)?.lastSeq ?? 0, more.at(-1)?.conversation_seq ?? 0);
    return joined(this.#timeline(id) ?? NOTHING, more, lastSeq);
  }

  #timeline(id: string): Timeline | undefined {
    return chat.getState().timelines[id];
  }

  #conversation(id: string): ChatState["conversations"][string] | undefined {
    return chat.getState().conversations[id];
  }

  #set(id: string, timeline: Timeline): void {
    if (!this.#isClosed) chat.setState(({ timelines }) => ({ timelines: { ...timelines, [id]: timeline } }));
  }
}

/** The end of it that is without holes. */
function tail(messages: readonly Message[]): Message[] {
  let from = messages.length;
  while (from > 0 && (from === messages.length || messages[from - 1]!.conversation_seq === messages[from]!.conversation_seq - 1)) {
    from -= 1;
  }
  return messages.slice(from);
}
