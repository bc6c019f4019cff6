import { expect, test } from "vitest";
import { insertText, marked, toggleMark } from "../../src/composer/field-text.ts";

function field(value: string, start: number, end: number): HTMLTextAreaElement {
  const element = document.createElement("textarea");
  document.body.append(element);
  element.value = value;
  element.setSelectionRange(start, end);
  return element;
}

test("a mark goes around the selection, which stays selected", () => {
  const words = field("make this bold", 5, 9);
  toggleMark(words, "**");
  expect(words.value).toBe("make **this** bold");
  expect([words.selectionStart, words.selectionEnd]).toEqual([7, 11]);
});

test("the same mark again takes it off", () => {
  const words = field("make **this** bold", 7, 11);
  toggleMark(words, "**");
  expect(words.value).toBe("make this bold");
  expect([words.selectionStart, words.selectionEnd]).toEqual([5, 9]);
});

test("with nothing selected the caret stands between the marks", () => {
  expect(marked("", 0, 0, "`")).toEqual({ text: "``", from: 0, to: 0, caret: [1, 1] });
});

test("italic inside of bold is added, not taken for half of the bold", () => {
  expect(marked("**this**", 2, 6, "*").text).toBe("*this*");
});

test("what is inserted tells whoever listens to the field", () => {
  const words = field("hello world", 6, 11);
  const heard: string[] = [];
  words.addEventListener("input", () => heard.push(words.value));
  insertText(words, "you", 6, 11);
  expect(heard).toEqual(["hello you"]);
  expect(words.selectionStart).toBe(9);
});
