/**
 * The number that two people compare to know that nobody stands between them.
 *
 * Knows public keys. It is the same on both sides, whoever computes it. Source: docs/discussion/encryption.md,
 * "Comparing".
 */

import { concat, prefixed, utf8, type Bytes } from "./bytes.ts";
import type { Identity } from "./envelope.ts";

// Each half is 30 digits, about 100 bits. So many rounds make a search for other keys with the same digits that much
// slower, and take a phone a tenth of a second.
const ROUNDS = 100_000;
const CHUNKS = 6;
const CHUNK_BYTES = 5;
const CHUNK_DIGITS = 5;
const LABEL = utf8("amtrio safety number 1");

/** Whose keys. */
export interface Known extends Identity {
  /** As `user:ID` or `agent:ID`. */
  readonly account: string;
}

/** 60 digits of two accounts, in either order. */
export async function safetyNumber(one: Known, other: Known): Promise<string> {
  const halves = await Promise.all([fingerprint(one), fingerprint(other)]);
  return halves.toSorted().join("");
}

/** 30 digits of one account: a half of all its safety numbers. */
export async function fingerprint({ identity, signing, account }: Known): Promise<string> {
  const bits = await stretched(concat(identity, signing), concat(LABEL, prefixed(account)));
  return Array.from({ length: CHUNKS }, (_, place) => digits(bits.slice(place * CHUNK_BYTES, (place + 1) * CHUNK_BYTES))).join("");
}

async function stretched(keys: Bytes, salt: Bytes): Promise<Bytes> {
  const material = await crypto.subtle.importKey("raw", keys, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-512", salt, iterations: ROUNDS };
  return new Uint8Array(await crypto.subtle.deriveBits(how, material, 8 * CHUNKS * CHUNK_BYTES));
}

/** Five bytes, as five digits. They are 40 bits, which a number holds exactly. */
function digits(bytes: Bytes): string {
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return String(number % 10 ** CHUNK_DIGITS).padStart(CHUNK_DIGITS, "0");
}
