import { expect, test } from "vitest";
import { kept, moved, WHOLE, zoomed } from "../../src/attachments/zoom.ts";

test("what lies under the pointer stays there", () => {
  const view = zoomed(zoomed(WHOLE, 2, 100, 50), 1.5, -30, 20);
  // A point p of the picture is drawn at p * scale + offset.
  const under = (x: number, offset: number, scale: number): number => (x - offset) / scale;
  const before = zoomed(WHOLE, 2, 100, 50);
  expect(under(-30, view.x, view.scale)).toBeCloseTo(under(-30, before.x, before.scale));
  expect(under(20, view.y, view.scale)).toBeCloseTo(under(20, before.y, before.scale));
});

test("it never gets smaller than whole, and is in the middle then", () => {
  expect(zoomed({ scale: 2, x: 40, y: 9 }, 0.1, 0, 0)).toEqual(WHOLE);
});

test("it never gets larger than eight times", () => {
  expect(zoomed(WHOLE, 100, 0, 0).scale).toBe(8);
});

test("it is moved to its edge and no farther, and not at all where it has room", () => {
  const stage = { width: 800, height: 600 };
  const far = moved({ scale: 2, x: 0, y: 0 }, 5000, 5000);
  expect(kept(far, { width: 600, height: 200 }, stage)).toEqual({ scale: 2, x: 200, y: 0 });
});
