import fc from "fast-check";
import { expect, test } from "vitest";
import { countCodePoints, indexOfCodePoint, sliceCodePoints } from "../src/code-points.js";

const text = fc.string({ unit: "binary" });

test("a text has as many code points as iterating over it gives", () => {
  fc.assert(
    fc.property(text, (each) => {
      expect(countCodePoints(each)).toBe([...each].length);
    }),
  );
  expect(countCodePoints("a👩‍👩‍👧é")).toBe(7);
  expect(countCodePoints("\ud83d")).toBe(1);
});

test("a slice by code points is the slice of the list of them", () => {
  fc.assert(
    fc.property(text, fc.nat(20), fc.nat(20), (each, a, b) => {
      const [start, end] = a < b ? [a, b] : [b, a];
      expect(sliceCodePoints(each, start, end)).toBe([...each].slice(start, end).join(""));
    }),
  );
});

test("an index beyond the end is the end", () => {
  expect(indexOfCodePoint("👍", 9)).toBe(2);
});
