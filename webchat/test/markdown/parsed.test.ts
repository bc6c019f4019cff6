import { expect, test } from "vitest";
import { parsed } from "../../src/markdown/parsed.ts";

test("a text that was read is not read again", () => {
  expect(parsed("some *words*")).toBe(parsed("some *words*"));
});

test("what was not used for long is forgotten, what is used is kept", () => {
  const [kept, forgotten] = [parsed("kept"), parsed("forgotten")];
  const filler = "word ".repeat(20_000);
  for (let at = 0; at < 25; at += 1) {
    parsed(`${filler}${at}`);
    parsed("kept");
  }
  expect(parsed("kept")).toBe(kept);
  expect(parsed("forgotten")).not.toBe(forgotten);
});

test("a text too large to remember is shown all the same", () => {
  expect(parsed("a ".repeat(1_500_000)).groups).toHaveLength(1);
});
