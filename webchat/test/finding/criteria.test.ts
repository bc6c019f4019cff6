import type { Attachment } from "@amtrio/client";
import { expect, test } from "vitest";
import { isFiltered, passes, queryOf, readCriteria, withoutFilters, writeCriteria, type Criteria } from "../../src/finding/criteria.ts";
import { byId, conversation, iso, message } from "../shell/seed.tsx";

const nothing: Criteria = { q: "", conversationId: "", agentId: "", tag: "", from: "", to: "", has: "" };
const all: Criteria = {
  q: 'a & "b c"',
  conversationId: "c1",
  agentId: "coder",
  tag: "work",
  from: "2026-11-01",
  to: "2026-11-25",
  has: "file",
};
const file = { attachment_id: "f1" } as Attachment;
const day = (date: number, hours = 0): number => new Date(2026, 10, date, hours).getTime();

test("what has no filters has none afterwards", () => {
  expect(withoutFilters(all)).toEqual({ ...nothing, q: all.q });
  expect(isFiltered(all)).toBe(true);
  expect(isFiltered(withoutFilters(all))).toBe(false);
});

test("what is looked for survives being an address", () => {
  expect(readCriteria(new URLSearchParams(writeCriteria(all)))).toEqual(all);
  expect(writeCriteria(nothing)).toBe("");
});

test("a day that is none does not matter", () => {
  expect(readCriteria(new URLSearchParams("from=yesterday&to=2026-1-1"))).toEqual(nothing);
});

test("the server is asked for whole days of this device's zone, with straight quotes", () => {
  expect(queryOf({ ...all, q: "“b c” d" }, "msg_9")).toEqual({
    q: '"b c" d',
    conversation_id: "c1",
    agent_id: "coder",
    after: iso(day(1) - 1),
    before: iso(day(26)),
    cursor: "msg_9",
  });
  expect(queryOf({ ...nothing, q: "x" })).toEqual({ q: "x" });
});

test("the same is true of what is found on this device", () => {
  const conversations = byId(conversation("c1", { agent_id: "coder", tags: ["work"] }));
  const at = (ms: number, more = {}, changes: Partial<Criteria> = {}): boolean =>
    passes(message("m", { created_at: iso(ms), attachments: [file], ...more }), { ...all, ...changes }, conversations);
  expect([at(day(1) - 1), at(day(1)), at(day(25, 23)), at(day(26))]).toEqual([false, true, true, false]);
  expect(at(day(2), { conversation_id: "c2" })).toBe(false);
  expect(at(day(2), { agent_id: "cook" })).toBe(false);
  expect(at(day(2), { attachments: [] })).toBe(false);
  expect(at(day(2), {}, { tag: "home" })).toBe(false);
});
