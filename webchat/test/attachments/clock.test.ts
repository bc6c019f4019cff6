import { expect, test } from "vitest";
import { clock } from "../../src/attachments/clock.ts";

test("minutes and seconds, with hours once there are any", () => {
  expect([0, 65.9, 600, 3723].map(clock)).toEqual(["0:00", "1:05", "10:00", "1:02:03"]);
});
