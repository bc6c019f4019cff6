import { expect, test } from "vitest";
import { hitsOf, merged, stillFitting, textOf } from "../../src/finding/hits.ts";
import { iso, message, NOON } from "../shell/seed.tsx";

const at = (id: string, ms: number, more = {}) => message(id, { created_at: iso(NOON + ms), ...more });

test("each message is there once, newest first, as the server knows it", () => {
  const here = [{ message: at("b", 2, { content: "older text" }) }, { message: at("a", 1) }];
  const there = hitsOf({
    results: [
      { message: at("c", 3), snippet: { text: "c", matches: [] } },
      { message: at("b", 2, { content: "newer text" }), snippet: { text: "newer", matches: [[0, 5]] } },
    ],
    next: null,
    is_complete: true,
  });
  const hits = merged(here, there);
  expect(hits.map((hit) => hit.message.message_id)).toEqual(["c", "b", "a"]);
  expect(hits[1]).toMatchObject({ message: { content: "newer text" }, snippet: [{ text: "newer", isMatch: true }] });
});

test("messages of the same moment stand as in their conversation", () => {
  const hits = merged([{ message: at("a", 0, { conversation_seq: 1 }) }, { message: at("b", 0, { conversation_seq: 2 }) }], []);
  expect(hits.map((hit) => hit.message.message_id)).toEqual(["b", "a"]);
});

test("of the page before only what fits is kept, without its marks", () => {
  const hits = hitsOf({
    results: [
      { message: at("a", 0, { content: "green tea" }), snippet: { text: "green", matches: [[0, 5]] } },
      { message: at("b", 0, { content: "green hat" }), snippet: { text: "green", matches: [[0, 5]] } },
    ],
    next: null,
    is_complete: true,
  });
  expect(stillFitting(hits, ["green", "te"])).toEqual([{ message: hits[0]!.message }]);
});

test("ciphertext says nothing unless this device can read it", () => {
  const sealed = message("m", { kind: "encrypted", content: "QUJD" });
  expect(textOf(sealed, {})).toBe("");
  expect(textOf(sealed, { m: null })).toBe("");
  expect(textOf(sealed, { m: "secret" })).toBe("secret");
});
