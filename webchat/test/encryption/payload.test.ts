/** Text and files as one text, and back; whatever the other side's program says, it is known for what it is. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { spelt } from "../../src/encryption/bytes.ts";
import { packed, unpacked, type DescribedFile } from "../../src/encryption/payload.ts";

const key = spelt(new Uint8Array(32).fill(7));
const photo: DescribedFile = { attachment_id: "a1", key, name: "Grüße.png", media_type: "image/png", size: 7, width: 4, height: 3 };
const note: DescribedFile = { attachment_id: "a2", key, name: "note", media_type: "text/plain", size: 0 };

it("unpacks what it packed", () => {
  fc.assert(fc.property(fc.string(), (text) => void expect(unpacked(packed({ text, files: [photo, note] }))).toEqual({ text, files: [photo, note] })));
});

it("packs what belongs there, and nothing else that stands beside it", () => {
  const more = { ...photo, url: "/attachments/a1", width: undefined } as unknown as DescribedFile;
  const { width: _, ...rest } = photo;
  expect(JSON.parse(packed({ text: "", files: [more] })).files).toEqual([rest]);
});

it("ignores what a later program adds", () => {
  const later = { text: "hi", mood: "good", files: [{ ...note, duration: 3 }] };
  expect(unpacked(JSON.stringify(later))).toMatchObject({ text: "hi", files: [note] });
});

it.each([
  "no JSON",
  "null",
  "[]",
  JSON.stringify({ text: 7, files: [] }),
  JSON.stringify({ text: "hi" }),
  ...[{ key: "short" }, { key: 7 }, { size: -1 }, { size: 1.5 }, { size: "1" }, { width: 0 }, { name: null }, { attachment_id: 1 }].map((bad) =>
    JSON.stringify({ text: "hi", files: [{ ...note, ...bad }] }),
  ),
  JSON.stringify({ text: "hi", files: [null] }),
])("knows that this is none: %s", (text) => {
  expect(unpacked(text)).toBeUndefined();
});
