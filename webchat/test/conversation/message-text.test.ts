import { expect, it } from "vitest";
import { filesIn, inOneLine, textIn } from "../../src/conversation/message-text.ts";
import { said } from "./scene.tsx";

it.each([
  ["**Two** words and _three_ more", "Two words and three more"],
  ["Call `read_file_now` with a_b_c", "Call read_file_now with a_b_c"],
  ["# Title\n\n- one\n- two", "Title one two"],
  ["See [the page](https://example.org)", "See the page"],
  ["```python\nprint(1)\n```", "print(1)"],
  ["2 * 3 * 4", "2 * 3 * 4"],
])("In one line %j reads %j", (markdown, line) => {
  expect(inOneLine(markdown, 200)).toBe(line);
});

it("A long text is cut between characters, never inside one", () => {
  expect(inOneLine("👩‍🚀".repeat(3) + "🦊".repeat(50), 10)).toMatch(/^\P{Surrogate}+…$/u);
  expect([...inOneLine("🦊".repeat(50), 10)].length).toBe(10);
});

it("What an encrypted message says comes from this device, never from its ciphertext", () => {
  const sealed = said(1, "hQEMA", { kind: "encrypted" });
  expect(textIn({ m1: "A secret" }, sealed)).toBe("A secret");
  expect(textIn({ m1: null }, sealed)).toBeNull();
  expect(textIn({}, sealed)).toBeUndefined();
});

it("The files of an encrypted message are those that it speaks of, once it is opened", () => {
  const file = { attachment_id: "a1", filename: "encrypted", content_type: "application/octet-stream", size: 1, url: "", created_at: "" };
  const sealed = { ...file, filename: "plan.txt", key: "k", mediaType: "text/plain" };
  const message = said(1, "hQEMA", { kind: "encrypted", attachments: [file] });
  expect(filesIn({}, message)).toEqual([]);
  expect(filesIn({ m1: [sealed] }, message)).toEqual([sealed]);
  expect(filesIn({ m1: [sealed] }, said(1, "clear", { attachments: [file] }))).toEqual([file]);
});
