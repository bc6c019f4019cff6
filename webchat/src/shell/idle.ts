/** Work that can wait until the page stands. */

// Safari has no `requestIdleCallback`; by then the page stands there, too.
const IDLE_MS = 1500;

/** Returns how to leave it. */
export function whenIdle(run: () => void): () => void {
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(run, IDLE_MS);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(run, { timeout: 2 * IDLE_MS });
  return () => cancelIdleCallback(handle);
}
