import { Refused, Unreachable } from "@amtrio/client";
import { expect, test } from "vitest";
import { isPassing, waitMs } from "../../src/attachments/retrying.ts";

test("the network passes, and what the server says will be better; what it refuses for good does not", () => {
  expect(isPassing(new Unreachable("nobody answered"))).toBe(true);
  expect(isPassing(new Refused("slowly", { code: "rate_limited", status: 429, retry: "after_ms" }))).toBe(true);
  expect(isPassing(new Refused("full", { code: "quota_exceeded", status: 413 }))).toBe(false);
  expect(isPassing(new Error("a bug"))).toBe(false);
});

test.each([408, 429, 502, 503, 504])("a proxy that answers %i without saying when to come again is asked again", (status) => {
  expect(isPassing(new Refused("said by the proxy", { code: "unknown", status }))).toBe(true);
});

test("each wait is twice the one before, up to a minute, and never shorter than the server asks for", () => {
  const cut = new Unreachable("nobody answered");
  expect([1, 2, 3, 9].map((failures) => waitMs(failures, cut))).toEqual([2000, 4000, 8000, 60_000]);
  expect(waitMs(1, new Refused("slowly", { code: "rate_limited", retry: "after_ms", retryAfterMs: 9000 }))).toBe(9000);
});
