/** A file on its way to the server encrypted, with what its message will say of it. Knows WebCrypto by `encryption/`. */

import type { Rest } from "@amtrio/client";
import type { Actions } from "./actions.ts";
import { sealedFile, STORED_NAME, type SealedFile } from "./sealed-files.ts";

type Options = Parameters<Actions["upload"]>[1];

// Enough to tell a text from something else.
const HEAD_BYTES = 64 * 1024;

/** What the server has of it then, and what was sealed: a photo without its place, as the server makes those that it can read. */
export async function uploadSealed(rest: Rest, given: Blob, options: Options): Promise<{ sealed: SealedFile; content: Blob }> {
  const { conversationId, signal, onProgress } = options;
  const [{ newFileKey, sealFile }, { spelt }, { withoutMetadata }] = await Promise.all([
    import("../encryption/file-sealing.ts"),
    import("../encryption/bytes.ts"),
    import("../encryption/photo-metadata.ts"),
  ]);
  const file = await withoutMetadata(given);
  const key = newFileKey();
  const sealed = await sealFile(key, file, signal);
  const stored = await rest.upload(sealed, {
    conversationId,
    signal,
    filename: STORED_NAME,
    isEncrypted: true,
    // What travels is a little longer than what people see.
    onProgress: (sent) => onProgress(Math.min(sent, file.size), file.size),
  });
  const described = {
    attachment_id: stored.attachment_id,
    key: spelt(key),
    name: given instanceof File ? given.name : "file",
    media_type: await typeOf(file),
    size: file.size,
    ...(await pixelsOf(file)),
  };
  return { sealed: sealedFile(described, stored), content: file };
}

/** Browsers tell it from the name, and say nothing where they do not know the ending. */
async function typeOf(file: Blob): Promise<string> {
  if (file.type !== "") return file.type;
  const head = await file.slice(0, HEAD_BYTES).arrayBuffer();
  try {
    // `stream`: the beginning may end within a character.
    return new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true }).includes("\0") ? BINARY : "text/plain";
  } catch {
    return BINARY;
  }
}

const BINARY = "application/octet-stream";

async function pixelsOf(file: Blob): Promise<{ width?: number; height?: number }> {
  if (!file.type.startsWith("image/") || typeof createImageBitmap === "undefined") return {};
  try {
    const picture = await createImageBitmap(file);
    const { width, height } = picture;
    picture.close();
    return { width, height };
  } catch {
    return {}; // it is none that this browser can read
  }
}
