import { expect, test } from "vitest";
import { withOpenEndsClosed } from "../../src/markdown/open-ends.ts";

test.each([
  ["plain", "plain"],
  ["**bo", "**bo**"],
  ["**bold*", "**bold**"],
  ["**bold ", "**bold**"],
  ["a **", "a"],
  ["a **b** c", "a **b** c"],
  ["*a **b", "*a **b***"],
  ["***a", "***a***"],
  ["`co", "`co`"],
  ["``co`", "``co``"],
  ["**`co", "**`co`**"],
  ["a `", "a"],
  ["~~go", "~~go~~"],
  ["~~gone~", "~~gone~~"],
  ["~10", "~10"],
  ["_so", "_so_"],
  ["a_b", "a_b"],
  ["2 * 3", "2 * 3"],
  ["\\*a", "\\*a"],
  ["`a` and *b", "`a` and *b*"],
  ["[label](https://exa", "label"],
  ["![pic](https://exa", "pic"],
  ["**[label](https://exa", "**label**"],
  ["[a](b) c", "[a](b) c"],
  ["first *a\n\nsecond", "first *a\n\nsecond"],
  ["- *one\n- **two", "- *one\n- **two**"],
  ["# **head", "# **head**"],
  ["> **quo", "> **quo**"],
])("%j goes on as %j", (tail, shown) => {
  expect(withOpenEndsClosed(tail)).toBe(shown);
});

test.each([
  ["Steps:\n-", "Steps:\n"],
  ["Steps:\n- ", "Steps:\n"],
  ["Steps:\n==", "Steps:\n"],
  ["- a\n  -", "- a\n  "],
  ["a\n\n``", "a\n\n"],
  ["a\n\n~", "a\n\n"],
  ["---\n", "---\n"],
])("the last line of %j is not decided yet", (tail, shown) => {
  expect(withOpenEndsClosed(tail)).toBe(shown);
});

test.each([
  ["```js\nlet a = `**", "```js\nlet a = `**"],
  ["```js\nlet a\n``", "```js\nlet a"],
  ["~~~\na\n~", "~~~\na"],
  ["- x\n  ```\n  **a", "- x\n  ```\n  **a"],
  ["```\na\n```\n\n**b", "```\na\n```\n\n**b**"],
])("code is left alone: %j", (tail, shown) => {
  expect(withOpenEndsClosed(tail)).toBe(shown);
});

test.each([
  ["| a | b |", "| a | b |\n|-|-|"],
  ["| a | b", "| a | b\n|-|-|"],
  ["x\n\n| a |\n|--", "x\n\n| a |\n|-|"],
  ["| a |\n|---|\n| **b", "| a |\n|---|\n| **b**"],
])("a table is whole: %j", (tail, shown) => {
  expect(withOpenEndsClosed(tail)).toBe(shown);
});
