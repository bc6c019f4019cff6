/**
 * Messages that wait to be sent: on the disk of this device first, then on the server, each exactly once.
 *
 * A row goes when the server has answered; its bubble goes when the log tells the message. One tab sends at a time, in
 * the order in which things were written. What was refused stays, with the reason, until a person has decided.
 */

import { ClientError, Closed, newClientId, Refused, type Connection, type Message, type Words } from "@amtrio/client";
import type { Database, OutboxRow } from "./database.ts";
import { isSealed } from "./sealed-files.ts";
import { chat, type Outgoing } from "./state.ts";
import { alone, type Tabs } from "./tabs.ts";

export type Seal = (row: OutboxRow) => Promise<Readonly<Record<string, string>>>;

export class Outbox {
  readonly #database: Database;
  readonly #userId: string;
  readonly #tabs: Tabs;
  readonly #connection: () => Connection | undefined;
  readonly #seal: Seal;
  /** Being sent by this tab, with how to stop it. */
  readonly #sending = new Map<string, AbortController>();

  constructor(database: Database, userId: string, tabs: Tabs, connection: () => Connection | undefined, seal: Seal) {
    this.#database = database;
    this.#userId = userId;
    this.#tabs = tabs;
    this.#connection = connection;
    this.#seal = seal;
  }

  /** Show what waits. */
  async load(): Promise<void> {
    const outgoing: Record<string, Outgoing[]> = {};
    for (const { sealed: _, ...row } of await this.#database.getAllFromIndex("outbox", "createdAt")) {
      const connection = this.#sending.has(row.clientId) ? this.#connection() : undefined;
      const state = row.state === "failed" ? "failed" : connection === undefined ? "waiting" : stateOf(connection);
      (outgoing[row.conversationId] ??= []).push({ ...row, state });
    }
    // What has been answered and not been told yet is in no row any more, and must not vanish for a moment.
    for (const [id, rows] of Object.entries(chat.getState().outgoing)) {
      const known = new Set(outgoing[id]?.map((row) => row.clientId));
      const answered = rows.filter((row) => row.state === "sending" && !known.has(row.clientId));
      if (answered.length > 0) outgoing[id] = [...answered, ...(outgoing[id] ?? [])];
    }
    chat.setState({ outgoing });
  }

  /** Shown at once; sent as soon as it is on the disk and there is a connection. */
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
    this.#show(row);
    await this.#database.put("outbox", row);
    this.#tabs.tell({ kind: "outbox", userId: this.#userId });
    await this.send();
  }

  async retry(clientId: string): Promise<void> {
    const row = await this.#database.get("outbox", clientId);
    if (row === undefined) return;
    await this.#put({ ...row, state: "waiting", error: undefined });
    await this.send();
  }

  async discard(clientId: string): Promise<void> {
    this.#sending.get(clientId)?.abort();
    await this.#database.delete("outbox", clientId);
    this.#hide(clientId);
    this.#tabs.tell({ kind: "outbox", userId: this.#userId });
  }

  /** The log told a message: whatever was its row is done with, whoever sent it. */
  async told({ client_id: clientId }: Message): Promise<void> {
    if (clientId !== undefined) await this.#database.delete("outbox", clientId);
  }

  /** There is a socket, or there is none any more: say so beside what is being sent. */
  connectionChanged(): void {
    const connection = this.#connection();
    if (connection === undefined) return;
    const rows = Object.values(chat.getState().outgoing).flat();
    for (const row of rows) if (this.#sending.has(row.clientId)) this.#show({ ...row, state: stateOf(connection) });
  }

  /** Send what waits, unless another tab is at it. */
  async send(): Promise<void> {
    const connection = this.#connection();
    if (connection === undefined) return;
    await alone(`outbox ${this.#userId}`, async () => {
      for (;;) {
        const rows = await this.#database.getAllFromIndex("outbox", "createdAt");
        const waiting = rows.filter((row) => row.state !== "failed");
        if (waiting.length === 0 || connection !== this.#connection()) return;
        const sent = await Promise.all(waiting.map((row) => this.#sendOne(connection, row)));
        // The connection is over; the next one begins anew.
        if (sent.includes(false)) return;
      }
    });
  }

  /** False if it could not be sent, and still waits. */
  async #sendOne(connection: Connection, row: OutboxRow): Promise<boolean> {
    const stop = new AbortController();
    this.#sending.set(row.clientId, stop);
    this.#show({ ...row, state: stateOf(connection), error: undefined });
    try {
      await this.#command(connection, row, stop.signal);
      await this.#database.delete("outbox", row.clientId);
      return true;
    } catch (error) {
      if (stop.signal.aborted) return true;
      if (error instanceof Refused || !(error instanceof ClientError)) {
        await this.#put({ ...row, state: "failed", error: error instanceof Error ? error.message : String(error) });
        return true;
      }
      if (!(error instanceof Closed)) this.#show({ ...row, state: "waiting" });
      return false;
    } finally {
      this.#sending.delete(row.clientId);
    }
  }

  async #command(connection: Connection, row: OutboxRow, signal: AbortSignal): Promise<void> {
    const common = {
      client_id: row.clientId,
      conversation_id: row.conversationId,
      ...(row.replyTo === undefined ? {} : { reply_to: row.replyTo }),
    };
    // A file in the clear would give away what its message hides, and nobody could read one that is sealed without it.
    if (row.attachments.some((each) => isSealed(each) !== row.encrypted)) throw new Error("attach the files again");
    const files = row.attachments.map((each) => each.attachment_id);
    const withFiles = files.length > 0 ? { ...common, attachment_ids: files } : common;
    if (!row.encrypted) {
      await connection.send("message", { ...withFiles, content: row.content }, { signal });
      return;
    }
    const sealed = row.sealed ?? (await this.#seal(row));
    // The same client id must always bring the same bytes, or the server refuses it.
    if (row.sealed === undefined) await this.#database.put("outbox", { ...row, sealed });
    await connection.send("encrypted_message", { ...sealed, ...withFiles } as unknown as Words["encrypted_message"]["takes"], { signal });
  }

  async #put(row: OutboxRow): Promise<void> {
    await this.#database.put("outbox", row);
    this.#show(row);
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

/** Handed to the connection, it is sent as soon as there is a socket. */
function stateOf(connection: Connection): "sending" | "waiting" {
  return connection.isOnline ? "sending" : "waiting";
}
