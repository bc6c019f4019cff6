/**
 * Whom this browser knows by which keys: the first ones are believed, other ones later need a person's word.
 *
 * Knows the store. Knows no server; what it says comes in by `offer`.
 */

import type { PeerRow, PublicIdentity, Store } from "./store.ts";

/** As shown to a person. */
export type PeerState =
  | { readonly kind: "unseen" }
  | { readonly kind: "known"; readonly identity: string; readonly verified: boolean }
  /** `offered`: what stands in place of it now. Nothing is sent until it was accepted. */
  | { readonly kind: "changed"; readonly identity: string; readonly verified: boolean; readonly offered: string };

/** Keep these keys if there were none before. Returns whether they are the ones that are believed. */
export async function pin(store: Store, account: string, keys: PublicIdentity): Promise<boolean> {
  const work = store.database.transaction("peers", "readwrite");
  const known = await work.store.get(account);
  if (known === undefined) await work.store.put({ account, ...keys, verified: false, offered: null });
  else await work.store.put({ ...known, offered: isSame(known, keys) ? null : keys });
  await work.done;
  return known === undefined || isSame(known, keys);
}

/** What the server says of somebody; changes nothing for whom nobody has talked with encrypted. */
export async function offer(store: Store, account: string, keys: PublicIdentity): Promise<void> {
  if ((await store.database.get("peers", account)) !== undefined) await pin(store, account, keys);
}

export async function peerOf(store: Store, account: string): Promise<PeerRow | undefined> {
  return store.database.get("peers", account);
}

export function stateOf(row: PeerRow | undefined): PeerState {
  if (row === undefined) return { kind: "unseen" };
  const { identity, verified, offered } = row;
  return offered === null ? { kind: "known", identity, verified } : { kind: "changed", identity, verified, offered: offered.identity };
}

/**
 * Believe what was offered, if it still is. Sessions with the old keys can be read, and not be written in.
 * Returns whether it counts.
 */
export async function accept(store: Store, account: string, offered: PublicIdentity): Promise<boolean> {
  const work = store.database.transaction("peers", "readwrite");
  const known = await work.store.get(account);
  const counts = known !== undefined && known.offered !== null && isSame(known.offered, offered);
  if (counts) await work.store.put({ account, ...offered, verified: false, offered: null });
  await work.done;
  return counts;
}

/** The keys of this moment were compared; not of somebody whose keys have just changed. Returns whether it counts. */
export async function verify(store: Store, account: string, compared: PublicIdentity): Promise<boolean> {
  const work = store.database.transaction("peers", "readwrite");
  const known = await work.store.get(account);
  const counts = known !== undefined && known.offered === null && isSame(known, compared);
  if (counts) await work.store.put({ ...known, verified: true });
  await work.done;
  return counts;
}

function isSame(one: PublicIdentity, other: PublicIdentity): boolean {
  return one.identity === other.identity && one.signing === other.signing;
}
