/** Files are the same bytes in every language, and opened only as what was sealed. */

import { describe, expect, it } from "vitest";
import { spelt } from "../../src/encryption/bytes.ts";
import { EncryptionError } from "../../src/encryption/errors.ts";
import { CHUNK_BYTES, newFileKey, openFile, sealFile } from "../../src/encryption/file-sealing.ts";
import { bytes, vectors } from "./vectors.ts";

const SEALED_CHUNK = CHUNK_BYTES + 16;

/** Its bytes count to 250, again and again, as those of the vectors do. */
function content(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, at) => at % 251);
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}

async function digestOf(some: Uint8Array<ArrayBuffer>): Promise<string> {
  return spelt(new Uint8Array(await crypto.subtle.digest("SHA-256", some)));
}

describe.each(vectors.files)("a file of $size bytes", (file) => {
  it("is sealed to the bytes of the vectors, and opened again", async () => {
    const plain = content(file.size);
    const sealed = await sealFile(bytes(file.key), new Blob([plain]));
    const ciphertext = await bytesOf(sealed);
    expect(ciphertext.length).toBe(file.ciphertext_size);
    expect(spelt(ciphertext.subarray(0, 48))).toBe(file.begins);
    expect(spelt(ciphertext.subarray(-48))).toBe(file.ends);
    expect(await digestOf(ciphertext)).toBe(file.ciphertext_sha256);
    expect(await digestOf(await bytesOf(await openFile(bytes(file.key), sealed)))).toBe(await digestOf(plain));
  });
});

describe("what is not what was sealed", () => {
  const key = newFileKey();
  const refusal = async (...parts: BlobPart[]): Promise<unknown> =>
    openFile(key, new Blob(parts)).then(
      () => "opened",
      (error: unknown) => (error instanceof EncryptionError ? error.code : error),
    );

  it("is refused, be it cut off, longer, in another order, changed or another file", async () => {
    const whole = await bytesOf(await sealFile(key, new Blob([content(2 * CHUNK_BYTES + 5)])));
    const [first, second, last] = [whole.slice(0, SEALED_CHUNK), whole.slice(SEALED_CHUNK, 2 * SEALED_CHUNK), whole.slice(2 * SEALED_CHUNK)];
    expect(await refusal(first, second, last)).toBe("opened");
    for (const length of [0, 10, 16, SEALED_CHUNK, 2 * SEALED_CHUNK, 2 * SEALED_CHUNK + 16, whole.length - 1]) {
      expect(await refusal(whole.slice(0, length)), `${length} bytes`).toBe("file_tampered");
    }
    expect(await refusal(second, first, last)).toBe("file_tampered");
    expect(await refusal(first, last)).toBe("file_tampered");
    expect(await refusal(whole, last)).toBe("file_tampered");
    expect(await refusal(whole, new Uint8Array(16))).toBe("file_tampered");
    const changed = whole.slice();
    changed[changed.length - 1]! ^= 1;
    expect(await refusal(changed)).toBe("file_tampered");
    expect(await refusal(await sealFile(newFileKey(), new Blob(["another"])))).toBe("file_tampered");
  });
});

it("ends when nobody waits for it any more", async () => {
  const controller = new AbortController();
  controller.abort(new Error("cancelled"));
  await expect(sealFile(newFileKey(), new Blob(["text"]), controller.signal)).rejects.toThrow("cancelled");
});
