/** What an agent means to do, step by step, and how far it is. */

import type { Meta } from "@amtrio/client";
import { Circle, CircleCheck, CircleDot, CircleSlash, ListTodo } from "lucide-react";
import { useWords } from "../i18n/words.ts";
import styles from "./plan.module.css";
import { stepsOf } from "./meta.ts";
import { words } from "./words.ts";

const ICONS = { waiting: Circle, running: CircleDot, done: CircleCheck, cut: CircleSlash };
const WORDS = { waiting: "stepWaiting", running: "stepRunning", done: "stepDone", cut: "stepCut" } as const;

interface PlanProps {
  readonly meta: Meta;
  /** Its run goes on: what is under way is. */
  readonly isLive: boolean;
}

export function Plan({ meta, isLive }: PlanProps) {
  const t = useWords(words);
  const steps = stepsOf(meta);
  if (steps.length === 0) return null;
  const done = steps.filter(({ state }) => state === "done").length;
  return (
    <section className={styles["plan"]}>
      <p className={styles["head"]}>
        <ListTodo size={16} aria-hidden />
        <strong>{t("plan")}</strong>
        <span className={styles["count"]}>{t("progress", { done, all: steps.length })}</span>
      </p>
      <div className={styles["bar"]} aria-hidden>
        <div style={{ inlineSize: `${(100 * done) / steps.length}%` }} />
      </div>
      <ol>
        {steps.map(({ text, state: told }, at) => {
          const state = told === "running" && !isLive ? "cut" : told;
          const Icon = ICONS[state];
          return (
            <li key={at} data-state={state} aria-current={state === "running" ? "step" : undefined}>
              <Icon size={16} aria-hidden />
              <span>
                {text}
                <span className="visually-hidden">, {t(WORDS[state])}</span>
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
