/**
 * Which picture a file is, told from its first bytes: a name, and the type that a browser makes of its ending, may say
 * anything.
 *
 * As the server tells it (`amtrio/media/sniffing.py`), for the pictures that metadata can be taken out of. Pure.
 */

import { begins, utf8, wordAt, type Bytes } from "./bytes.ts";

export type PictureType = "image/jpeg" | "image/png" | "image/webp" | "image/heic" | "image/avif";

/** Enough to tell. */
export const HEAD_BYTES = 512;
export const PNG_MAGIC = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const JPEG_MAGIC = new Uint8Array([0xff, 0xd8, 0xff]);
// Brands of ISO 14496-12 files.
const HEIC = new Set(["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"]);
const AVIF = new Set(["avif", "avis"]);
/** These say that it is a picture, and leave to the others which. */
const GENERAL = new Set(["mif1", "msf1"]);

/** Undefined: none of them. `head` is the beginning of a file, `HEAD_BYTES` of it if it has as many. */
export function pictureType(head: Bytes): PictureType | undefined {
  if (begins(head, PNG_MAGIC)) return "image/png";
  if (begins(head, JPEG_MAGIC)) return "image/jpeg";
  if (begins(head, utf8("RIFF"))) return wordAt(head, 8) === "WEBP" ? "image/webp" : undefined;
  return wordAt(head, 4) === "ftyp" ? ofBrands(head) : undefined;
}

function ofBrands(head: Bytes): PictureType | undefined {
  const major = wordAt(head, 8);
  if (AVIF.has(major)) return "image/avif";
  if (!HEIC.has(major)) return undefined;
  if (!GENERAL.has(major)) return "image/heic";
  const size = Math.min(new DataView(head.buffer, head.byteOffset).getUint32(0), head.length);
  for (let at = 16; at + 4 <= size; at += 4) if (AVIF.has(wordAt(head, at))) return "image/avif";
  return "image/heic";
}
