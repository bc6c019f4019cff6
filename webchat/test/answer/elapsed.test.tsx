import { act, render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Elapsed } from "../../src/answer/elapsed.tsx";
import { live } from "../../src/engine/live.ts";

afterEach(() => {
  live.clear();
  vi.useRealTimers();
});

test("it counts seconds by itself, and what stands around it is not drawn again", () => {
  vi.useFakeTimers();
  let drawn = 0;
  function Around() {
    drawn += 1;
    return <Elapsed runId="run-1" part={0} />;
  }
  const { container } = render(<Around />);
  expect(container.textContent).toBe("");
  act(() => vi.advanceTimersByTime(3000));
  expect(container.textContent).toBe("3 sec");
  expect(drawn).toBe(1);
});

test("it goes on counting while its row is out of sight, and each part of a run counts for itself", () => {
  vi.useFakeTimers();
  live.set({ run_id: "run-1", conversation_id: "c1", agent_id: "demo", reply_to: undefined, started_at: "", rev: 1, parts: [] });
  const first = render(<Elapsed runId="run-1" part={0} />);
  first.unmount();
  vi.advanceTimersByTime(5000);
  expect(render(<Elapsed runId="run-1" part={0} />).container.textContent).toBe("5 sec");
  expect(render(<Elapsed runId="run-1" part={1} />).container.textContent).toBe("");
});
