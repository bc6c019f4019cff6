import { expect, test } from "vitest";
import { isUsername, passwordFault } from "../../src/welcome/credential-rules.ts";

test.each([
  ["bob", true],
  ["Bob_the_2nd", true],
  ["a".repeat(50), true],
  ["ab", false],
  ["a".repeat(51), false],
  ["with space", false],
  ["Jürgen", false],
  ["bob\n", false],
  ["", false],
])("%j as a name is %s", (name, expected) => {
  expect(isUsername(name)).toBe(expected);
});

test.each([
  ["12345678", null],
  ["1234567", "tooShort"],
  // Counted as the server counts: one sign is one, however many units it takes here.
  ["🐎🐎🐎🐎", "tooShort"],
  ["🐎🐎🐎🐎🐎🐎🐎🐎", null],
  ["x".repeat(1024), null],
  ["x".repeat(1025), "tooLong"],
  ["ä".repeat(513), "tooLong"],
])("the password %j has the fault %s", (password, expected) => {
  expect(passwordFault(password)).toBe(expected);
});
