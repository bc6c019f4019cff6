import { expect, test } from "vitest";
import { pictureType } from "../../src/encryption/picture-type.ts";

/** The first box of an ISO 14496-12 file: its major brand, and those that it is compatible with. */
function ftyp(major: string, ...others: string[]): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(`ftyp${major}\0\0\0\0${others.join("")}`);
  return new Uint8Array([0, 0, 0, body.length + 4, ...body]);
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (each) => each.charCodeAt(0));

test.each([
  ["image/jpeg", bytes("\xff\xd8\xff\xe1")],
  ["image/png", bytes("\x89PNG\r\n\x1a\n")],
  ["image/webp", bytes("RIFF\x10\0\0\0WEBPVP8 ")],
  ["image/heic", ftyp("heic", "mif1", "heic")],
  ["image/heic", ftyp("heix")],
  ["image/heic", ftyp("mif1", "miaf")],
  ["image/avif", ftyp("avif")],
  ["image/avif", ftyp("mif1", "miaf", "avif")],
])("%s is known by how it begins", (type, head) => {
  expect(pictureType(head)).toBe(type);
});

test.each([
  ["nothing", bytes("")],
  ["a text", bytes("JFIF is a format")],
  ["a sound", bytes("RIFF\x10\0\0\0WAVEfmt ")],
  ["a film", ftyp("isom", "mp41")],
  ["a TIFF", bytes("II*\0\x08\0\0\0")],
  ["a brand without an end", bytes("\0\0\0\x20ftyp")],
])("%s is none of them", (_what, head) => {
  expect(pictureType(head)).toBeUndefined();
});
