/**
 * The bytes of an encrypted message: which session, which key, and, while the other side may not know the session yet,
 * all that it needs to begin it.
 *
 * Knows where which byte stands. Knows no secret. Source: docs/discussion/encryption.md, "The format".
 */

import { concat, spelt, unspelt, type Bytes } from "./bytes.ts";

/** What the field `message_type` says of such a message. */
export const FORMAT = "amtrio-1";
export const SALT_BYTES = 32;
export const SESSION_ID_BYTES = 16;
const VERSION = 1;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const GOING_ON = 0;
const OPENING = 1;
const OPENING_WITH_ONE_TIME_KEY = 2;
// Added to that byte: what is sealed is no bare text, but one with files.
const WITH_FILES = 4;
const FIXED_BYTES = 2 + SESSION_ID_BYTES + SALT_BYTES;
// A frame has 65,536 bytes. 64,000 of them are left for the ciphertext, in base64, beside ids and names; the longest header
// and the tag go with it.
export const MAX_TEXT_BYTES = 48_000 - (FIXED_BYTES + 5 * KEY_BYTES) - TAG_BYTES;

/** The public halves that make somebody known. */
export interface Identity {
  /** X25519. */
  readonly identity: Bytes;
  /** Ed25519. */
  readonly signing: Bytes;
}

/** What the one who is written to needs to begin the session. */
export interface Opening {
  readonly initiator: Identity;
  readonly ephemeral: Bytes;
  /** The signed prekey of the one who is written to, and a one-time key if there was one. */
  readonly prekey: Bytes;
  readonly oneTime: Bytes | undefined;
}

export interface Envelope {
  readonly sessionId: Bytes;
  readonly salt: Bytes;
  readonly opening: Opening | undefined;
  /** What is sealed is a payload of text and files, not a bare text. */
  readonly hasFiles: boolean;
  /** All that stands before the ciphertext; it is authenticated with it. */
  readonly header: Bytes;
  readonly sealed: Bytes;
}

export function headerOf(sessionId: Bytes, salt: Bytes, opening?: Opening, hasFiles = false): Bytes {
  const kind = opening === undefined ? GOING_ON : opening.oneTime === undefined ? OPENING : OPENING_WITH_ONE_TIME_KEY;
  const fixed = concat(new Uint8Array([VERSION, kind | (hasFiles ? WITH_FILES : 0)]), sessionId, salt);
  if (opening === undefined) return fixed;
  const { initiator, ephemeral, prekey, oneTime } = opening;
  return concat(fixed, initiator.identity, initiator.signing, ephemeral, prekey, oneTime ?? new Uint8Array());
}

export function written(header: Bytes, sealed: Bytes): string {
  return spelt(concat(header, sealed));
}

/** `newer`: of a version that this program does not know. `malformed`: it is no such message. */
export function read(text: string): Envelope | "malformed" | "newer" {
  const bytes = unspelt(text);
  if (bytes === undefined || bytes.length < 1) return "malformed";
  if (bytes[0]! > VERSION) return "newer";
  const kind = bytes[1]! & ~WITH_FILES;
  const keys = [0, 4, 5][kind];
  if (bytes[0] !== VERSION || keys === undefined) return "malformed";
  const length = FIXED_BYTES + keys * KEY_BYTES;
  if (bytes.length < length + TAG_BYTES) return "malformed";
  return {
    sessionId: bytes.slice(2, 2 + SESSION_ID_BYTES),
    salt: bytes.slice(2 + SESSION_ID_BYTES, FIXED_BYTES),
    opening: kind === GOING_ON ? undefined : openingOf(bytes.slice(FIXED_BYTES, length)),
    hasFiles: (bytes[1]! & WITH_FILES) !== 0,
    header: bytes.slice(0, length),
    sealed: bytes.slice(length),
  };
}

function openingOf(bytes: Bytes): Opening {
  const key = (place: number) => bytes.slice(place * KEY_BYTES, (place + 1) * KEY_BYTES);
  return {
    initiator: { identity: key(0), signing: key(1) },
    ephemeral: key(2),
    prekey: key(3),
    oneTime: bytes.length > 4 * KEY_BYTES ? key(4) : undefined,
  };
}
