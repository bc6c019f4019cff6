import { afterEach, expect, test } from "vitest";
import { StorageRefused } from "../../src/engine/device-storage.ts";
import { choose } from "../../src/i18n/language.ts";
import { problemOf } from "../../src/i18n/problem.ts";

afterEach(() => choose("system"));

test("a browser that keeps nothing is told of in words for people, in their language", () => {
  const error = new StorageRefused(new DOMException("The operation is insecure.", "SecurityError"));
  expect(problemOf(error)).toMatch(/^This browser lets the page keep nothing/);
  choose("de");
  expect(problemOf(error)).toMatch(/^Dieser Browser lässt die Seite nichts/);
});
