import { expect, test } from "vitest";
import { noticeOf, timesAfter } from "../../src/shell/connection-notice.ts";

const AT = 1_000_000;
const offline = { kind: "offline", reason: "gone", retryAt: AT + 9_200 } as const;
const down = { downAt: AT, backAt: undefined, hasLostNetwork: false };

test("nothing is said while online, nor in the first two seconds without a connection", () => {
  expect(noticeOf({ kind: "online" }, true, { ...down, downAt: undefined }, AT)).toEqual({ kind: "none" });
  expect(noticeOf({ kind: "connecting" }, true, down, AT + 1_999)).toEqual({ kind: "none" });
  expect(noticeOf(offline, true, down, AT + 1_999)).toEqual({ kind: "none" });
});

test("after two seconds it says what is the matter, with the seconds until the next try", () => {
  expect(noticeOf({ kind: "connecting" }, true, down, AT + 2_000)).toEqual({ kind: "connecting" });
  expect(noticeOf(offline, true, down, AT + 2_000)).toEqual({ kind: "offline", isDevice: false, inSeconds: 8 });
  expect(noticeOf(offline, true, down, AT + 60_000)).toEqual({ kind: "offline", isDevice: false, inSeconds: 0 });
});

test("a device that knows that it has no network says so at once", () => {
  expect(noticeOf(offline, false, down, AT)).toMatchObject({ kind: "offline", isDevice: true });
  expect(noticeOf({ kind: "connecting" }, false, down, AT)).toMatchObject({ kind: "offline", isDevice: true });
});

test("a socket that works counts more than what the device believes", () => {
  expect(noticeOf({ kind: "online" }, false, { ...down, downAt: undefined }, AT)).toEqual({ kind: "none" });
});

test("being back is said for two seconds, and only to whom the absence was told", () => {
  const told = timesAfter(down, true, true, AT + 5_000);
  expect(noticeOf({ kind: "online" }, true, told, AT + 6_999)).toEqual({ kind: "back" });
  expect(noticeOf({ kind: "online" }, true, told, AT + 7_000)).toEqual({ kind: "none" });
  const untold = timesAfter(down, true, true, AT + 1_000);
  expect(noticeOf({ kind: "online" }, true, untold, AT + 1_000)).toEqual({ kind: "none" });
});

test("an absence lasts from its beginning, however often a try fails", () => {
  expect(timesAfter(down, false, true, AT + 5_000)).toBe(down);
});

test("a network that was lost is told at once, until the connection is back, which is said however short it was", () => {
  const lost = timesAfter(down, false, false, AT + 10);
  expect(noticeOf({ kind: "connecting" }, true, lost, AT + 20)).toEqual({ kind: "connecting" });
  expect(noticeOf({ kind: "online" }, true, timesAfter(lost, true, true, AT + 30), AT + 40)).toEqual({ kind: "back" });
});
