import { expect, test } from "vitest";
import { NEVER_QUIET, quietBecause } from "../../src/notifications/quiet-hours.ts";

const berlin = { ...NEVER_QUIET, quiet_from: "22:00", quiet_to: "07:30", time_zone: "Europe/Berlin" };
/** In November Berlin is an hour ahead of UTC. */
const at = (hour: number, minute = 0): number => Date.UTC(2026, 10, 25, hour - 1, minute);

test("quiet hours go over midnight, on the wall of their own zone", () => {
  expect(quietBecause(berlin, at(21, 59))).toBeUndefined();
  expect(quietBecause(berlin, at(22))).toBe("quiet hours");
  expect(quietBecause(berlin, at(0, 30))).toBe("quiet hours");
  expect(quietBecause(berlin, at(7, 29))).toBe("quiet hours");
  expect(quietBecause(berlin, at(7, 30))).toBeUndefined();
});

test("quiet hours within a day", () => {
  const lunch = { ...berlin, quiet_from: "12:00", quiet_to: "13:00" };
  expect([11, 12, 13].map((hour) => quietBecause(lunch, at(hour)))).toEqual([undefined, "quiet hours", undefined]);
});

test("muted until is until, and nothing set is never quiet", () => {
  const muted = { ...NEVER_QUIET, muted_until: new Date(at(12)).toISOString() };
  expect(quietBecause(muted, at(11, 59))).toBe("muted");
  expect(quietBecause(muted, at(12))).toBeUndefined();
  expect(quietBecause(NEVER_QUIET, at(3))).toBeUndefined();
});

test("a zone that this browser does not know breaks nothing", () => {
  expect(() => quietBecause({ ...berlin, time_zone: "Mars/Olympus" }, at(3))).not.toThrow();
});
