/**
 * Keeps on this device what the log told, in the order in which it was told, many events in one transaction.
 *
 * The place in the log is written with what it stands for, in the same transaction. Another tab may have written more
 * already: then nothing is written, since what it has is newer.
 */

import type { AgentInfo, Message, Position } from "@amtrio/client";
import { rangeOf, type Database, type Stores, type WriteTransaction } from "./database.ts";
import type { ChatConversation } from "./state.ts";

/** A message that is to be changed as it is on the disk. */
export interface StoredChange {
  readonly messageId: string;
  readonly change: (message: Message) => Message;
}

/** What one event changed. */
export interface Change {
  readonly messages?: readonly Message[];
  readonly stored?: StoredChange;
  readonly conversations?: readonly ChatConversation[];
  /** With everything in them. */
  readonly removed?: readonly string[];
  readonly agents?: readonly AgentInfo[];
  /** Forget all messages and conversations first. */
  readonly isAnew?: boolean;
}

const STORES: Stores = ["conversations", "messages", "agents", "drafts", "outbox", "meta"];

export class Writer {
  readonly #database: Database;
  readonly #kept: (change: Change) => void;
  #waiting: Change[] = [];
  #position: Position | undefined;
  /** How far this tab has come in the log. */
  #reached: Position | undefined;
  #isDue = false;
  /** One write after the other: the next one must find what this one could not write. */
  #last: Promise<void> = Promise.resolve();

  /** `kept` hears of each change that is on the disk, also where another tab wrote it, or what is newer. */
  constructor(database: Database, kept: (change: Change) => void = () => undefined) {
    this.#database = database;
    this.#kept = kept;
  }

  /** What this tab knows is what was read from this device, at this place. */
  startAt(position: Position | undefined): void {
    this.#reached = position;
  }

  /** `position` is where the log stands with this change; none for what no log numbers. */
  add(change: Change, position?: Position): void {
    this.#waiting.push(change);
    this.#reached = position ?? this.#reached;
    this.#position = position ?? this.#position;
    if (this.#isDue) return;
    this.#isDue = true;
    // Whatever comes in the same turn goes into the same transaction.
    setTimeout(() => {
      this.#isDue = false;
      // What could not be written waits for the next change or for `flush`, which tells.
      void this.flush().catch(() => undefined);
    });
  }

  /** Resolves when everything that was added is on the disk; rejects if it could not be written. */
  flush(): Promise<void> {
    const written = this.#last.then(() => this.#write());
    this.#last = written.catch(() => undefined);
    return written;
  }

  async #write(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const [changes, position] = [this.#waiting, this.#position];
    this.#waiting = [];
    this.#position = undefined;
    try {
      const transaction = this.#database.transaction(STORES, "readwrite");
      const stored = (await transaction.objectStore("meta").get("position")) as Position | undefined;
      const isAnew = changes.some((change) => change.isAnew);
      if (!isBehind(this.#reached, stored, isAnew)) {
        for (const change of changes) {
          apply(transaction, change);
          // One after the other: what comes later must not be overwritten with what was read before.
          if (change.stored !== undefined) await changeStored(transaction, change.stored);
        }
        if (position !== undefined) void transaction.objectStore("meta").put(position, "position");
      }
      await transaction.done;
    } catch (error) {
      this.#waiting = [...changes, ...this.#waiting];
      this.#position ??= position;
      throw error;
    }
    for (const change of changes) this.#kept(change);
  }
}

/** Also with what is not from the log: it was made from what this tab knows. */
function isBehind(reached: Position | undefined, stored: Position | undefined, isAnew: boolean): boolean {
  if (reached === undefined || stored === undefined) return false;
  if (reached.epoch === stored.epoch) return stored.seq > reached.seq;
  // Of two histories the one that a snapshot began later counts.
  return !isAnew;
}

function apply(transaction: WriteTransaction, change: Change): void {
  const messages = transaction.objectStore("messages");
  const conversations = transaction.objectStore("conversations");
  if (change.isAnew) {
    void messages.clear();
    void conversations.clear();
  }
  for (const id of change.removed ?? []) {
    void messages.delete(rangeOf(id));
    void conversations.delete(id);
    void transaction.objectStore("drafts").delete(id);
    // If it fails, so does the transaction, which tells.
    withoutOutgoing(transaction, id).catch(() => undefined);
  }
  for (const conversation of change.conversations ?? []) void conversations.put(conversation);
  for (const message of change.messages ?? []) void messages.put(message);
  for (const agent of change.agents ?? []) void transaction.objectStore("agents").put(agent);
}

async function changeStored(transaction: WriteTransaction, { messageId, change }: StoredChange): Promise<void> {
  const messages = transaction.objectStore("messages");
  const message = await messages.index("message_id").get(messageId);
  if (message !== undefined) void messages.put(change(message));
}

/** What waits there could never be sent, and would be counted as unsent where nobody sees it. */
async function withoutOutgoing(transaction: WriteTransaction, conversationId: string): Promise<void> {
  const outbox = transaction.objectStore("outbox");
  for (const row of await outbox.getAll()) if (row.conversationId === conversationId) void outbox.delete(row.clientId);
}
