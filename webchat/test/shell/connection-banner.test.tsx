import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { chat } from "../../src/engine/state.ts";
import { ConnectionBanner } from "../../src/shell/connection-banner.tsx";
import { outgoing, seed, show } from "./seed.tsx";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function pass(ms: number): void {
  act(() => vi.advanceTimersByTime(ms));
}

function goOffline(retryInMs: number): void {
  act(() => chat.setState({ link: { kind: "offline", reason: "gone", retryAt: Date.now() + retryInMs } }));
}

test("an absence is told once, counts down beside it, and is over when it is over", () => {
  seed();
  show(<ConnectionBanner />);
  const status = screen.getByRole("status");
  goOffline(10_000);
  pass(1_500);
  expect(status.textContent).toBe("");
  pass(1_000);
  expect(status.textContent).toBe("The server cannot be reached. Messages are sent when it is back.");
  expect(screen.getByText("Next try in 8 seconds")).toBeTruthy();
  pass(2_000);
  expect(screen.getByText("Next try in 6 seconds")).toBeTruthy();
  expect(status.textContent).toBe("The server cannot be reached. Messages are sent when it is back.");

  act(() => chat.setState({ link: { kind: "online" } }));
  expect(status.textContent).toBe("Connected again");
  pass(2_500);
  expect(status.textContent).toBe("");
});

test("it says how much waits, and a click tries at once", () => {
  seed({ outgoing: { c1: [outgoing("a"), outgoing("b", { state: "failed" })], c2: [outgoing("c", { state: "sending" })] } });
  const { asked } = show(<ConnectionBanner />);
  goOffline(10_000);
  pass(2_500);
  expect(screen.getByText("2 messages are waiting")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Try now" }));
  expect(asked).toEqual([["reconnect"]]);
});
