import type { Message } from "@amtrio/client";
import { expect, test } from "vitest";
import { shouldNotify, type ArrivalContext } from "../../src/notifications/arrivals.ts";
import { FOR_EVER } from "../../src/notifications/muted.ts";
import { NEVER_QUIET } from "../../src/notifications/quiet-hours.ts";
import { conversation, iso, message, NOON, SELF } from "../shell/seed.tsx";

const context: ArrivalContext = {
  selfId: SELF.userId,
  conversation: conversation("c1"),
  watchedId: undefined,
  quiet: NEVER_QUIET,
  isSpeaker: true,
  now: NOON + 1000,
};

function reason(more: Partial<ArrivalContext>, of: Partial<Message> = {}): string {
  const decision = shouldNotify(message("m", of), { ...context, ...more });
  expect(decision.notify).toBe(decision.reason === "news");
  return decision.reason;
}

test("a new message of an agent is news, also while another chat is looked at", () => {
  expect(reason({})).toBe("news");
  expect(reason({ watchedId: "c2" })).toBe("news");
});

test.each<[string, Partial<ArrivalContext>, Partial<Message>]>([
  ["own message", {}, { sender_type: "client", sender_id: SELF.userId }],
  ["deleted", {}, { deleted: true }],
  ["unknown conversation", { conversation: undefined }, {}],
  ["already read", { conversation: conversation("c1", { readUpTo: 5 }) }, {}],
  ["conversation muted", { conversation: conversation("c1", { muted_until: FOR_EVER }) }, {}],
  ["is being looked at", { watchedId: "c1" }, {}],
  ["too old", { now: NOON + 11 * 60_000 }, {}],
  ["another tab tells", { isSpeaker: false }, {}],
  ["muted", { quiet: { ...NEVER_QUIET, muted_until: FOR_EVER } }, {}],
  ["quiet hours", { quiet: { muted_until: null, quiet_from: "11:00", quiet_to: "13:00", time_zone: "UTC" } }, {}],
])("%s: nothing is heard", (expected, more, of) => {
  expect(reason(more, of)).toBe(expected);
});

test("a conversation that was muted until a moment ago is heard again", () => {
  expect(reason({ conversation: conversation("c1", { muted_until: iso(NOON) }) })).toBe("news");
});
