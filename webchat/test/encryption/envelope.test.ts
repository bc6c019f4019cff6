/** What is no encrypted message of this format is known as such, whatever it is. */

import { expect, it } from "vitest";
import fc from "fast-check";
import { keyOf, spelt, textOf, unspelt, utf8 } from "../../src/encryption/bytes.ts";
import { headerOf, read, written, MAX_TEXT_BYTES, type Envelope } from "../../src/encryption/envelope.ts";
import { bytes, vectors } from "./vectors.ts";

const someKey = (fill: number) => new Uint8Array(32).fill(fill);
const [id, salt] = [new Uint8Array(16).fill(1), someKey(2)];
const opening = { initiator: { identity: someKey(3), signing: someKey(4) }, ephemeral: someKey(5), prekey: someKey(6) };

it.each([undefined, { ...opening, oneTime: undefined }, { ...opening, oneTime: someKey(7) }])("reads what it wrote", (begins) => {
  for (const hasFiles of [false, true]) {
    const header = headerOf(id, salt, begins, hasFiles);
    const sealed = new Uint8Array(20).fill(9);
    expect(read(written(header, sealed))).toEqual({ sessionId: id, salt, opening: begins, hasFiles, header, sealed });
  }
});

it("knows a text that is none, or was cut", () => {
  const whole = bytes(vectors.sessions[0]!.messages[0]!.ciphertext);
  const shortest = (read(spelt(whole)) as Envelope).header.length + 16;
  for (let length = 0; length < shortest; length += 1) expect(read(spelt(whole.slice(0, length)))).toBe("malformed");
  for (const text of ["", "A", "AQ", "not base64url!", "AQ==", "🙂", `${spelt(whole)}=`]) expect(read(text)).toBe("malformed");
  expect(read(spelt(new Uint8Array(300)))).toBe("malformed");
});

it("knows a kind that it does not know, and a version after its own", () => {
  for (const kind of [3, 7, 8]) expect(read(spelt(new Uint8Array(300).fill(1, 0, 1).fill(kind, 1, 2)))).toBe("malformed");
  expect(read(spelt(new Uint8Array(300).fill(2)))).toBe("newer");
});

it("never throws, whatever it is given", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 }).map(spelt)), (text) => void read(text)));
});

it("leaves room for the longest text in a frame", () => {
  const header = headerOf(id, salt, { ...opening, oneTime: someKey(7) });
  expect(written(header, new Uint8Array(MAX_TEXT_BYTES + 16)).length).toBe(64_000);
});

it("reads keys in every spelling that the server takes", () => {
  const key = new Uint8Array(32).map((_, at) => at * 7 + 200);
  const url = spelt(key);
  const plain = btoa(String.fromCharCode(...key));
  const hex = [...key].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  for (const text of [url, `${url}=`, plain, plain.replace("=", ""), hex, hex.toUpperCase()]) expect(keyOf(text)).toEqual(key);
  for (const text of [undefined, "", url.slice(1), `${url}AA`, hex.slice(2), "x".repeat(64)]) expect(keyOf(text)).toBeUndefined();
});

it("spells and unspells any bytes", () => {
  fc.assert(fc.property(fc.uint8Array(), (some) => void expect(unspelt(spelt(some))).toEqual(new Uint8Array(some))));
  expect(unspelt(spelt(new Uint8Array(100_000)))?.length).toBe(100_000);
});

it("takes bytes for a text only if they are one", () => {
  expect(textOf(utf8("Grüße 👋"))).toBe("Grüße 👋");
  expect(textOf(new Uint8Array([0xff]))).toBeUndefined();
});
