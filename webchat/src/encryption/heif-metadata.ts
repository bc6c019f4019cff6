/**
 * HEIC and AVIF without what they say of place, camera and time: overwritten in place, since everything else would move.
 *
 * How such a picture has to be turned is said by its container. Source: ISO 14496-12 and ISO 23008-12. Pure.
 */

import type { Bytes } from "./bytes.ts";

interface Box {
  readonly kind: string;
  /** Where its body begins, and where it ends. */
  readonly body: number;
  readonly end: number;
}

// How far it is to the directory, then one without entries (ISO 23008-12, A.2.1).
const NO_EXIF = [0, 0, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0];
const BLANK = 0x20;

/** A copy with an empty directory where an item is EXIF, and blanks where one is XMP. Throws RangeError: it is not built like that. */
export function blanked(photo: Bytes): Bytes {
  const copy = photo.slice();
  const view = new DataView(copy.buffer);
  for (const meta of boxes(view, 0, copy.length).filter(({ kind }) => kind === "meta")) {
    const inside = new Map(boxes(view, meta.body + 4, meta.end).map((box) => [box.kind, box]));
    const [infos, places] = [inside.get("iinf"), inside.get("iloc")];
    if (infos === undefined || places === undefined) continue;
    const items = metadataItems(view, infos);
    for (const { item, start, end } of extents(view, places.body, items, inside.get("idat")?.body ?? 0)) {
      if (start < 0 || start > end || end > copy.length) throw new RangeError("an item lies outside of its file");
      const isXmp = items.get(item) === "mime";
      copy.fill(isXmp ? BLANK : 0, start, end);
      if (!isXmp) copy.set(NO_EXIF.slice(0, end - start), start);
    }
  }
  return copy;
}

function boxes(view: DataView, from: number, stop: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at + 8 <= stop; ) {
    let [size, body] = [view.getUint32(at), at + 8];
    if (size === 1) [size, body] = [Number(view.getBigUint64(at + 8)), at + 16];
    else if (size === 0) size = stop - at;
    if (size < body - at || at + size > stop) throw new RangeError("a box is longer than what it is in");
    found.push({ kind: wordAt(view, at + 4), body, end: at + size });
    at += size;
  }
  return found;
}

/** Numbers of the items that are metadata, with their types. */
function metadataItems(view: DataView, { body, end }: Box): Map<number, string> {
  const items = new Map<number, string>();
  for (const entry of boxes(view, body + (view.getUint8(body) === 0 ? 6 : 8), end)) {
    const version = view.getUint8(entry.body);
    // Older entries have no item type.
    if (entry.kind !== "infe" || version < 2) continue;
    const isWide = version > 2;
    const item = isWide ? view.getUint32(entry.body + 4) : view.getUint16(entry.body + 4);
    const type = wordAt(view, entry.body + (isWide ? 10 : 8));
    if (type === "Exif" || type === "mime") items.set(item, type);
  }
  return items;
}

/** Where each piece of these items lies (ISO 14496-12, 8.11.3). */
function extents(view: DataView, from: number, items: ReadonlyMap<number, string>, idat: number) {
  const found: { item: number; start: number; end: number }[] = [];
  const version = view.getUint8(from);
  const sizes = view.getUint16(from + 4);
  const [offsetSize, lengthSize, baseSize, indexSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15, sizes & 15];
  let at = from + 6;
  const number = (size: number): number => {
    let value = 0;
    for (let byte = 0; byte < size; byte += 1) value = value * 256 + view.getUint8(at + byte);
    at += size;
    return value;
  };
  const wide = version > 1 ? 4 : 2;
  for (let left = number(wide); left > 0; left -= 1) {
    const item = number(wide);
    const method = version > 0 ? number(2) & 15 : 0;
    number(2);
    const base = number(baseSize);
    for (let pieces = number(2); pieces > 0; pieces -= 1) {
      if (version > 0) number(indexSize);
      const [offset, length] = [number(offsetSize), number(lengthSize)];
      if (!items.has(item) || method > 1) continue;
      const start = offset + base + (method === 1 ? idat : 0);
      found.push({ item, start, end: start + (length || view.byteLength - start) });
    }
  }
  return found;
}

function wordAt(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((byte) => view.getUint8(at + byte)));
}
