import { expect, test } from "vitest";
import { isLongPaste, MAX_BYTES, MAX_ENCRYPTED_BYTES, roomIn } from "../../src/composer/limits.ts";

// Two bytes are the quotes of JSON.
const FITS = MAX_BYTES - 2;

test("what fits to the byte may be sent, one byte more may not", () => {
  expect(roomIn("a".repeat(FITS), false)).toEqual({ state: "near", left: 0, limit: MAX_BYTES });
  expect(roomIn("a".repeat(FITS + 1), false)).toMatchObject({ state: "over", left: -1 });
});

test("letters count as the bytes that they travel in", () => {
  expect(roomIn("ä".repeat(FITS / 2 + 1), false).state).toBe("over");
  expect(roomIn("\n".repeat(FITS / 2 + 1), false).state).toBe("over");
});

test("the rest is told from nine tenths on", () => {
  expect(roomIn("a".repeat(Math.floor(MAX_BYTES * 0.89)), false).state).toBe("enough");
  expect(roomIn("a".repeat(Math.ceil(MAX_BYTES * 0.91)), false).state).toBe("near");
});

test("sealed messages hold less", () => {
  expect(roomIn("a".repeat(MAX_ENCRYPTED_BYTES), true).state).toBe("over");
  expect(roomIn("a".repeat(MAX_ENCRYPTED_BYTES), false).state).toBe("enough");
});

test("what is said of files takes room in a sealed message, and none in another", () => {
  const names = ["a".repeat(100), "ä".repeat(100)];
  const { limit } = roomIn("", true, names);
  expect(MAX_ENCRYPTED_BYTES - limit).toBeGreaterThan(300 + 2 * 200);
  expect(roomIn("a".repeat(limit), true, names).state).toBe("over");
  expect(roomIn("a".repeat(limit), true).state).not.toBe("over");
  expect(roomIn("", false, names).limit).toBe(MAX_BYTES);
});

test("a paste is long from 8,001 characters or 101 lines on", () => {
  expect(isLongPaste("a".repeat(8000))).toBe(false);
  expect(isLongPaste("a".repeat(8001))).toBe(true);
  expect(isLongPaste("a\n".repeat(99) + "a")).toBe(false);
  expect(isLongPaste("a\n".repeat(100) + "a")).toBe(true);
});
