import { expect, test } from "vitest";
import { entriesFor, type Entry } from "../../../src/shell/palette/entries.ts";

function entry(id: string, label: string, also = ""): Entry {
  return { id, kind: "chat", label, also, run: () => undefined };
}

const entries = [entry("a", "Holiday"), entry("b", "Holiness"), entry("c", "Budget", "holger money"), entry("d", "Dinner")];
const ids = (query: string, recent: string[] = []): string[] => entriesFor(query, entries, recent).map((each) => each.id);

test("without a query what was chosen lately comes first, then everything as it stands", () => {
  expect(ids("")).toEqual(["a", "b", "c", "d"]);
  expect(ids("", ["d", "b", "gone"])).toEqual(["d", "b", "a", "c"]);
});

test("with a query only what fits is there; of what fits alike the recent comes first", () => {
  expect(ids("holi")).toEqual(["a", "b"]);
  expect(ids("holi", ["b"])).toEqual(["b", "a"]);
});

test("what fits by words that are not shown comes after what is seen to fit", () => {
  expect(ids("hol")).toEqual(["a", "b", "c"]);
});
