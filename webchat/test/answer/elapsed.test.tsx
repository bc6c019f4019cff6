import { act, render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Elapsed } from "../../src/answer/elapsed.tsx";

afterEach(() => {
  vi.useRealTimers();
});

test("it counts seconds by itself, and what stands around it is not drawn again", () => {
  vi.useFakeTimers();
  let drawn = 0;
  function Around() {
    drawn += 1;
    return <Elapsed />;
  }
  const { container } = render(<Around />);
  expect(container.textContent).toBe("");
  act(() => vi.advanceTimersByTime(3000));
  expect(container.textContent).toBe("3 sec");
  expect(drawn).toBe(1);
});
