import { expect, test } from "vitest";
import { insertText, marked, toggleMark, type Changeable } from "../../src/composer/field-text.ts";

function field(value: string, start: number, end: number): Changeable & { readonly heard: string[] } {
  const element = document.createElement("textarea");
  document.body.append(element);
  element.value = value;
  element.setSelectionRange(start, end);
  const heard: string[] = [];
  return { field: element, heard, changed: ({ value: now }) => void heard.push(now) };
}

test("a mark goes around the selection, which stays selected", () => {
  const words = field("make this bold", 5, 9);
  toggleMark(words, "**");
  expect(words.field.value).toBe("make **this** bold");
  expect([words.field.selectionStart, words.field.selectionEnd]).toEqual([7, 11]);
});

test("the same mark again takes it off", () => {
  const words = field("make **this** bold", 7, 11);
  toggleMark(words, "**");
  expect(words.field.value).toBe("make this bold");
  expect([words.field.selectionStart, words.field.selectionEnd]).toEqual([5, 9]);
});

test("with nothing selected the caret stands between the marks", () => {
  expect(marked("", 0, 0, "`")).toEqual({ text: "``", from: 0, to: 0, caret: [1, 1] });
});

test("italic inside of bold is added, not taken for half of the bold", () => {
  expect(marked("**this**", 2, 6, "*").text).toBe("*this*");
});

test("what is inserted tells whoever wants to know", () => {
  const words = field("hello world", 6, 11);
  insertText(words, "you", 6, 11);
  expect(words.heard).toEqual(["hello you"]);
  expect(words.field.selectionStart).toBe(9);
});

test("where the browser can insert as keys do, it does: undo knows of it", () => {
  const words = field("hello world", 6, 11);
  const done: unknown[] = [];
  document.execCommand = (...command) => done.push(command) > 0;
  insertText(words, "you", 6, 11);
  Reflect.deleteProperty(document, "execCommand");
  expect(done).toEqual([["insertText", false, "you"]]);
  expect(words.heard).toEqual([]);
});
