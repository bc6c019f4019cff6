import { act, cleanup, render, renderHook, screen } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { Router, useLocation } from "wouter";
import { navigateBehind, useClosedByBack, watchBack } from "../../src/design/back.ts";

let length = 0;

beforeAll(() => watchBack());

beforeEach(async () => {
  history.pushState(null, "", "/");
  history.pushState(null, "", "/c/1");
  await settled();
  length = history.length;
});

afterEach(async () => {
  cleanup();
  await settled();
});

/** Traversals and what follows them have happened. */
async function settled(): Promise<void> {
  await act(() => new Promise((resolve) => setTimeout(resolve, 60)));
}

async function goBack(): Promise<void> {
  history.back();
  await settled();
}

function opened(close: () => void): { end: () => void } {
  const { unmount } = renderHook(() => useClosedByBack(close));
  return { end: unmount };
}

test("Back closes the uppermost only, and leaves the view when nothing is open any more", async () => {
  const below = opened(() => below.end());
  const close = vi.fn(() => above.end());
  const above = opened(close);
  await settled();
  expect(history.length).toBe(length + 1);

  await goBack();
  expect(close).toHaveBeenCalledOnce();
  expect(location.pathname).toBe("/c/1");
  await goBack();
  expect(location.pathname).toBe("/c/1");
  await goBack();
  expect(location.pathname).toBe("/");
});

test("what is closed in another way leaves no Back behind that does nothing", async () => {
  history.pushState(null, "", "/c/2");
  const shown = opened(() => {});
  await settled();
  shown.end();
  await settled();
  expect(history.state).toBeNull();
  await goBack();
  expect(location.pathname).toBe("/c/1");
});

test("what stays open although Back asked it to close is asked again at the next", async () => {
  const close = vi.fn();
  const shown = opened(close);
  await settled();
  await goBack();
  await goBack();
  expect(close).toHaveBeenCalledTimes(2);
  expect(location.pathname).toBe("/c/1");
  shown.end();
});

test("opened and closed and opened again at once, there is one entry", async () => {
  for (let time = 0; time < 3; time += 1) {
    opened(() => {}).end();
    const again = opened(() => {});
    await act(() => new Promise((resolve) => setTimeout(resolve, 0)));
    again.end();
    await act(() => new Promise((resolve) => setTimeout(resolve, 0)));
  }
  const close = vi.fn(() => last.end());
  const last = opened(close);
  await settled();
  expect(history.length).toBe(length + 1);
  await goBack();
  expect(close).toHaveBeenCalledOnce();
  expect(location.pathname).toBe("/c/1");
});

test("a view that is opened from what lies on top follows the view below, by one Back", async () => {
  let go: (to: string, options?: { replace?: boolean }) => void = () => {};
  function Place() {
    const [path, navigate] = useLocation();
    go = navigate;
    return <p>{path}</p>;
  }
  render(
    <Router aroundNav={navigateBehind}>
      <Place />
    </Router>,
  );
  const shown = opened(() => {});
  await settled();
  shown.end();
  act(() => go("/c/2"));
  await settled();
  expect(screen.getByText("/c/2")).toBeDefined();
  await goBack();
  expect(screen.getByText("/c/1")).toBeDefined();

  // While the entry is being taken away, too.
  const next = opened(() => {});
  await settled();
  next.end();
  await act(() => new Promise((resolve) => setTimeout(resolve, 0)));
  act(() => go("/c/3"));
  await settled();
  expect(screen.getByText("/c/3")).toBeDefined();
  await goBack();
  expect(screen.getByText("/c/1")).toBeDefined();
});

test("an address that takes the place of the view's does so below what lies on top", async () => {
  const shown = opened(() => {});
  await settled();
  navigateBehind((to, options) => history[options?.replace === true ? "replaceState" : "pushState"](null, "", to), "/c/9", { replace: true });
  await settled();
  expect(location.pathname).toBe("/c/9");
  shown.end();
  await settled();
  expect(location.pathname).toBe("/c/9");
  await goBack();
  expect(location.pathname).toBe("/");
});

test("Forward to the entry of what is not open any more stays with the view", async () => {
  const shown = opened(() => shown.end());
  await settled();
  await goBack();
  history.forward();
  await settled();
  expect(history.state).toBeNull();
  expect(location.pathname).toBe("/c/1");
});
