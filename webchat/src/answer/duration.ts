/** How long something took, in the language that is shown: `0.4 s`, `12 s`, `3 min 5 s`. */

import { language } from "../i18n/language.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export function duration(ms: number): string {
  if (ms < 950) return unit(Math.max(ms, 0) / 1000, "second", 1);
  const seconds = Math.round(ms / 1000) * 1000;
  if (seconds < MINUTE_MS) return unit(seconds / 1000, "second");
  if (seconds < HOUR_MS) return pair(seconds, MINUTE_MS, "minute", 1000, "second");
  return pair(seconds, HOUR_MS, "hour", MINUTE_MS, "minute");
}

function pair(ms: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % big) / small);
  const first = unit(Math.floor(ms / big), bigUnit);
  return rest === 0 ? first : `${first} ${unit(rest, smallUnit)}`;
}

function unit(value: number, name: string, digits = 0): string {
  const style = { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language(), style).format(value);
}
