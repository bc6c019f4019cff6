/** How long something has been going on. Ticks by itself: nothing around it is drawn again. */

import { useEffect, useState } from "react";
import { live } from "../engine/live.ts";
import { useLanguage } from "../i18n/language.ts";
import { duration } from "./duration.ts";

const TICK_MS = 1000;

interface ElapsedProps {
  readonly runId: string;
  readonly part: number;
}

/** Counts from when that part of the run was first shown; says nothing in the first second. */
export function Elapsed({ runId, part }: ElapsedProps) {
  useLanguage();
  const [start] = useState(() => live.since(runId, part));
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  // A second late is better than "0.0 s" in the moment before the first tick.
  return now - start < TICK_MS ? null : <>{duration(Math.round((now - start) / 1000) * 1000)}</>;
}
