/** When a person is left alone, as the server knows it; docs/protocol.md, "Own state". Pure. */

import { isMuted } from "./muted.ts";

/** As `GET /notifications/preferences` gives it. */
export interface QuietPreferences {
  readonly muted_until: string | null;
  /** `HH:MM` on the wall of `time_zone`, both or neither; over midnight if the end comes first. */
  readonly quiet_from: string | null;
  readonly quiet_to: string | null;
  readonly time_zone: string | null;
}

export const NEVER_QUIET: QuietPreferences = { muted_until: null, quiet_from: null, quiet_to: null, time_zone: null };

export function quietBecause(preferences: QuietPreferences, now: number): "muted" | "quiet hours" | undefined {
  if (isMuted(preferences.muted_until, now)) return "muted";
  const { quiet_from: from, quiet_to: to, time_zone: zone } = preferences;
  if (!from || !to) return undefined;
  const time = wallTime(now, zone);
  const isQuiet = from < to ? from <= time && time < to : from <= time || time < to;
  return isQuiet ? "quiet hours" : undefined;
}

/** `HH:MM`, which compares as text. A zone that this browser does not know counts as its own. */
function wallTime(now: number, zone: string | null): string {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  try {
    return new Intl.DateTimeFormat("en", { ...options, ...(zone !== null && { timeZone: zone }) }).format(now);
  } catch {
    return new Intl.DateTimeFormat("en", options).format(now);
  }
}
