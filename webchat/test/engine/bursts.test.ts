import { afterEach, expect, test, vi } from "vitest";
import { Bursts } from "../../src/engine/bursts.ts";

afterEach(() => vi.useRealTimers());

test("a change is told at once", () => {
  const bursts = new Bursts();
  let told = 0;
  bursts.subscribe(() => (told += 1));
  bursts.tell();
  bursts.tell();
  expect(told).toBe(2);
});

test("thousands of changes of the log are told some times a second, and the last one is told", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const bursts = new Bursts();
  let told = 0;
  let last = 0;
  let change = 0;
  bursts.subscribe(() => {
    told += 1;
    last = change;
  });
  for (change = 1; change <= 2000; change += 1) {
    bursts.fromLog(() => bursts.tell());
    // As long as it takes to draw.
    vi.advanceTimersByTime(9);
  }
  vi.runAllTimers();
  expect(told).toBeLessThan(700);
  expect(last).toBeGreaterThanOrEqual(2000);
});

test("what a person does in the middle of them is told at once", () => {
  const bursts = new Bursts();
  let told = 0;
  bursts.subscribe(() => (told += 1));
  for (let change = 0; change < 100; change += 1) bursts.fromLog(() => bursts.tell());
  expect(told).toBe(20);
  bursts.tell();
  expect(told).toBe(21);
});

test("who stopped listening is told nothing", () => {
  const bursts = new Bursts();
  let told = 0;
  bursts.subscribe(() => (told += 1))();
  bursts.tell();
  expect(told).toBe(0);
});
