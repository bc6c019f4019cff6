/**
 * How two who never met agree on a secret (X3DH), from keys that one of them published.
 *
 * Knows WebCrypto. Knows no store, no server and no message. Private keys come in as they were made: not to be read.
 * Source: docs/discussion/encryption.md, "A session".
 */

import { concat, prefixed, utf8, type Bytes } from "./bytes.ts";
import { SESSION_ID_BYTES, type Identity, type Opening } from "./envelope.ts";

/** One's own half of an agreement. */
export interface AgreementKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: Bytes;
}

/** Who agrees, and for which conversation; the secret is worth nothing anywhere else. */
export interface Parties {
  /** As `user:ID` or `agent:ID`. */
  readonly initiator: string;
  readonly responder: string;
  readonly conversationId: string;
}

/** What somebody published. Checked by `isSignedBy` before it is used. */
export interface Bundle extends Identity {
  readonly prekey: Bytes;
  readonly signature: Bytes;
  readonly oneTime: Bytes | undefined;
}

export interface Agreed {
  /** HKDF key from which those of single messages are made; cannot be read. */
  readonly root: CryptoKey;
  readonly sessionId: Bytes;
}

const subtle = globalThis.crypto?.subtle;
const CONTEXT = utf8("spk1");
// X3DH, 2.2: never the beginning of a key that is also used for signatures.
const DOMAIN = new Uint8Array(32).fill(0xff);
const NO_SALT = new Uint8Array(32);

export async function newAgreementKey(): Promise<AgreementKey> {
  const pair = (await subtle.generateKey({ name: "X25519" }, false, ["deriveBits"])) as CryptoKeyPair;
  return { privateKey: pair.privateKey, publicKey: await publicBytes(pair) };
}

export async function newSigningKey(): Promise<AgreementKey> {
  const pair = (await subtle.generateKey({ name: "Ed25519" }, false, ["sign"])) as CryptoKeyPair;
  return { privateKey: pair.privateKey, publicKey: await publicBytes(pair) };
}

/** That a prekey belongs to an identity (`signature_over` is `context`). */
export async function sign(signingKey: CryptoKey, identity: Bytes, prekey: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle.sign("Ed25519", signingKey, concat(CONTEXT, identity, prekey)));
}

export async function isSigned({ identity, signing, prekey, signature }: Bundle): Promise<boolean> {
  try {
    const key = await subtle.importKey("raw", signing, "Ed25519", true, ["verify"]);
    return await subtle.verify("Ed25519", key, signature, concat(CONTEXT, identity, prekey));
  } catch {
    return false; // no point of the curve
  }
}

/** The side that begins. Throws if a key is of low order. */
export async function initiate(
  own: { readonly identity: AgreementKey; readonly signing: Bytes; readonly ephemeral: AgreementKey },
  peer: Bundle,
  parties: Parties,
): Promise<Agreed & { readonly opening: Opening }> {
  const opening = {
    initiator: { identity: own.identity.publicKey, signing: own.signing },
    ephemeral: own.ephemeral.publicKey,
    prekey: peer.prekey,
    oneTime: peer.oneTime,
  };
  const secrets = [
    await exchange(own.identity, peer.prekey),
    await exchange(own.ephemeral, peer.identity),
    await exchange(own.ephemeral, peer.prekey),
  ];
  if (peer.oneTime !== undefined) secrets.push(await exchange(own.ephemeral, peer.oneTime));
  return { ...(await derived(secrets, opening, peer, parties)), opening };
}

/** The side that was written to. Throws if a key is of low order. */
export async function respond(
  own: {
    readonly identity: AgreementKey;
    readonly signing: Bytes;
    readonly prekey: AgreementKey;
    readonly oneTime: AgreementKey | undefined;
  },
  opening: Opening,
  parties: Parties,
): Promise<Agreed> {
  const secrets = [
    await exchange(own.prekey, opening.initiator.identity),
    await exchange(own.identity, opening.ephemeral),
    await exchange(own.prekey, opening.ephemeral),
  ];
  if (own.oneTime !== undefined) secrets.push(await exchange(own.oneTime, opening.ephemeral));
  return derived(secrets, opening, { identity: own.identity.publicKey, signing: own.signing }, parties);
}

/** Everything that was agreed on goes in, so that both have the same root only if they mean the same. */
async function derived(secrets: readonly Bytes[], opening: Opening, responder: Identity, parties: Parties): Promise<Agreed> {
  const { initiator, ephemeral, prekey, oneTime } = opening;
  const identities = concat(initiator.identity, initiator.signing, responder.identity, responder.signing);
  const keys = concat(ephemeral, prekey, oneTime ?? new Uint8Array());
  const who = concat(...[parties.initiator, parties.responder, parties.conversationId].map(prefixed));
  const transcript = concat(identities, keys, who);
  const digest = new Uint8Array(await subtle.digest("SHA-256", transcript));
  const material = await subtle.importKey("raw", concat(DOMAIN, ...secrets), "HKDF", false, ["deriveBits"]);
  const expand = async (label: string, length: number) =>
    new Uint8Array(
      await subtle.deriveBits(
        { name: "HKDF", hash: "SHA-256", salt: NO_SALT, info: concat(utf8(label), digest) },
        material,
        8 * length,
      ),
    );
  const root = await expand("amtrio session 1", 32);
  return {
    root: await subtle.importKey("raw", root, "HKDF", false, ["deriveBits"]),
    sessionId: await expand("amtrio session id 1", SESSION_ID_BYTES),
  };
}

async function exchange(own: AgreementKey, theirs: Bytes): Promise<Bytes> {
  const key = await subtle.importKey("raw", theirs, "X25519", true, []);
  return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: key }, own.privateKey, 256));
}

async function publicBytes(pair: CryptoKeyPair): Promise<Bytes> {
  return new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
}
