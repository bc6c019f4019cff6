import { expect, test } from "vitest";
import { previewOf, type PreviewOf } from "../../../src/shell/sidebar/preview.ts";
import { outgoing, said } from "../seed.tsx";

const nothing: PreviewOf = {
  isOpen: false,
  isTyping: false,
  isAnswering: false,
  isAsking: false,
  draft: undefined,
  outgoing: undefined,
  last: said("**Hi**"),
  plain: undefined,
};

test("the newest message is told in one line, and whose it is", () => {
  expect(previewOf(nothing)).toEqual({ kind: "theirs", text: "Hi" });
  expect(previewOf({ ...nothing, last: said("Hi", { sender_type: "client" }) })).toEqual({ kind: "mine", text: "Hi" });
  expect(previewOf({ ...nothing, last: null })).toEqual({ kind: "empty" });
});

test("what happens right now is told before what was said", () => {
  expect(previewOf({ ...nothing, isTyping: true, draft: "a" })).toEqual({ kind: "writing" });
  expect(previewOf({ ...nothing, isTyping: true, isAnswering: true })).toEqual({ kind: "answering" });
  expect(previewOf({ ...nothing, isAnswering: true, isAsking: true })).toEqual({ kind: "asking" });
});

test("a draft is told of every chat but the open one", () => {
  expect(previewOf({ ...nothing, draft: "to do" })).toEqual({ kind: "draft", text: "to do" });
  expect(previewOf({ ...nothing, draft: "to do", isOpen: true })).toEqual({ kind: "theirs", text: "Hi" });
  expect(previewOf({ ...nothing, draft: " \n" })).toEqual({ kind: "theirs", text: "Hi" });
});

test("what was refused is told before a draft, what waits after it", () => {
  const failed = outgoing("no", { state: "failed" });
  expect(previewOf({ ...nothing, draft: "to do", outgoing: failed })).toEqual({ kind: "failed", text: "no" });
  expect(previewOf({ ...nothing, outgoing: outgoing("later") })).toEqual({ kind: "waiting", text: "later" });
});

test("ciphertext is never shown: what it says, or that it is locked", () => {
  const last = said("QUJD", { kind: "encrypted" });
  expect(previewOf({ ...nothing, last, plain: "secret" })).toEqual({ kind: "theirs", text: "secret" });
  expect(previewOf({ ...nothing, last, plain: null })).toEqual({ kind: "locked", isMine: false });
  expect(previewOf({ ...nothing, last, plain: undefined })).toEqual({ kind: "locked", isMine: false });
});

test("a message of marks alone is told as it was written: it holds no files", () => {
  for (const [content, text] of [["> ", ">"], ["****", "****"], ["> \n> ", "> >"], ["```\n```", "``` ```"]] as const) {
    expect(previewOf({ ...nothing, last: said(content) })).toEqual({ kind: "theirs", text });
  }
});

test("a message without words holds files", () => {
  expect(previewOf({ ...nothing, last: said("", { sender_type: "client" }) })).toEqual({ kind: "files", isMine: true });
});
