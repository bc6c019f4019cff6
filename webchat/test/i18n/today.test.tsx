import { act, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dayName } from "../../src/i18n/dates.ts";
import { useToday } from "../../src/i18n/today.ts";

const EVENING = new Date(2026, 10, 25, 23, 50);

beforeEach(() => void vi.useFakeTimers({ now: EVENING }));
afterEach(() => void vi.useRealTimers());

function Name() {
  return <>{dayName(EVENING, new Date(useToday()))}</>;
}

test("what was today is yesterday from midnight on, and then has a date, without a reload", () => {
  const { container } = render(<Name />);
  expect(container.textContent).toBe("Today");
  act(() => vi.advanceTimersByTime(10 * 60_000));
  expect(container.textContent).toBe("Yesterday");
  act(() => vi.advanceTimersByTime(24 * 3_600_000));
  expect(container.textContent).toBe("Wednesday, November 25");
});

test("a machine that slept over midnight knows when it is looked at", () => {
  const { container } = render(<Name />);
  vi.setSystemTime(new Date(2026, 10, 26, 8));
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
  expect(container.textContent).toBe("Yesterday");
});

test("nothing waits once nobody asks", () => {
  const { unmount } = render(<Name />);
  unmount();
  expect(vi.getTimerCount()).toBe(0);
});
