/**
 * One's own keys: made, kept, and their public halves put on the server.
 *
 * Knows routes and the store. The identity belongs to the browser that made it, since its private half cannot leave;
 * the account has one identity, so at any time one browser of it is the one that encrypts.
 */

import { Refused, type Rest } from "@amtrio/client";
import { isSigned, newAgreementKey, newSigningKey, sign, type Bundle } from "./agreement.ts";
import { keyOf, spelt } from "./bytes.ts";
import { EncryptionError } from "./errors.ts";
import { ownKeys, standing, type OwnKeys, type Prekey, type Standing, type Store } from "./store.ts";

// Enough for as many new sessions while this browser is shut; agents that begin none use up none.
const ONE_TIME_KEYS = 50;
const TOP_UP_BELOW = 20;

/** As REST gives it. */
export interface PublishedBundle {
  readonly identity_key: { readonly public_key: string; readonly signing_key?: string };
  readonly signed_prekey?: {
    readonly public_key: string;
    readonly signature?: string;
    readonly signature_scheme?: string;
    readonly signature_over?: string;
  };
  readonly one_time_prekey?: { readonly public_key: string };
}

/**
 * `if_free`: only where no other browser was first. `take_over`: with the keys of this browser all the same.
 * `reset`: with new ones.
 */
export type Claim = "if_free" | "take_over" | "reset";

export async function publish(store: Store, rest: Rest, userId: string, claim: Claim): Promise<Standing> {
  return alone(userId, async () => {
    const published = await look(rest, userId);
    const taken = published === undefined ? undefined : spelling(published.identity_key.public_key);
    const own = claim === "reset" ? await replaceKeys(store) : await keysIfWanted(store, claim, taken);
    const isFree = taken === undefined || taken === own?.identity || claim !== "if_free" || own?.claims;
    if (own === undefined || !isFree) return stand(store, { state: "elsewhere", oneTimeKeys: 0 });
    if (taken !== own.identity || spelling(published?.identity_key.signing_key) !== own.signing) {
      await rest.call("PUT", "/keys/identity", { body: { public_key: own.identity, signing_key: own.signing } });
    }
    if (taken !== own.identity || spelling(published?.signed_prekey?.public_key) !== own.prekey) {
      const body = { public_key: own.prekey, signature: own.signature };
      await rest.call("PUT", "/keys/signed-prekey", { body });
    }
    if (own.claims) await keep(store, { own: { ...own, claims: false } }, "instead");
    return stand(store, { state: "ready", oneTimeKeys: await topUp(store, rest) });
  });
}

/** What somebody published, without using anything up; undefined: nothing. */
export async function look(rest: Rest, userId: string, kind: "user" | "agent" = "user"): Promise<PublishedBundle | undefined> {
  return bundle(() => rest.call("GET", `/keys/bundles/${kind}/${encodeURIComponent(userId)}`));
}

/** With a one-time key that nobody else gets. `owner`: with an id as it stands in a path. Throws `EncryptionError`: `no_keys`, `bad_keys`. */
export async function take(rest: Rest, owner: `${"user" | "agent"}/${string}`): Promise<Bundle> {
  // With an id of its own, so that an answer that gets lost on the way is given again and costs no second key.
  const body = { client_id: crypto.randomUUID() };
  const found = await bundle(() => rest.call("POST", `/keys/bundles/${owner}`, { body }));
  if (found === undefined) throw new EncryptionError("no_keys");
  const { identity_key: identityKey, signed_prekey: signed, one_time_prekey: once } = found;
  if (signed === undefined) throw new EncryptionError("no_keys");
  const [identity, signing, prekey, oneTime] = [identityKey.public_key, identityKey.signing_key, signed.public_key, once?.public_key].map((key) => keyOf(key));
  const signature = keyOf(signed.signature, 64);
  const isKnown = signed.signature_scheme === "ed25519" && signed.signature_over === "context";
  if (!isKnown || !identity || !signing || !prekey || !signature || (once !== undefined && !oneTime)) {
    throw new EncryptionError("bad_keys");
  }
  const made = { identity, signing, prekey, signature, oneTime };
  if (!(await isSigned(made))) throw new EncryptionError("bad_keys");
  return made;
}

/** In our spelling, whichever its owner chose. */
export function spelling(key: string | undefined): string | undefined {
  const bytes = keyOf(key);
  return bytes === undefined ? undefined : spelt(bytes);
}

async function bundle(ask: () => Promise<PublishedBundle>): Promise<PublishedBundle | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Refused && error.code === "not_found") return undefined;
    throw error;
  }
}

async function stand(store: Store, now: Standing): Promise<Standing> {
  await store.database.put("own", now, "standing");
  return now;
}

/** Those of this browser; made if nobody else's are in the way. */
async function keysIfWanted(store: Store, claim: Claim, taken: string | undefined): Promise<OwnKeys | undefined> {
  const own = await ownKeys(store);
  if (own !== undefined || (claim === "if_free" && taken !== undefined)) return own;
  return keep(store, await newKeys(false), "if_none");
}

async function replaceKeys(store: Store): Promise<OwnKeys> {
  return keep(store, await newKeys(true), "instead");
}

interface Made {
  readonly own: OwnKeys;
  readonly prekey?: Prekey;
}

async function newKeys(claims: boolean): Promise<Made> {
  const [identity, signing, prekey] = await Promise.all([newAgreementKey(), newSigningKey(), newAgreementKey()]);
  const own = {
    identity: spelt(identity.publicKey),
    signing: spelt(signing.publicKey),
    identityKey: identity.privateKey,
    signingKey: signing.privateKey,
    prekey: spelt(prekey.publicKey),
    signature: spelt(await sign(signing.privateKey, identity.publicKey, prekey.publicKey)),
    claims,
  };
  return { own, prekey: { publicKey: own.prekey, privateKey: prekey.privateKey, kind: "signed" } };
}

/** In one transaction: of two tabs that make keys at once, both go on with the same. */
async function keep(store: Store, { own, prekey }: Made, how: "if_none" | "instead"): Promise<OwnKeys> {
  const work = store.database.transaction(["own", "prekeys"], "readwrite");
  const first = (await work.objectStore("own").get("keys")) as OwnKeys | undefined;
  if (first !== undefined && how === "if_none") {
    await work.done;
    return first;
  }
  if (prekey !== undefined) {
    // What others sealed for the old ones and did not deliver yet can be read no more; that is what new keys are for.
    await work.objectStore("prekeys").clear();
    await work.objectStore("prekeys").put(prekey);
  }
  await work.objectStore("own").put(own, "keys");
  await work.done;
  return own;
}

/** Returns how many the server has then. */
async function topUp(store: Store, rest: Rest): Promise<number> {
  const { count } = await rest.call<{ count: number }>("GET", "/keys/one-time-prekeys/count");
  if (count >= TOP_UP_BELOW) return count;
  const made = await Promise.all(Array.from({ length: ONE_TIME_KEYS - count }, newAgreementKey));
  const rows = made.map(({ publicKey, privateKey }) => ({ publicKey: spelt(publicKey), privateKey, kind: "one_time" as const }));
  // Here first: the server must never hand out a key whose private half nobody has.
  const work = store.database.transaction("prekeys", "readwrite");
  await Promise.all(rows.map((row) => work.store.put(row)));
  await work.done;
  const body = { keys: rows.map(({ publicKey }) => ({ public_key: publicKey })), client_id: crypto.randomUUID() };
  const answer = await rest.call<{ count: number }>("POST", "/keys/one-time-prekeys", { body });
  return answer.count;
}

/** One tab at a time, where the browser can say so; without, the worst is that keys are uploaded twice. */
async function alone<T>(userId: string, work: () => Promise<T>): Promise<T> {
  const locks = navigator.locks as LockManager | null | undefined;
  return locks ? locks.request(`amtrio-keys-${userId}`, work) : work();
}

/** Whether this browser is the one that encrypts, as far as it knows. */
export async function requireReady(store: Store): Promise<OwnKeys> {
  const { state } = await standing(store);
  const own = await ownKeys(store);
  if (state === "elsewhere") throw new EncryptionError("elsewhere");
  if (own === undefined || state === "none") throw new EncryptionError("no_session");
  return own;
}
