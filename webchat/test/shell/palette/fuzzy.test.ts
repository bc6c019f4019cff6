import { expect, test } from "vitest";
import { fits } from "../../../src/shell/palette/fuzzy.ts";

function best(query: string, ...names: string[]): string[] {
  const scored = names.map((name) => ({ name, score: fits(query, name) }));
  return scored
    .filter(({ score }) => score !== undefined)
    .sort((a, b) => b.score! - a.score!)
    .map(({ name }) => name);
}

test("the start of a name fits best, then the start of a word, then any place, then letters apart", () => {
  expect(best("ort", "Fort", "Port Orton", "Orta", "Order of tasks")).toEqual(["Orta", "Port Orton", "Fort", "Order of tasks"]);
});

test("case and accents do not matter", () => {
  expect(best("uber", "Übersetzerin")).toEqual(["Übersetzerin"]);
  expect(best("CAFÉ", "cafe")).toEqual(["cafe"]);
});

test("every word must be there, in any order", () => {
  expect(best("dark theme", "Theme: dark", "Theme: light")).toEqual(["Theme: dark"]);
});

test("two letters somewhere, or three far apart, are no fit", () => {
  expect(best("ny", "Norway")).toEqual([]);
  expect(best("abc", "a long way before the letter that is called c")).toEqual([]);
});

test("signs of expressions are signs", () => {
  expect(best("c++ (", "Learn C++ (again)")).toEqual(["Learn C++ (again)"]);
});
