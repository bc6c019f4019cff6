import { afterEach, expect, test } from "vitest";
import { heardTime } from "../../src/engine/server-clock.ts";
import { FOR_EVER, isMuted, unreadTotal } from "../../src/notifications/muted.ts";
import { byId, conversation, iso, NOON } from "../shell/seed.tsx";

afterEach(() => heardTime(iso(Date.now())));

test("what is muted is told by the server's clock: that of the device may be hours off", () => {
  const inAnHour = iso(Date.now() + 3_600_000);
  heardTime(iso(Date.now() + 2 * 3_600_000));
  expect(isMuted(inAnHour)).toBe(false);
  expect(unreadTotal(byId(conversation("a", { unread: 2, muted_until: inAnHour })))).toBe(2);
});

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
