/** What encryption refuses, in words for people; and why a message cannot be read. */

import { sayNow } from "../i18n/words.ts";
import { words } from "./words.ts";

/**
 * `changed`: the agent's keys are not those that were seen before. `elsewhere`: another browser of this account is the
 * one that encrypts. `no_session`: none was begun, or it was with other keys. `no_keys`: the agent published none.
 * `bad_keys`: they are not signed by their owner. `files`: those are not encrypted. `removed`: this browser's keys were
 * deleted. `file_tampered`: a file is not the one that was sent.
 */
export type Refusal =
  | "changed"
  | "elsewhere"
  | "no_session"
  | "no_keys"
  | "bad_keys"
  | "too_long"
  | "files"
  | "unsupported"
  | "removed"
  | "file_tampered";

/**
 * `malformed`: no message of this format. `newer`: of a later version. `elsewhere`: for another device.
 * `unknown_session`: for this one, which does not have that session (any more). `lost_key`: its prekey is gone.
 * `changed`: begun with an identity that was not accepted yet. `tampered`: changed, or moved from somewhere else.
 * `replayed`: another message said the very same before.
 */
export type Unreadable =
  | "malformed"
  | "newer"
  | "elsewhere"
  | "unknown_session"
  | "lost_key"
  | "changed"
  | "tampered"
  | "replayed";

export class EncryptionError extends Error {
  override name = "EncryptionError";
  readonly code: Refusal;

  constructor(code: Refusal) {
    super(sayNow(words, `refused_${code}`));
    this.code = code;
  }
}
