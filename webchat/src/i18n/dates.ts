/** Times as people read them, in the language that is shown and the zone of the device. */

import { language } from "./language.ts";

const formats = new Map<string, Intl.DateTimeFormat>();
const DAY_MS = 86_400_000;

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language() + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(language(), options);
  formats.set(key, known);
  return known;
}

/** `14:05` */
export function timeOfDay(at: Date): string {
  return format({ hour: "2-digit", minute: "2-digit" }).format(at);
}

/** For tooltips and screen readers: `25 November 2026 at 14:05`. */
export function fullTime(at: Date): string {
  return format({ dateStyle: "long", timeStyle: "short" }).format(at);
}

/** For separators: `Today`, `Yesterday`, `Tuesday, 24 November`; with the year if it is not this one. */
export function dayName(at: Date, now = new Date()): string {
  const days = daysBetween(at, now);
  if (days === 0 || days === 1) {
    const relative = new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(-days, "day");
    return relative.charAt(0).toLocaleUpperCase(language()) + relative.slice(1);
  }
  const year = at.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return format({ weekday: "long", day: "numeric", month: "long", ...year }).format(at);
}

/** For lists: the time if it is today, else the weekday within a week, else the date. */
export function shortWhen(at: Date, now = new Date()): string {
  const days = daysBetween(at, now);
  if (days <= 0) return timeOfDay(at);
  if (days < 7) return format({ weekday: "short" }).format(at);
  const year = at.getFullYear() === now.getFullYear() ? {} : ({ year: "2-digit" } as const);
  return format({ day: "numeric", month: "short", ...year }).format(at);
}

/** `3 min ago`; the words of `Intl`. */
export function ago(at: Date, now = new Date()): string {
  const relative = new Intl.RelativeTimeFormat(language(), { numeric: "auto", style: "short" });
  const seconds = Math.round((at.getTime() - now.getTime()) / 1000);
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]] as const) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(Math.min(seconds, 0), "second");
}

/** Calendar days in the zone of the device; 0 is the same day. */
export function daysBetween(at: Date, now: Date): number {
  const midnight = (each: Date): number => Date.UTC(each.getFullYear(), each.getMonth(), each.getDate());
  return Math.round((midnight(now) - midnight(at)) / DAY_MS);
}

/** `4.2 MB`; powers of 1000, as most systems show it. */
export function bytes(count: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(count, 1)) / 3));
  const value = count / 1000 ** power;
  const unit = units[power]!;
  return new Intl.NumberFormat(language(), {
    style: "unit",
    unit,
    // "4 byte" is no English.
    unitDisplay: power === 0 ? "long" : "short",
    maximumFractionDigits: value < 10 && power > 0 ? 1 : 0,
  }).format(value);
}
