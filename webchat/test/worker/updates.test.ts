import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startWorker } from "../../src/worker/updates.ts";

describe("a part of the page is gone from the server", () => {
  const reload = vi.fn<() => void>();
  let server: () => Promise<Response>;

  beforeEach(() => {
    sessionStorage.clear();
    reload.mockReset();
    server = async () => new Response(null);
    vi.useFakeTimers();
    vi.stubGlobal("fetch", () => server());
    vi.spyOn(location, "reload").mockImplementation(reload);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  async function missing(): Promise<void> {
    dispatchEvent(new Event("vite:preloadError", { cancelable: true }));
    await vi.advanceTimersByTimeAsync(0);
  }
  startWorker();

  test("the page loads itself anew, once a minute at most", async () => {
    await missing();
    await missing();
    expect(reload).toHaveBeenCalledTimes(1);

    await vi.advanceTimersByTimeAsync(61_000);
    await missing();
    expect(reload).toHaveBeenCalledTimes(2);
  });

  test.each([
    ["is away", () => Promise.reject(new TypeError("fetch failed"))],
    ["is not well", async () => new Response(null, { status: 502 })],
  ])("while the server %s it stays as it is, and mends itself later", async (_, answer) => {
    const well = server;
    server = answer;
    await missing();
    expect(reload).not.toHaveBeenCalled();

    server = well;
    await missing();
    expect(reload).toHaveBeenCalledTimes(1);
  });
});
