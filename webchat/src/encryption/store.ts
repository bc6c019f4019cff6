/**
 * Where a browser keeps its keys: a database of its own per person, so that clearing what else is stored here costs none.
 *
 * Private keys and roots are CryptoKeys that nobody can read, this program included. Several tabs use it at once:
 * whoever decides something on what stands here does it in one transaction, and nothing is remembered beside it.
 */

import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from "idb";
import { clearStores, placeOf } from "../engine/device-storage.ts";
import { EncryptionError } from "./errors.ts";
import type { Role } from "./sealing.ts";

/** Public keys and ids are base64url: they are what rows are found by. */
export interface PublicIdentity {
  readonly identity: string;
  readonly signing: string;
}

export interface OwnKeys extends PublicIdentity {
  readonly identityKey: CryptoKey;
  readonly signingKey: CryptoKey;
  readonly prekey: string;
  readonly signature: string;
  /** They are to replace whatever the server has, and it does not know yet. */
  readonly claims: boolean;
}

/** `none`: nothing was made. `elsewhere`: another browser's identity is the account's. */
export interface Standing {
  readonly state: "none" | "ready" | "elsewhere";
  /** How many the server had when it was asked last. */
  readonly oneTimeKeys: number;
}

export interface Prekey {
  readonly publicKey: string;
  readonly privateKey: CryptoKey;
  readonly kind: "signed" | "one_time";
}

export interface SessionRow {
  readonly id: string;
  readonly conversationId: string;
  /** The other side, as `agent:ID`. */
  readonly peer: string;
  readonly peerIdentity: string;
  readonly ownIdentity: string;
  readonly role: Role;
  readonly root: CryptoKey;
  /** What the other side needs to begin it; goes with every message until it has answered. */
  readonly opening: { readonly signing: string; readonly ephemeral: string; readonly prekey: string; readonly oneTime?: string } | null;
}

export interface ConversationRow {
  readonly conversationId: string;
  readonly on: boolean;
  /** The session in which is sent. */
  readonly sessionId: string | null;
}

export interface PeerRow extends PublicIdentity {
  readonly account: string;
  /** A person compared the numbers. */
  readonly verified: boolean;
  /** What the server, or a message, says instead; nothing is sent until a person has looked. */
  readonly offered: PublicIdentity | null;
}

/** Which message a salt came with: the same again in another message is a replay. */
export interface SeenRow {
  readonly sessionId: string;
  readonly salt: string;
  readonly messageId: string;
}

interface Schema extends DBSchema {
  own: { key: "keys" | "standing"; value: OwnKeys | Standing };
  prekeys: { key: string; value: Prekey };
  sessions: { key: string; value: SessionRow };
  conversations: { key: string; value: ConversationRow };
  peers: { key: string; value: PeerRow };
  seen: { key: [string, string]; value: SeenRow };
}

type Database = IDBPDatabase<Schema>;
export type Store = Awaited<ReturnType<typeof openStore>>;

const VERSION = 1;

export async function openStore(userId: string) {
  let isGone = false;
  const database: Database = await openDB<Schema>(nameOf(userId), VERSION, {
    upgrade(made) {
      made.createObjectStore("own");
      made.createObjectStore("prekeys", { keyPath: "publicKey" });
      made.createObjectStore("sessions", { keyPath: "id" });
      made.createObjectStore("conversations", { keyPath: "conversationId" });
      made.createObjectStore("peers", { keyPath: "account" });
      made.createObjectStore("seen", { keyPath: ["sessionId", "salt"] });
    },
    // Another tab signs out, or has a newer program: it must not wait for this one.
    blocking: () => close(),
    terminated: () => close(),
  });
  const close = () => {
    isGone = true;
    database.close();
  };
  return {
    /** Throws `EncryptionError` (`removed`) once the keys are gone. */
    get database(): Database {
      if (isGone) throw new EncryptionError("removed");
      return database;
    },
    close,
  };
}

/**
 * Everything that was encrypted can be read no more, on this device and any other: at once, also while a tab that is frozen
 * still has the keys open. They are gone from the list of databases when no tab has.
 */
export async function removeStore(userId: string): Promise<void> {
  const name = nameOf(userId);
  // Where that is refused, removing is all that can be done.
  await emptyStore(userId).catch(() => undefined);
  await deleteDB(name);
}

async function emptyStore(userId: string): Promise<void> {
  const store = await openStore(userId);
  try {
    await clearStores(store.database);
  } finally {
    store.close();
  }
}

function nameOf(userId: string): string {
  return `amtrio-keys-${placeOf(userId)}`;
}

export async function ownKeys(store: Store): Promise<OwnKeys | undefined> {
  return (await store.database.get("own", "keys")) as OwnKeys | undefined;
}

export async function standing(store: Store): Promise<Standing> {
  return ((await store.database.get("own", "standing")) as Standing | undefined) ?? { state: "none", oneTimeKeys: 0 };
}
