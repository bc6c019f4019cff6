/**
 * How long a question still takes answers, by the clock of the server, which ends it. Ticks as seldom as what is shown
 * changes, and is not read out.
 */

import { Hourglass } from "lucide-react";
import { fullTime } from "../i18n/dates.ts";
import { language, useLanguage } from "../i18n/language.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./question.module.css";
import { useTimeLeft } from "./use-time-left.ts";
import { words } from "./words.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export function TimeLeft({ until }: { readonly until: string | null | undefined }) {
  const t = useWords(words);
  useLanguage();
  const end = until == null ? Number.NaN : Date.parse(until);
  const left = useTimeLeft(end, (ms) => ms % stepOf(ms));
  if (Number.isNaN(end) || left <= 0) return null;
  return (
    <p className={styles["note"]} title={fullTime(new Date(end))}>
      <Hourglass size={14} aria-hidden />
      {t("expires", { when: inTime(left) })}
    </p>
  );
}

/** What the words change by. */
function stepOf(ms: number): number {
  if (ms >= 2 * DAY_MS) return DAY_MS;
  if (ms >= 2 * HOUR_MS) return HOUR_MS;
  return ms >= MINUTE_MS ? MINUTE_MS : 10 * SECOND_MS;
}

/** `in 3 days`: there is at least that much time. `in 2 min`: at most, or two minutes were called one as soon as they begin. */
function inTime(ms: number): string {
  const relative = new Intl.RelativeTimeFormat(language(), { numeric: "always", style: "short" });
  if (ms >= 2 * DAY_MS) return relative.format(Math.floor(ms / DAY_MS), "day");
  if (ms >= 2 * HOUR_MS) return relative.format(Math.floor(ms / HOUR_MS), "hour");
  if (ms >= MINUTE_MS) return relative.format(Math.ceil(ms / MINUTE_MS), "minute");
  return relative.format(Math.ceil(ms / SECOND_MS / 10) * 10, "second");
}
