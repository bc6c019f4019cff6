import { expect, test } from "vitest";
import { duration } from "../../src/answer/duration.ts";
import { choose } from "../../src/i18n/language.ts";

test.each([
  [-5, "0 sec"],
  [40, "0 sec"],
  [420, "0.4 sec"],
  [980, "1 sec"],
  [59_400, "59 sec"],
  [59_600, "1 min"],
  [185_000, "3 min 5 sec"],
  [7_260_000, "2 hr 1 min"],
])("%i ms are %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("it is said in the language that is shown", () => {
  choose("de");
  expect(duration(420)).toBe("0,4 Sek.");
  choose("system");
});
