import { expect, test } from "vitest";
import { enterMeans, isBare, markOf } from "../../src/composer/keys.ts";

const ENTER = {
  key: "Enter",
  keyCode: 13,
  shiftKey: false,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  isComposing: false,
};

test("Enter sends and Shift+Enter breaks the line", () => {
  expect(enterMeans(ENTER, false)).toBe("send");
  expect(enterMeans({ ...ENTER, shiftKey: true }, false)).toBeUndefined();
});

test("on touch Enter breaks the line", () => {
  expect(enterMeans(ENTER, true)).toBeUndefined();
});

test("Ctrl or Cmd with Enter is the other way to send, on touch with a keyboard too", () => {
  expect(enterMeans({ ...ENTER, ctrlKey: true }, false)).toBe("other");
  expect(enterMeans({ ...ENTER, metaKey: true }, true)).toBe("other");
});

test("Enter that ends a composition sends nothing, also where only its old code tells", () => {
  expect(enterMeans({ ...ENTER, isComposing: true }, false)).toBeUndefined();
  expect(enterMeans({ ...ENTER, keyCode: 229 }, false)).toBeUndefined();
});

test("a key with Alt, Ctrl, Cmd or Shift is another one, and so is one that belongs to a composition", () => {
  const up = { ...ENTER, key: "ArrowUp", keyCode: 38 };
  expect(isBare(up, "ArrowUp")).toBe(true);
  const others = [{ altKey: true }, { ctrlKey: true }, { metaKey: true }, { shiftKey: true }, { isComposing: true }, { key: "ArrowDown" }];
  expect(others.filter((other) => isBare({ ...up, ...other }, "ArrowUp"))).toEqual([]);
});

test("Ctrl with B, I and E are bold, italic and code; with other keys it is not ours", () => {
  const withCtrl = (key: string): string | undefined => markOf({ ...ENTER, key, keyCode: 0, ctrlKey: true });
  expect(["b", "I", "e", "k"].map(withCtrl)).toEqual(["**", "*", "`", undefined]);
  expect(markOf({ ...ENTER, key: "b" })).toBeUndefined();
});
