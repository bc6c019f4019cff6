import { expect, test } from "vitest";
import { oneLine } from "../../src/shell/one-line.ts";

test.each([
  ["The **build** is _green_ `now`", "The build is green now"],
  ["# Title\n\n- one\n- two", "Title one two"],
  ["> - 1. quoted", "quoted"],
  ["see [the docs](https://example.org/a_b)", "see the docs"],
  ["```ts\nlet a = 1;\n```", "let a = 1;"],
  ["snake_case and 2 * 3 * 4 stay", "snake_case and 2 * 3 * 4 stay"],
  ["a <b>tag</b> stays a text", "a <b>tag</b> stays a text"],
])("%j is shown as %j", (markdown, line) => {
  expect(oneLine(markdown)).toBe(line);
});

test("a message of 64 kB is not read to its end", () => {
  expect(oneLine("word ".repeat(13_000)).length).toBeLessThan(500);
});
