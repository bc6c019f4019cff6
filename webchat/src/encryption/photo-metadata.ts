/**
 * A photo without what it says of its maker: place, camera, time, programs. Pixels stay as they are, bit by bit.
 *
 * What the server does for photos that it can read (`amtrio/media/metadata.py`), for those that it cannot: JPEG, PNG and WebP
 * are written anew piece by piece, HEIC and AVIF are blanked in place. How the picture has to be turned is kept. Pure.
 */

import { begins, concat, utf8, wordAt, type Bytes } from "./bytes.ts";
import { blanked } from "./heif-metadata.ts";
import { HEAD_BYTES, PNG_MAGIC, pictureType, type PictureType } from "./picture-type.ts";

type Strip = (photo: Bytes) => Bytes;

const UPRIGHT = 1;
const ORIENTATION = 0x0112;
const PNG_DROPPED = new Set(["eXIf", "tEXt", "zTXt", "iTXt", "tIME"]);
const WEBP_DROPPED = new Set(["EXIF", "XMP "]);
const [WEBP_HAS_EXIF, WEBP_HAS_XMP] = [0x08, 0x04];
const [MARK, SOI, EOI, SOS, COM] = [0xff, 0xd8, 0xd9, 0xda, 0xfe];
const [APP0, APP1, APP2, APP14, APP15] = [0xe0, 0xe1, 0xe2, 0xee, 0xef];
const EXIF_HEAD = utf8("Exif\0\0");

// As the server keeps a photo that it cannot read.
const PLAIN_FILE = "application/octet-stream";

/**
 * What it is counts, not what its name or type says; it goes on under the type that it is.
 *
 * Other files stay the same. Of a photo that is not built as it begins nothing can be taken out: it goes on as it is, as a
 * plain file, of which nobody makes a picture.
 */
export async function withoutMetadata(file: Blob): Promise<Blob> {
  const type = pictureType(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  if (type === undefined) return file;
  try {
    return new Blob([STRIPS[type](new Uint8Array(await file.arrayBuffer()))], { type });
  } catch (error) {
    if (error instanceof RangeError) return new Blob([file], { type: PLAIN_FILE });
    throw error;
  }
}

const STRIPS: Readonly<Record<PictureType, Strip>> = {
  "image/jpeg": jpeg,
  "image/png": png,
  "image/webp": webp,
  "image/heic": blanked,
  "image/avif": blanked,
};

/** A TIFF directory with the orientation and nothing else. */
function directory(orientation: number): Bytes {
  const made = new DataView(new ArrayBuffer(26));
  made.setUint32(0, 0x4d4d002a); // "MM", 42
  made.setUint32(4, 8);
  made.setUint16(8, 1);
  made.setUint16(10, ORIENTATION);
  made.setUint16(12, 3);
  made.setUint32(14, 1);
  made.setUint16(18, orientation);
  return new Uint8Array(made.buffer);
}

/** How a TIFF directory says that the picture has to be turned; upright if it says nothing that can be read. */
function orientationIn(tiff: Bytes): number {
  const view = viewOf(tiff);
  if (tiff.length < 14) return UPRIGHT;
  const isLittle = view.getUint16(0) === 0x4949;
  const first = view.getUint32(4, isLittle);
  if (first + 2 > tiff.length) return UPRIGHT;
  const entries = view.getUint16(first, isLittle);
  for (let at = first + 2; at < first + 2 + 12 * entries && at + 10 <= tiff.length; at += 12) {
    const value = view.getUint16(at + 8, isLittle);
    if (view.getUint16(at, isLittle) === ORIENTATION) return value >= 1 && value <= 8 ? value : UPRIGHT;
  }
  return UPRIGHT;
}

// ---------------------------------------------------------------------------------------------------------------- JPEG

function jpeg(photo: Bytes): Bytes {
  const view = viewOf(photo);
  const kept: Bytes[] = [];
  let orientation = UPRIGHT;
  let at = 2;
  // A picture that was cut off has no end mark, and its maker's place all the same.
  while (at + 4 <= photo.length) {
    if (photo[at] !== MARK) throw new RangeError("no marker");
    while (photo[at + 1] === MARK) at += 1; // any number of fill bytes
    const marker = photo[at + 1];
    if (marker === undefined || marker === EOI) break; // what comes behind it is a second picture with a place of its own, or a film
    if (isAlone(marker)) {
      kept.push(photo.slice(at, at + 2));
      at += 2;
      continue;
    }
    if (at + 4 > photo.length) break;
    const bodyEnd = at + 2 + view.getUint16(at + 2);
    const end = Math.min(marker === SOS ? endOfScan(photo, bodyEnd) : bodyEnd, photo.length);
    const body = photo.slice(at + 4, bodyEnd);
    if (marker === APP1 && begins(body, EXIF_HEAD)) orientation = orientationIn(body.slice(EXIF_HEAD.length));
    if (isKept(marker, body)) kept.push(photo.slice(at, end));
    at = end;
  }
  const begin = new Uint8Array([MARK, SOI]);
  return concat(begin, orientation === UPRIGHT ? new Uint8Array() : turned(orientation), ...kept, new Uint8Array([MARK, EOI]));
}

function turned(orientation: number): Bytes {
  const body = concat(EXIF_HEAD, directory(orientation));
  return concat(new Uint8Array([MARK, APP1, 0, body.length + 2]), body);
}

function isKept(marker: number, body: Bytes): boolean {
  if (marker === APP2) return begins(body, utf8("ICC_PROFILE"));
  return marker === APP0 || marker === APP14 || !((marker > APP0 && marker <= APP15) || marker === COM);
}

/** Where the next marker is; a picture that was cut off ends here. */
function endOfScan(photo: Bytes, from: number): number {
  for (let at = photo.indexOf(MARK, from); at >= 0 && at + 1 < photo.length; ) {
    const next = photo[at + 1]!;
    if (next !== MARK && next !== 0 && !isAlone(next)) return at;
    at = photo.indexOf(MARK, at + (next === MARK ? 1 : 2));
  }
  return photo.length;
}

function isAlone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker < SOI);
}

// ----------------------------------------------------------------------------------------------------------- PNG, WebP

function png(photo: Bytes): Bytes {
  const view = viewOf(photo);
  const chunks: { kind: string; bytes: Bytes }[] = [];
  let orientation = UPRIGHT;
  for (let at = PNG_MAGIC.length; at + 8 <= photo.length; ) {
    const kind = wordAt(photo, at + 4);
    const end = Math.min(at + 12 + view.getUint32(at), photo.length); // one that was cut off ends where it was cut
    if (kind === "eXIf") orientation = orientationIn(photo.slice(at + 8, end - 4));
    if (!PNG_DROPPED.has(kind)) chunks.push({ kind, bytes: photo.slice(at, end) });
    if (kind === "IEND") break;
    at = end;
  }
  if (orientation !== UPRIGHT) {
    const body = concat(utf8("eXIf"), directory(orientation));
    chunks.splice(1, 0, { kind: "eXIf", bytes: concat(number(body.length - 4), body, number(crc32(body))) });
  }
  return concat(PNG_MAGIC, ...chunks.map(({ bytes }) => bytes));
}

function webp(photo: Bytes): Bytes {
  const view = viewOf(photo);
  const stop = Math.min(photo.length, 8 + view.getUint32(4, true));
  const chunks: Bytes[] = [];
  let [orientation, extended] = [UPRIGHT, undefined as Bytes | undefined];
  for (let at = 12; at + 8 <= stop; ) {
    const kind = wordAt(photo, at);
    const length = view.getUint32(at + 4, true);
    const chunk = photo.slice(at, Math.min(at + 8 + length + (length % 2), photo.length));
    if (kind === "VP8X") extended = chunk;
    if (kind === "EXIF") {
      const body = chunk.slice(8, 8 + length);
      orientation = orientationIn(begins(body, EXIF_HEAD) ? body.slice(EXIF_HEAD.length) : body);
    }
    if (!WEBP_DROPPED.has(kind)) chunks.push(chunk);
    at += chunk.length;
  }
  if (extended !== undefined) {
    extended[8]! &= ~(WEBP_HAS_EXIF | WEBP_HAS_XMP);
    if (orientation !== UPRIGHT) {
      extended[8]! |= WEBP_HAS_EXIF;
      chunks.push(concat(utf8("EXIF"), number(26, true), directory(orientation)));
    }
  }
  const body = concat(utf8("WEBP"), ...chunks);
  return concat(utf8("RIFF"), number(body.length, true), body);
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function number(value: number, isLittle = false): Bytes {
  const made = new DataView(new ArrayBuffer(4));
  made.setUint32(0, value, isLittle);
  return new Uint8Array(made.buffer);
}

/** Of the PNG specification, annex D; for some thirty bytes no table is worth it. */
function crc32(bytes: Bytes): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
