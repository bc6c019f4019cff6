import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startWorker } from "../../src/worker/updates.ts";

describe("a part of the page is gone from the server", () => {
  const reload = vi.fn<() => void>();

  beforeEach(() => {
    sessionStorage.clear();
    vi.useFakeTimers();
    vi.spyOn(location, "reload").mockImplementation(reload);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    reload.mockReset();
  });

  /** Whether the error goes on to whoever asked for the part. */
  const missing = (): boolean => dispatchEvent(new Event("vite:preloadError", { cancelable: true }));
  startWorker();

  test("the page loads itself anew, once", () => {
    expect(missing()).toBe(false);
    expect(missing()).toBe(true);
    expect(reload).toHaveBeenCalledTimes(1);

    vi.advanceTimersByTime(61_000);
    missing();
    expect(reload).toHaveBeenCalledTimes(2);
  });

  test("without a network it stays as it is", () => {
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);

    expect(missing()).toBe(true);
    expect(reload).not.toHaveBeenCalled();
  });
});
