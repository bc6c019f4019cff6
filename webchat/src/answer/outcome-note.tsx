/** How a run ended, if not well, and what it used. */

import type { RunRecord } from "@amtrio/client";
import { CircleStop, TriangleAlert, Unplug } from "lucide-react";
import { useLanguage } from "../i18n/language.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./outcome.module.css";
import { duration } from "./duration.ts";
import { words } from "./words.ts";

export function OutcomeNote({ run }: { readonly run: RunRecord }) {
  return (
    <>
      <Outcome run={run} />
      <Usage run={run} />
    </>
  );
}

// `done` needs no words.
const SHOWN = {
  stopped: { Icon: CircleStop, word: "stopped" },
  interrupted: { Icon: Unplug, word: "interrupted" },
  failed: { Icon: TriangleAlert, word: "failedSilently" },
} as const;

function Outcome({ run }: { readonly run: RunRecord }) {
  const t = useWords(words);
  const { outcome, error } = run;
  if (!isShown(outcome)) return null;
  const { Icon, word } = SHOWN[outcome];
  return (
    <p className={styles["outcome"]} data-outcome={outcome}>
      <Icon size={16} aria-hidden />
      <span>{outcome === "failed" && error ? t("failedBecause", { error }) : t(word)}</span>
    </p>
  );
}

function isShown(outcome: string): outcome is keyof typeof SHOWN {
  return Object.hasOwn(SHOWN, outcome);
}

function Usage({ run }: { readonly run: RunRecord }) {
  const t = useWords(words);
  const number = new Intl.NumberFormat(useLanguage());
  const rows = Object.entries(run.usage ?? {}).filter(([, value]) => typeof value === "number" || typeof value === "string");
  if (rows.length === 0) return null;
  const tokens = tokensOf(Object.fromEntries(rows));
  const took = Date.parse(run.ended_at ?? "") - Date.parse(run.started_at ?? "");
  return (
    <details className={styles["usage"]}>
      <summary>{tokens === undefined ? t("usage") : t("tokens", { n: tokens })}</summary>
      <dl>
        {rows.map(([name, value]) => (
          <Row key={name} name={name.replaceAll("_", " ")} value={typeof value === "number" ? number.format(value) : String(value)} />
        ))}
        {took >= 0 && <Row name={t("took")} value={duration(took)} />}
      </dl>
    </details>
  );
}

function Row({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** By the names that most models use. */
function tokensOf(usage: Record<string, unknown>): number | undefined {
  if (typeof usage["total_tokens"] === "number") return usage["total_tokens"];
  const counts = [usage["input_tokens"], usage["output_tokens"]].filter((count) => typeof count === "number");
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}
