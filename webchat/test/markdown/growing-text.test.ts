import { expect, test } from "vitest";
import type { Parsed } from "../../src/markdown/blocks.ts";
import { GrowingText } from "../../src/markdown/growing-text.ts";
import { longAnswer, stages } from "./documents.ts";

function raws({ groups }: Parsed): string[] {
  return groups.flat().map(({ token }) => token.raw);
}

test("blocks that are finished stay the same objects", () => {
  const growing = new GrowingText();
  const before = growing.read(longAnswer(20_000));
  const after = growing.read(`${longAnswer(20_000)} and more`);
  expect(before.groups.length).toBeGreaterThan(2);
  expect(after.groups.slice(0, -1)).toEqual(before.groups.slice(0, -1));
  for (const [at, group] of before.groups.slice(0, -1).entries()) expect(after.groups[at]).toBe(group);
});

test("a paragraph with an empty line after it is not read again", () => {
  const growing = new GrowingText();
  const before = growing.read("It **begins** here,\nand ends.\n\nThen");
  const after = growing.read("It **begins** here,\nand ends.\n\nThen it goes on");
  expect(raws(after)).toEqual(["It **begins** here,\nand ends.", "Then it goes on"]);
  expect(after.groups[0]![0]!.token).toBe(before.groups[0]![0]!.token);
});

test("the same text gives the same object", () => {
  const growing = new GrowingText();
  expect(growing.read("a\n\nb")).toBe(growing.read("a\n\nb"));
});

test("a text that is another one, not a longer one, is read from its beginning", () => {
  const growing = new GrowingText();
  growing.read(longAnswer(5000));
  expect(raws(growing.read("# new\n\ntext"))).toEqual(["# new", "text"]);
});

test("finished items of a list are not read again, and it is one list", () => {
  const text = Array.from({ length: 300 }, (_, at) => `- item **${at}**\n`).join("");
  const growing = new GrowingText();
  growing.read(text);
  const before = growing.read(`${text}- ne`).groups[0]![0]!.token;
  const after = growing.read(`${text}- next`).groups[0]![0]!.token;
  if (before.type !== "list" || after.type !== "list") throw new Error("no list");
  expect(after.items).toHaveLength(301);
  for (let at = 0; at < 290; at += 1) expect(after.items[at]).toBe(before.items[at]);
});

test("lists with other marks are lists of their own", () => {
  const growing = new GrowingText();
  const text = "- a\n- b\n- c\n- d\n* e\n* f\n* g\n1. h\n2. i\n3. j\n1) k";
  let parsed = growing.read("");
  for (const stage of stages(text, [1])) parsed = growing.read(stage);
  expect(raws(parsed).map((raw) => raw.trim())).toEqual(["- a\n- b\n- c\n- d", "* e\n* f\n* g", "1. h\n2. i\n3. j", "1) k"]);
});

test("line ends of Windows are line ends, also when they are cut in two", () => {
  const growing = new GrowingText();
  let parsed = growing.read("");
  for (const stage of stages("# a\r\n\r\nb\r\n\r\nc", [1])) parsed = growing.read(stage);
  expect(raws(parsed).map((raw) => raw.trim())).toEqual(["# a", "b", "c"]);
});

test("a definition serves what comes after it", () => {
  const growing = new GrowingText();
  const text = "[here]: https://example.org\n\nfirst\n\nsecond\n\nsee [here] now";
  let parsed = growing.read("");
  for (const stage of stages(text, [3])) parsed = growing.read(stage);
  const last = parsed.groups.flat().at(-1)!.token;
  expect(last.type === "paragraph" && last.tokens.map(({ type }) => type)).toEqual(["text", "link", "text"]);
});
