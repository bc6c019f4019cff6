/** A tool that an agent used: which one, how it went, and on request what went in and came out. */

import type { PartView } from "@amtrio/client";
import { ChevronRight, CircleCheck, CircleDashed, CircleSlash, CircleX, LoaderCircle, Wrench } from "lucide-react";
import { useId, useState } from "react";
import { useWords } from "../i18n/words.ts";
import { CodeBlock } from "../markdown/code-block.tsx";
import styles from "./answer.module.css";
import { duration } from "./duration.ts";
import { Elapsed } from "./elapsed.tsx";
import { numberOf, sampleOf, textOf, toolStateOf } from "./meta.ts";
import { words } from "./words.ts";

interface ToolCardProps {
  readonly runId: string;
  readonly part: PartView;
  readonly isLive: boolean;
}

const ICONS = { waiting: CircleDashed, running: LoaderCircle, done: CircleCheck, failed: CircleX, cut: CircleSlash };

export function ToolCard({ runId, part, isLive }: ToolCardProps) {
  const t = useWords(words);
  const id = useId();
  const [isOpen, setIsOpen] = useState(false);
  const state = toolStateOf(part.meta, isLive);
  const name = textOf(part.meta, "name") ?? "";
  const title = textOf(part.meta, "title");
  const took = numberOf(part.meta, "duration_ms");
  const StateIcon = ICONS[state];
  return (
    <div className={styles["card"]} data-state={state}>
      <button
        type="button"
        className={styles["toggle"]}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Wrench size={16} aria-hidden />
        <span className={styles["summary"]}>
          <span className={styles["name"]}>{title ?? name}</span>
          {title !== undefined && name !== "" && <code className={styles["aside"]}>{name}</code>}
        </span>
        <span className={styles["state"]}>
          <StateIcon size={16} aria-hidden className={state === "running" ? styles["turning"] : undefined} />
          {t(state)}
        </span>
        {took !== undefined && <span className={styles["time"]}>{duration(took)}</span>}
        {took === undefined && state === "running" && (
          <span className={styles["time"]} aria-hidden>
            <Elapsed runId={runId} part={part.part} />
          </span>
        )}
        <ChevronRight size={16} aria-hidden className={styles["chevron"]} />
      </button>
      <div id={id} hidden={!isOpen} className={styles["details"]}>
        {isOpen && <Details part={part} isRunning={state === "running"} />}
      </div>
    </div>
  );
}

function Details({ part, isRunning }: { readonly part: PartView; readonly isRunning: boolean }) {
  const t = useWords(words);
  const taken = sampleOf(part.meta["arguments"]);
  const given = sampleOf(part.meta["result"]);
  return (
    <>
      {taken !== undefined && <CodeBlock {...taken} title={t("arguments")} isOpen={false} />}
      {part.text !== "" && <CodeBlock text={part.text} language="" title={t("output")} isOpen={isRunning} shows="end" />}
      {given !== undefined && <CodeBlock {...given} title={t("result")} isOpen={false} />}
      {taken === undefined && given === undefined && part.text === "" && <p className={styles["quiet"]}>{t("noDetails")}</p>}
    </>
  );
}
