/** Photos lose what the server would take out of them, byte by byte the same, and nothing else. */

import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withoutMetadata } from "../../src/encryption/photo-metadata.ts";

interface Vectors {
  readonly maker: string;
  readonly photos: readonly { name: string; content_type: string; photo: string; stripped: string }[];
}

const FILE = join(import.meta.dirname, "../../../tests/vectors/photos.json");
const { maker, photos } = JSON.parse(readFileSync(FILE, "utf8")) as Vectors;

async function stripped(bytes: Uint8Array, type: string): Promise<Buffer> {
  return Buffer.from(await (await withoutMetadata(new Blob([new Uint8Array(bytes)], { type }))).arrayBuffer());
}

describe.each(photos)("$name", ({ photo, content_type: type, stripped: expected }) => {
  const bytes = Buffer.from(photo, "base64");

  it("is what the server makes of it, and stays a photo", async () => {
    expect(bytes.includes(maker)).toBe(true);
    const blob = await withoutMetadata(new Blob([bytes], { type }));
    expect(blob.type).toBe(type);
    expect(Buffer.from(await blob.arrayBuffer()).toString("base64")).toBe(expected);
  });

  it.each(["", "image/jpg", "image/pjpeg", "image/heif", "image/png", "text/plain"])("loses the same as %j, and goes on as what it is", async (given) => {
    const blob = await withoutMetadata(new Blob([bytes], { type: given }));
    expect(blob.type).toBe(type);
    expect(Buffer.from(await blob.arrayBuffer()).toString("base64")).toBe(expected);
  });

  it("loses the same when it is stripped twice", async () => {
    const once = Buffer.from(expected, "base64");
    expect((await stripped(once, type)).equals(once)).toBe(true);
  });

  it("is left alone, or harmless, when it is broken", async () => {
    const breaking = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(breaking, { maxLength: 5 }), async (changes) => {
        const broken = Uint8Array.from(bytes);
        for (const [at, value] of changes) broken[at] = value;
        await stripped(broken, type);
      }),
      { numRuns: 30 },
    );
  });
});

it.each(photos.filter(({ content_type: type }) => type !== "image/avif"))("$name loses its maker when it was cut off, too", async ({ photo, content_type: type }) => {
  const bytes = Buffer.from(photo, "base64");
  const behind = bytes.indexOf(maker) + maker.length;
  for (const length of [behind + 200, bytes.length - 10, bytes.length - 3, bytes.length - 1].filter((each) => each < bytes.length && each > behind + 100)) {
    expect((await stripped(bytes.subarray(0, length), type)).includes(maker), `${length} bytes`).toBe(false);
  }
});

it("leaves other files as they are", async () => {
  const text = new Blob(["Exif\0\0"], { type: "text/plain" });
  expect(await withoutMetadata(text)).toBe(text);
  const none = new Blob(["no picture"], { type: "image/jpeg" });
  expect(await withoutMetadata(none)).toBe(none);
  const tiff = new Blob(["MM\0*\0\0\0\x08"], { type: "image/tiff" });
  expect(await withoutMetadata(tiff)).toBe(tiff);
});

it("leaves a photo that is not built as it begins as it is, and makes a plain file of it, of which nobody makes a picture", async () => {
  const broken = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 2, 7, 7, 7, 7);
  const blob = await withoutMetadata(new Blob([broken], { type: "image/jpeg" }));
  expect([blob.type, new Uint8Array(await blob.arrayBuffer())]).toEqual(["application/octet-stream", broken]);
});
