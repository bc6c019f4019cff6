/**
 * Messages that wait to be sent: on the disk of this device first, then on the server, each exactly once.
 *
 * A row goes when the server has answered; its bubble goes when the log tells the message. One tab sends at a time, in
 * the order in which things were written. What was refused stays, with the reason, until a person has decided.
 */

import { ClientError, Closed, newClientId, Refused, Unreachable, type Connection, type Message } from "@amtrio/client";
import type { Database, OutboxRow } from "./database.ts";
import { LeftMessages } from "./left-messages.ts";
import { isSealed } from "./sealed-files.ts";
import { chat, type Outgoing } from "./state.ts";
import { alone, type Tabs } from "./tabs.ts";

/** Of `Secrets`, what sending needs. */
export interface Sealing {
  isOn(conversationId: string): Promise<boolean>;
  seal(row: OutboxRow): Promise<Readonly<Record<string, string>>>;
}

/** Why what is on its way is let go of. */
const OFFLINE = Symbol("there is no socket");

// Keys are asked for over REST, whose failing no socket tells. Seldom enough for a server in trouble.
const SEAL_AGAIN_MS = 5000;

export class Outbox {
  readonly #database: Database;
  readonly #userId: string;
  readonly #tabs: Tabs;
  readonly #connection: () => Connection | undefined;
  readonly #sealing: Sealing;
  readonly #left: LeftMessages;
  /** Those that the disk refused, and which are in memory alone. */
  readonly #unkept = new Set<string>();
  /** On their way to the disk: until they are there, what is in memory counts. */
  readonly #entering = new Set<string>();
  /** Being sent by this tab, with how to stop it. */
  readonly #sending = new Map<string, AbortController>();
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(database: Database, userId: string, tabs: Tabs, connection: () => Connection | undefined, sealing: Sealing) {
    this.#database = database;
    this.#userId = userId;
    this.#tabs = tabs;
    this.#connection = connection;
    this.#sealing = sealing;
    this.#left = new LeftMessages(userId, () => this.#unwritten());
  }

  /** Show what waits, and what the pages before could not put on the disk. */
  async begin(): Promise<void> {
    // Where the disk refuses still, it is there for the next page.
    await this.#left.takeOver((rows) => this.#take(rows)).catch(() => undefined);
    await this.load();
  }

  close(): void {
    this.#left.close();
  }

  /** Nothing is left of what is not on the disk. */
  erase(): void {
    this.#left.erase();
  }

  /** Show what waits. */
  async load(): Promise<void> {
    const outgoing: Record<string, Outgoing[]> = {};
    for (const { sealed: _, ...row } of await this.#database.getAllFromIndex("outbox", "createdAt")) {
      if (this.#entering.has(row.clientId)) continue;
      const state = row.state === "failed" ? "failed" : this.#sending.has(row.clientId) ? "sending" : "waiting";
      (outgoing[row.conversationId] ??= []).push({ ...row, state });
    }
    // What has been answered and not been told yet is in no row any more, what was written just now in none yet. Neither
    // may vanish for a moment.
    for (const [id, rows] of Object.entries(chat.getState().outgoing)) {
      const known = new Set(outgoing[id]?.map((row) => row.clientId));
      const others = rows.filter((row) => !known.has(row.clientId) && (row.state === "sending" || this.#isOnlyHere(row.clientId)));
      if (others.length > 0) outgoing[id] = [...others, ...(outgoing[id] ?? [])].sort((one, other) => one.createdAt - other.createdAt);
    }
    chat.setState({ outgoing });
  }

  /** Shown at once; sent as soon as it is on the disk and there is a connection. Never rejects. */
  async add(message: Pick<Outgoing, "conversationId" | "content" | "replyTo" | "attachments" | "encrypted">): Promise<void> {
    const last = chat.getState().outgoing[message.conversationId]?.at(-1)?.createdAt ?? 0;
    const row: OutboxRow = {
      ...message,
      clientId: newClientId(),
      // The clock of a device may go back; the order of what is written here may not.
      createdAt: Math.max(Date.now(), last + 1),
      state: "waiting",
      error: undefined,
    };
    await this.#enter(row);
  }

  async retry(clientId: string): Promise<void> {
    const kept = await this.#database.get("outbox", clientId).catch(() => undefined);
    const rows = Object.values(chat.getState().outgoing).flat();
    const row = kept ?? rows.find((each) => each.clientId === clientId && each.state === "failed");
    if (row !== undefined) await this.#enter({ ...row, state: "waiting", error: undefined });
  }

  async discard(clientId: string): Promise<void> {
    this.#sending.get(clientId)?.abort();
    await this.#forget(clientId);
    this.#hide(clientId);
    this.#tell();
  }

  /** The log told a message: whatever was its row is done with, whoever sent it. */
  async told({ client_id: clientId }: Message): Promise<void> {
    if (clientId !== undefined) await this.#forget(clientId);
  }

  /** Everything was told anew. What failed in a conversation that is gone is seen by nobody, and can never be sent. */
  async rebuilt(): Promise<void> {
    const rows = Object.values(chat.getState().outgoing).flat();
    for (const row of rows) if (row.state === "failed" && isGone(row)) await this.discard(row.clientId);
  }

  /** There is a socket, or there is none any more. */
  connectionChanged(): void {
    if (this.#connection()?.isOnline === true) return void this.send().catch(() => undefined);
    // It is anybody's again: another tab may be connected while this one waits, or is put to sleep.
    for (const stop of this.#sending.values()) stop.abort(OFFLINE);
  }

  /** Send what waits as soon as there is a socket, unless another tab is at it. */
  async send(): Promise<void> {
    const connection = this.#connection();
    if (connection?.isOnline !== true) return;
    await alone(`outbox ${this.#userId}`, async () => {
      for (;;) {
        const rows = await this.#database.getAllFromIndex("outbox", "createdAt");
        const waiting = rows.filter((row) => row.state !== "failed");
        if (waiting.length === 0 || connection !== this.#connection() || !connection.isOnline) return;
        const answers: Promise<boolean>[] = [];
        for (const row of waiting) answers.push((await this.#handOver(connection, row)).answer);
        // The connection is over, and the next one begins anew; or the disk refuses.
        if ((await Promise.all(answers)).includes(false)) return;
      }
    });
  }

  async #enter(row: OutboxRow): Promise<void> {
    this.#entering.add(row.clientId);
    this.#show(row);
    try {
      await this.#database.put("outbox", row);
      this.#unkept.delete(row.clientId);
    } catch (error) {
      this.#unkept.add(row.clientId);
      return this.#sendUnkept(row, error);
    } finally {
      this.#entering.delete(row.clientId);
    }
    this.#tell();
    // A disk that does not let itself be read: the next connection tries again.
    await this.send().catch(() => undefined);
  }

  async #take(rows: readonly OutboxRow[]): Promise<void> {
    const work = this.#database.transaction("outbox", "readwrite");
    for (const row of rows) {
      // The disk had it after all, and may know more of it by now.
      if ((await work.store.get(row.clientId)) === undefined) await work.store.put(row);
    }
    await work.done;
  }

  #unwritten(): Outgoing[] {
    return Object.values(chat.getState().outgoing).flat().filter((row) => this.#isOnlyHere(row.clientId));
  }

  #isOnlyHere(clientId: string): boolean {
    return this.#unkept.has(clientId) || this.#entering.has(clientId);
  }

  /** The disk refuses: it goes out from memory, or says why it does not. */
  async #sendUnkept(row: OutboxRow, error: unknown): Promise<void> {
    const connection = this.#connection();
    const isOver = connection?.isOnline === true && (await this.#sendOne(connection, row, () => undefined, false));
    if (!isOver) this.#show({ ...row, state: "failed", error: textOf(error) });
  }

  /** Resolves when the connection has it, or cannot: what takes its time to be sealed is not overtaken. */
  async #handOver(connection: Connection, row: OutboxRow): Promise<{ readonly answer: Promise<boolean> }> {
    return new Promise((resolve) => {
      const answer = this.#sendOne(connection, row, () => resolve({ answer }));
      void answer.then(() => resolve({ answer }));
    });
  }

  /** False if it could not be sent, and still waits. Never rejects. `onHanded`: the connection has it. */
  async #sendOne(connection: Connection, row: OutboxRow, onHanded: () => void, isKept = true): Promise<boolean> {
    const stop = new AbortController();
    this.#sending.set(row.clientId, stop);
    this.#show({ ...row, state: "sending", error: undefined });
    try {
      const [word, fields] = await this.#command(row, isKept, stop.signal);
      const answer = connection.send(word, fields as never, { signal: stop.signal });
      onHanded();
      this.#answered(row, (await answer) as { readonly conversation_seq?: number });
      return !isKept || (await this.#forget(row.clientId));
    } catch (error) {
      if (stop.signal.aborted && stop.signal.reason !== OFFLINE) return true;
      if (stop.signal.aborted) return this.#waitAgain(row);
      if (error instanceof Unreachable) this.#sendLater();
      if (error instanceof Refused && error.code === "not_found" && isGone(row)) return this.#giveUp(row);
      if (error instanceof Refused || !(error instanceof ClientError)) return this.#fail(row, error, isKept);
      return error instanceof Closed ? false : this.#waitAgain(row);
    } finally {
      this.#sending.delete(row.clientId);
    }
  }

  #sendLater(): void {
    if (this.#again !== undefined) return;
    this.#again = setTimeout(() => {
      this.#again = undefined;
      void this.send().catch(() => undefined);
    }, SEAL_AGAIN_MS);
  }

  /** Its conversation was deleted elsewhere: so was what waited in it. */
  async #giveUp({ clientId }: OutboxRow): Promise<boolean> {
    this.#hide(clientId);
    const isForgotten = await this.#forget(clientId);
    this.#tell();
    return isForgotten;
  }

  #waitAgain(row: OutboxRow): false {
    const shown = chat.getState().outgoing[row.conversationId] ?? [];
    // Its message may have been told before its answer.
    if (shown.some((each) => each.clientId === row.clientId)) this.#show({ ...row, state: "waiting" });
    return false;
  }

  /** The log tells it in a moment; if it was told already, as part of a snapshot or to another tab, nothing more comes. */
  #answered({ clientId, conversationId }: OutboxRow, { conversation_seq: seq = Infinity }: { readonly conversation_seq?: number }): void {
    const lastSeq = chat.getState().conversations[conversationId]?.lastSeq ?? 0;
    if (seq <= lastSeq) this.#hide(clientId);
  }

  async #command(row: OutboxRow, isKept: boolean, signal: AbortSignal): Promise<readonly ["message" | "encrypted_message", object]> {
    const common = {
      client_id: row.clientId,
      conversation_id: row.conversationId,
      ...(row.replyTo === undefined ? {} : { reply_to: row.replyTo }),
    };
    const files = row.attachments.map((each) => each.attachment_id);
    const withFiles = files.length > 0 ? { ...common, attachment_ids: files } : common;
    if (!(await this.#isSecret(row, isKept, signal))) {
      // Nobody could read it: what opens it is not said in the clear.
      if (row.attachments.some(isSealed)) throw new Error("attach the files again");
      return ["message", { ...withFiles, content: row.content }];
    }
    const sealed = row.sealed ?? (await this.#sealing.seal(row));
    signal.throwIfAborted();
    // The same client id must always bring the same bytes, or the server refuses it.
    if (row.sealed === undefined && isKept) await this.#database.put("outbox", { ...row, encrypted: true, sealed });
    return ["encrypted_message", { ...sealed, ...withFiles }];
  }

  /** Decided once: what may have gone out in the clear must not come again as another message, nor the other way round. */
  async #isSecret(row: OutboxRow, isKept: boolean, signal: AbortSignal): Promise<boolean> {
    if (row.encrypted !== undefined) return row.encrypted;
    const encrypted = await this.#sealing.isOn(row.conversationId);
    // Discarded meanwhile: it is not put back.
    signal.throwIfAborted();
    if (isKept) await this.#database.put("outbox", { ...row, encrypted });
    return encrypted;
  }

  /** It stays, with the reason. False if that could not be noted: it would be sent again at once. */
  async #fail(row: OutboxRow, error: unknown, isKept: boolean): Promise<boolean> {
    const failed: OutboxRow = { ...row, state: "failed", error: textOf(error) };
    this.#show(failed);
    if (!isKept) return true;
    try {
      await this.#database.put("outbox", failed);
    } catch {
      return false;
    }
    this.#tell();
    return true;
  }

  /** False: the disk refuses. Then it is sent once more by the next page, which changes nothing. */
  async #forget(clientId: string): Promise<boolean> {
    this.#unkept.delete(clientId);
    try {
      await this.#database.delete("outbox", clientId);
      return true;
    } catch {
      return false;
    }
  }

  #tell(): void {
    this.#tabs.tell({ kind: "outbox", userId: this.#userId });
  }

  #show({ sealed: _, ...row }: OutboxRow): void {
    chat.setState(({ outgoing }) => {
      const rows = outgoing[row.conversationId] ?? [];
      const at = rows.findIndex((each) => each.clientId === row.clientId);
      const now = at < 0 ? [...rows, row] : rows.with(at, row);
      return { outgoing: { ...outgoing, [row.conversationId]: now } };
    });
  }

  #hide(clientId: string): void {
    chat.setState(({ outgoing }) => ({
      outgoing: Object.fromEntries(
        Object.entries(outgoing).map(([id, rows]) => [id, rows.filter((row) => row.clientId !== clientId)]),
      ),
    }));
  }
}

function isGone({ conversationId }: Outgoing): boolean {
  return chat.getState().conversations[conversationId] === undefined;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
