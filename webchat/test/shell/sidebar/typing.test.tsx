import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { chat } from "../../../src/engine/state.ts";
import { useIsTyping } from "../../../src/shell/sidebar/typing.ts";
import { seed } from "../seed.tsx";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function View() {
  return <p>{useIsTyping("c1") ? "writes" : "is quiet"}</p>;
}

test("typing ends by itself, and is prolonged by being said again", () => {
  seed({ typing: { c1: Date.now() + 6_000 } });
  render(<View />);
  expect(screen.getByText("writes")).toBeTruthy();
  act(() => vi.advanceTimersByTime(3_000));
  act(() => chat.setState({ typing: { c1: Date.now() + 6_000 } }));
  act(() => vi.advanceTimersByTime(5_000));
  expect(screen.getByText("writes")).toBeTruthy();
  act(() => vi.advanceTimersByTime(1_001));
  expect(screen.getByText("is quiet")).toBeTruthy();
});

test("typing ends with the answer that was typed at, and may begin again after it", () => {
  seed({ typing: { c1: Date.now() + 6_000 }, runs: { c1: ["run_1"] } });
  render(<View />);
  act(() => chat.setState({ runs: { c1: [] } }));
  expect(screen.getByText("is quiet")).toBeTruthy();
  act(() => chat.setState({ typing: { c1: Date.now() + 7_000 } }));
  expect(screen.getByText("writes")).toBeTruthy();
});
