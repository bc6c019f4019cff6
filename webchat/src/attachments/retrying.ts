/** Which failures of an upload pass by themselves, and when to try again. Pure. */

import { Refused, Unreachable } from "@amtrio/client";

// Soon enough that a hiccup is hardly noticed; once a minute costs a dead network nothing.
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 60_000;
// What a proxy says for itself, often without `Retry-After`: the line was too slow (RFC 9110, 15.5.9), it was asked too often
// (RFC 6585, 4), or the server behind it restarts (RFC 9110, 15.6).
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** The network, or a server that says itself that it will be better later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  return error instanceof Refused && (error.retry === "after_ms" || PASSING_STATUS.has(error.status));
}

/** `failures`: how often it has failed in a row, from 1 on. */
export function waitMs(failures: number, error: unknown): number {
  const backoff = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
  return Math.max(backoff, (error instanceof Refused ? error.retryAfterMs : undefined) ?? 0);
}
