import { expect, test } from "vitest";
import { enterMeans, markOf } from "../../src/composer/keys.ts";

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

test("Ctrl with B, I and E are bold, italic and code; with other keys it is not ours", () => {
  const withCtrl = (key: string): string | undefined => markOf({ ...ENTER, key, keyCode: 0, ctrlKey: true });
  expect(["b", "I", "e", "k"].map(withCtrl)).toEqual(["**", "*", "`", undefined]);
  expect(markOf({ ...ENTER, key: "b" })).toBeUndefined();
});
