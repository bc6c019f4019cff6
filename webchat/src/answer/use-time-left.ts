/** How long it is until a time, by the clock of the server. */

import { useEffect, useState } from "react";
import { serverNow } from "../engine/server-clock.ts";

// A day: browsers take no longer timer than 24.8 of them.
const MAX_TIMER_MS = 86_400_000;

/** Whether a time has come; drawn anew when it does. */
export function useIsPast(until: string | null | undefined): boolean {
  const end = until == null ? Number.NaN : Date.parse(until);
  return useTimeLeft(end, (ms) => ms) <= 0;
}

/** Milliseconds until `end`, looked at again after `wait`. NaN stays NaN. */
export function useTimeLeft(end: number, wait: (leftMs: number) => number): number {
  const [, setRound] = useState(0);
  const left = end - serverNow();
  useEffect(() => {
    if (!(left > 0)) return;
    // Some milliseconds too late rather than once more for nothing.
    const timer = setTimeout(() => setRound((round) => round + 1), Math.min(wait(left) + 5, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  });
  return left;
}
