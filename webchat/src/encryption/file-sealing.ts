/**
 * A file under a key of its own, sealed and opened chunk by chunk: no more than one of them has to be in memory.
 *
 * Knows WebCrypto. Knows no message and no server. Source: docs/discussion/encryption.md, "A file".
 */

import type { Bytes } from "./bytes.ts";
import { EncryptionError } from "./errors.ts";

const subtle = globalThis.crypto?.subtle;
export const FILE_KEY_BYTES = 32;
/** Of plaintext. */
export const CHUNK_BYTES = 1024 * 1024;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const NUMBER_AT = 7;

/** For one file and nothing else, since its nonces count from zero. */
export function newFileKey(): Bytes {
  return crypto.getRandomValues(new Uint8Array(FILE_KEY_BYTES));
}

export async function sealFile(key: Bytes, file: Blob, signal?: AbortSignal): Promise<Blob> {
  const cipher = await subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  return inChunks(file, CHUNK_BYTES, (chunk, iv) => subtle.encrypt({ name: "AES-GCM", iv }, cipher, chunk), signal);
}

/** Rejects with `EncryptionError` (`file_tampered`) if it is not what was sealed, from its beginning to its end. */
export async function openFile(key: Bytes, sealed: Blob, signal?: AbortSignal): Promise<Blob> {
  const cipher = await subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  const open = async (chunk: ArrayBuffer, iv: Bytes) => {
    try {
      return await subtle.decrypt({ name: "AES-GCM", iv }, cipher, chunk);
    } catch {
      throw new EncryptionError("file_tampered");
    }
  };
  return inChunks(sealed, CHUNK_BYTES + TAG_BYTES, open, signal);
}

/** The last chunk has a nonce that says so: what was cut off ends with one that was not meant to be the last. */
async function inChunks(
  whole: Blob,
  chunkBytes: number,
  step: (chunk: ArrayBuffer, nonce: Bytes) => Promise<ArrayBuffer>,
  signal: AbortSignal | undefined,
): Promise<Blob> {
  const done: Blob[] = [];
  const chunks = Math.max(1, Math.ceil(whole.size / chunkBytes));
  for (let number = 0; number < chunks; number += 1) {
    signal?.throwIfAborted();
    const chunk = await whole.slice(number * chunkBytes, (number + 1) * chunkBytes).arrayBuffer();
    // Browsers keep blobs where there is room for them, loose bytes in memory.
    done.push(new Blob([await step(chunk, nonceOf(number, number === chunks - 1))]));
  }
  return new Blob(done);
}

function nonceOf(number: number, isLast: boolean): Bytes {
  const nonce = new Uint8Array(NONCE_BYTES);
  const view = new DataView(nonce.buffer);
  view.setUint32(NUMBER_AT, number);
  view.setUint8(NONCE_BYTES - 1, isLast ? 1 : 0);
  return nonce;
}
