import { expect, test } from "vitest";
import { pasteOf } from "../../src/composer/pasting.ts";
import { file } from "./stage.tsx";

function clipboard(texts: Record<string, string>, ...files: File[]): DataTransfer {
  const transfer = new DataTransfer();
  for (const [type, text] of Object.entries(texts)) transfer.setData(type, text);
  for (const each of files) transfer.items.add(each);
  return transfer;
}

test("a picture that was copied is a file", () => {
  const picture = file("image.png", 10, "image/png");
  expect(pasteOf(clipboard({ "text/html": "<img>" }, picture))).toEqual({ kind: "files", files: [picture] });
});

test("words that an office program copied with their picture stay words", () => {
  const picture = file("image.png", 10, "image/png");
  expect(pasteOf(clipboard({ "text/html": "<b>Hi</b>", "text/plain": "Hi" }, picture))).toBeUndefined();
});

test("short text is left to the browser, long text is not", () => {
  expect(pasteOf(clipboard({ "text/plain": "short" }))).toBeUndefined();
  const text = "long ".repeat(2000);
  expect(pasteOf(clipboard({ "text/plain": text }))).toEqual({ kind: "long", text });
});
