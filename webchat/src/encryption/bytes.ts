/** Bytes as text and side by side. Knows nothing of what they mean. */

/** What WebCrypto takes: bytes in a buffer that nobody shares. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
// A text that is not UTF-8 was not made by us; with the mark of byte order it stays as it was written.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BASE64URL = /^[A-Za-z0-9_-]*$/;
const HEX = /^[0-9A-Fa-f]*$/;
// `String.fromCharCode` takes its characters as arguments; engines bound their number.
const AT_ONCE = 0x8000;

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Undefined: these bytes are no text. */
export function textOf(bytes: Bytes): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function begins(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return bytes.length >= beginning.length && beginning.every((byte, at) => byte === bytes[at]);
}

/** The four letters by which formats name their pieces. */
export function wordAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

/** A text behind its length (two bytes, the higher one first), so that two texts side by side mean one thing only. */
export function prefixed(text: string): Bytes {
  const bytes = utf8(text);
  return concat(new Uint8Array([bytes.length >> 8, bytes.length & 0xff]), bytes);
}

/** base64url without padding. */
export function spelt(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += AT_ONCE) binary += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Undefined: it is not base64url without padding. */
export function unspelt(text: string): Bytes | undefined {
  if (!BASE64URL.test(text) || text.length % 4 === 1) return undefined;
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
}

/** A key or signature as its owner spelt it: base64 or base64url, padded or not, or hexadecimal. */
export function keyOf(text: string | undefined, length = 32): Bytes | undefined {
  if (text === undefined) return undefined;
  if (text.length === 2 * length && HEX.test(text)) {
    return Uint8Array.from({ length }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
  }
  const bytes = unspelt(text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""));
  return bytes?.length === length ? bytes : undefined;
}

export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
