/**
 * What is kept on this device: one database for each account that signs in here.
 *
 * A copy that may be thrown away at any time, except for `outbox` and `drafts`: those exist nowhere else. Knows
 * IndexedDB and shapes. Knows nothing of the server.
 */

import type { Account, AgentInfo, Message, Position } from "@amtrio/client";
import { deleteDB, openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction, type StoreNames } from "idb";
import { clearStores, placeOf, refusalOf } from "./device-storage.ts";
import type { ChatConversation, Outgoing } from "./state.ts";

/** A message that waits, with what its first sending made of it: every later one must send the very same. */
export interface OutboxRow extends Outgoing {
  readonly sealed?: Readonly<Record<string, string>>;
}

export interface Schema extends DBSchema {
  conversations: { key: string; value: ChatConversation };
  messages: { key: [string, number]; value: Message; indexes: { message_id: string } };
  agents: { key: string; value: AgentInfo };
  outbox: { key: string; value: OutboxRow; indexes: { createdAt: number } };
  drafts: { key: string; value: string };
  meta: { key: "position" | "account"; value: Position | Account };
}

export type Database = IDBPDatabase<Schema>;
export type Stores = StoreNames<Schema>[];
export type WriteTransaction = IDBPTransaction<Schema, Stores, "readwrite">;

const VERSION = 1;

function nameOf(userId: string): string {
  return `amtrio-${placeOf(userId)}`;
}

/** @throws StorageRefused - the browser lets the page keep nothing. */
export async function openDatabase(userId: string): Promise<Database> {
  try {
    return await opened(userId);
  } catch (error) {
    throw refusalOf(error);
  }
}

async function opened(userId: string): Promise<Database> {
  return openDB<Schema>(nameOf(userId), VERSION, {
    upgrade(database) {
      database.createObjectStore("conversations", { keyPath: "conversation_id" });
      database
        .createObjectStore("messages", { keyPath: ["conversation_id", "conversation_seq"] })
        .createIndex("message_id", "message_id");
      database.createObjectStore("agents", { keyPath: "agent_id" });
      database.createObjectStore("outbox", { keyPath: "clientId" }).createIndex("createdAt", "createdAt");
      database.createObjectStore("drafts");
      database.createObjectStore("meta");
    },
    // Another tab signs out, or runs a newer version of the app: it must not wait for this one.
    blocking(_current, _blocked, event) {
      (event.target as IDBDatabase).close();
    },
  });
}

/** Empty at once, also while a tab that is frozen still has it open; gone when no tab has. */
export async function deleteDatabase(userId: string): Promise<void> {
  const name = nameOf(userId);
  // Where that is refused, such as by a newer version of it, removing is all that can be done.
  await emptyDatabase(userId).catch(() => undefined);
  await deleteDB(name);
}

async function emptyDatabase(userId: string): Promise<void> {
  const database = await openDatabase(userId);
  try {
    await clearStores(database);
  } finally {
    database.close();
  }
}

/** Every message of a conversation from one number to another, as far as they are here, oldest first. */
export function messagesBetween(
  database: Database,
  conversationId: string,
  first: number,
  last: number,
): Promise<Message[]> {
  return database.getAll("messages", rangeOf(conversationId, first, last));
}

export function rangeOf(conversationId: string, first = 0, last = Number.MAX_SAFE_INTEGER): IDBKeyRange {
  return IDBKeyRange.bound([conversationId, first], [conversationId, last]);
}
