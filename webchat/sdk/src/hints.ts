/**
 * What the surroundings say that a socket does not: the network is back, somebody looks.
 *
 * Hints only: a browser's word about the network is a reason to look at once, never the truth.
 */

/** `network`: it may be back. `no_network`: it may be gone. `seen`, `unseen`: somebody looks at the app, or not. */
export type Hint = "network" | "no_network" | "seen" | "unseen";

export interface Hints {
  /** Whether somebody looks at the app right now. */
  isSeen(): boolean;
  /** Returns how to stop listening. */
  listen(listener: (hint: Hint) => void): () => void;
}

/** Those of a browser's page; undefined where there is none (Node, workers). */
export function pageHints(): Hints | undefined {
  if (typeof document === "undefined" || typeof window === "undefined") return undefined;
  const isSeen = (): boolean => document.visibilityState === "visible";
  return {
    isSeen,
    listen(listener) {
      const stop = new AbortController();
      const { signal } = stop;
      window.addEventListener("online", () => listener("network"), { signal });
      window.addEventListener("offline", () => listener("no_network"), { signal });
      document.addEventListener("visibilitychange", () => listener(isSeen() ? "seen" : "unseen"), { signal });
      // A page that comes out of the back/forward cache has a dead socket and no other sign of it.
      window.addEventListener("pageshow", () => listener(isSeen() ? "seen" : "unseen"), { signal });
      return () => stop.abort();
    },
  };
}
