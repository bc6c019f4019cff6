/**
 * One message in a session: sealed under a key of its own, and opened again.
 *
 * Knows WebCrypto and what a message is bound to. Knows no store. Source: docs/discussion/encryption.md, "A message".
 */

import { concat, prefixed, textOf, utf8, type Bytes } from "./bytes.ts";
import { headerOf, written, type Envelope, type Opening } from "./envelope.ts";

/** Who began the session; each direction has keys of its own, so that nothing can be sent back to its sender. */
export type Role = "initiator" | "responder";

/** Where a message stands and who says it; elsewhere, or as somebody else's, it cannot be opened. */
export interface Place {
  readonly conversationId: string;
  /** As `user:ID` or `agent:ID`. */
  readonly sender: string;
}

const subtle = globalThis.crypto?.subtle;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

/** The text of the field `ciphertext`. `salt`: 32 random bytes, never used before. `hasFiles`: the text is a payload with files. */
export async function seal(
  session: { readonly root: CryptoKey; readonly sessionId: Bytes; readonly opening: Opening | undefined },
  role: Role,
  place: Place,
  salt: Bytes,
  text: string,
  hasFiles = false,
): Promise<string> {
  const header = headerOf(session.sessionId, salt, session.opening, hasFiles);
  const { key, nonce } = await messageKey(session.root, salt, role, "encrypt");
  const how = { name: "AES-GCM", iv: nonce, additionalData: bound(header, place) };
  return written(header, new Uint8Array(await subtle.encrypt(how, key, utf8(text))));
}

/** Undefined: something was changed, or it is not from here, or not from them. */
export async function open(root: CryptoKey, role: Role, place: Place, envelope: Envelope): Promise<string | undefined> {
  const { key, nonce } = await messageKey(root, envelope.salt, role, "decrypt");
  const how = { name: "AES-GCM", iv: nonce, additionalData: bound(envelope.header, place) };
  try {
    return textOf(new Uint8Array(await subtle.decrypt(how, key, envelope.sealed)));
  } catch {
    return undefined;
  }
}

/** Key and nonce of one message: the salt makes both new, so neither is ever used twice. */
async function messageKey(root: CryptoKey, salt: Bytes, role: Role, use: "encrypt" | "decrypt") {
  const info = concat(utf8("amtrio message 1"), new Uint8Array([role === "initiator" ? 0 : 1]));
  const how = { name: "HKDF", hash: "SHA-256", salt, info };
  const bits = new Uint8Array(await subtle.deriveBits(how, root, 8 * (KEY_BYTES + NONCE_BYTES)));
  const key = await subtle.importKey("raw", bits.slice(0, KEY_BYTES), "AES-GCM", false, [use]);
  return { key, nonce: bits.slice(KEY_BYTES) };
}

function bound(header: Bytes, { conversationId, sender }: Place): Bytes {
  return concat(header, prefixed(conversationId), prefixed(sender));
}
