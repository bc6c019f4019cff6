import { afterEach, expect, it } from "vitest";
import { FOR_EVER, isMutedNow, untilAfter } from "../../src/conversation/muting.ts";
import { heardTime } from "../../src/engine/server-clock.ts";

const NOW = Date.parse("2026-11-25T12:00:00.000Z");

const HOUR_MS = 3_600_000;
const inHours = (hours: number): string => new Date(Date.now() + hours * HOUR_MS).toISOString();
afterEach(() => heardTime(inHours(0)));

it("An hour is one of the server's, which ends it: the clock of the device may be off", () => {
  heardTime(inHours(2));
  expect(Math.round((Date.parse(untilAfter("hour")) - Date.now()) / HOUR_MS)).toBe(3);
  expect([isMutedNow(inHours(1)), isMutedNow(inHours(3))]).toEqual([false, true]);
});

it("Spans end when they say", () => {
  expect(untilAfter("hour", NOW)).toBe("2026-11-25T13:00:00.000Z");
  expect(untilAfter("hours", NOW)).toBe("2026-11-25T20:00:00.000Z");
  expect(untilAfter("week", NOW)).toBe("2026-12-02T12:00:00.000Z");
  expect(untilAfter("ever", NOW)).toBe("9999-12-31T23:59:59.999Z");
});

it("What has ended is not muted any more", () => {
  expect(isMutedNow(FOR_EVER)).toBe(true);
  expect(isMutedNow(new Date(Date.now() - 1).toISOString())).toBe(false);
  expect(isMutedNow(null)).toBe(false);
});
