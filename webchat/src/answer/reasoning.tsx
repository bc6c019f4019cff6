/** What an agent thinks: folded away, for whoever wants to see it. Never read out by itself. */

import type { PartView } from "@amtrio/client";
import { Brain, ChevronRight } from "lucide-react";
import { useId, useState } from "react";
import { useWords } from "../i18n/words.ts";
import { Markdown } from "../markdown/markdown.tsx";
import styles from "./answer.module.css";
import { duration } from "./duration.ts";
import { Elapsed } from "./elapsed.tsx";
import { numberOf, textOf } from "./meta.ts";
import { words } from "./words.ts";

interface ReasoningProps {
  readonly runId: string;
  readonly part: PartView;
  /** It thinks at this moment. */
  readonly isThinking: boolean;
}

export function Reasoning({ runId, part, isThinking }: ReasoningProps) {
  const t = useWords(words);
  const id = useId();
  const [isOpen, setIsOpen] = useState(false);
  const took = numberOf(part.meta, "duration_ms");
  const title = textOf(part.meta, "title");
  const isGoingOn = isThinking && took === undefined;
  return (
    <div className={styles["reasoning"]}>
      <button
        type="button"
        className={styles["toggle"]}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Brain size={16} aria-hidden className={isGoingOn ? styles["pulse"] : undefined} />
        <span className={styles["summary"]}>
          {isGoingOn ? t("thinking") : took === undefined ? t("thoughts") : t("thoughtFor", { time: duration(took) })}
          {title !== undefined && <span className={styles["aside"]}>{title}</span>}
        </span>
        {isGoingOn && (
          // Not read out: it would be said every second.
          <span className={styles["time"]} aria-hidden>
            <Elapsed runId={runId} part={part.part} />
          </span>
        )}
        <ChevronRight size={16} aria-hidden className={styles["chevron"]} />
      </button>
      <div id={id} hidden={!isOpen} className={styles["thoughts"]}>
        {isOpen && (part.text === "" ? <p>{t("noThoughts")}</p> : <Markdown text={part.text} isLive={isGoingOn} />)}
      </div>
    </div>
  );
}
