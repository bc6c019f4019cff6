import { expect, test } from "vitest";
import { FOR_EVER, isMuted, unreadTotal } from "../../src/notifications/muted.ts";
import { byId, conversation, iso, NOON } from "../shell/seed.tsx";

test("muted lasts until its moment, and for ever is long", () => {
  expect(isMuted(iso(NOON), NOON - 1)).toBe(true);
  expect(isMuted(iso(NOON), NOON)).toBe(false);
  expect(isMuted(FOR_EVER, NOON)).toBe(true);
  expect([isMuted(null, NOON), isMuted(undefined, NOON)]).toEqual([false, false]);
});

test("what is unread counts unless it is muted", () => {
  const all = byId(
    conversation("a", { unread: 2 }),
    conversation("b", { unread: 5, muted_until: FOR_EVER }),
    conversation("c", { unread: 1, muted_until: iso(NOON - 1) }),
    conversation("d"),
  );
  expect(unreadTotal(all, NOON)).toBe(3);
});
