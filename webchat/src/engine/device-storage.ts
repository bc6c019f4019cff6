/**
 * The databases of a person on this device: under which name they are, how they are left empty, and how a browser refuses them.
 *
 * They have the plain name until a sign-out cannot remove them, because a tab that the browser has frozen still has them
 * open. They go when that tab does; until then whoever opened the same name would wait behind their removal, so from then
 * on others are used.
 */

import type { DBSchema, IDBPDatabase } from "idb";

const KEY = "amtrio.place.";

/** The browser lets the page keep nothing here. */
export class StorageRefused extends Error {
  override name = "StorageRefused";

  constructor(cause: unknown) {
    super("nothing can be kept on this device", { cause });
  }
}

// Blocked site data and private windows, as browsers tell of them; the last two where there is no storage at all.
const REFUSALS: ReadonlySet<string> = new Set(["SecurityError", "InvalidStateError", "UnknownError", "TypeError", "ReferenceError"]);

/** What the browser says of a refusal is for developers, in English, and another thing in each of them. */
export function refusalOf(error: unknown): unknown {
  return error instanceof Error && REFUSALS.has(error.name) ? new StorageRefused(error) : error;
}

/** What the name of each database of this person ends in. */
export function placeOf(userId: string): string {
  const place = localStorage.getItem(KEY + userId);
  return place === null ? userId : `${userId}-${place}`;
}

/** Databases of another name from now on, for every tab that opens them. */
export function moveOn(userId: string): void {
  localStorage.setItem(KEY + userId, Date.now().toString(36));
}

export async function clearStores<Schema extends DBSchema>(database: IDBPDatabase<Schema>): Promise<void> {
  const stores = [...database.objectStoreNames];
  const transaction = database.transaction(stores, "readwrite");
  for (const each of stores) void transaction.objectStore(each).clear();
  await transaction.done;
}
