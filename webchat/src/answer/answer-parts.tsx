/**
 * An answer, part by part: text, thoughts, tools, plan, files; live and finished.
 *
 * A part that is the same object as before is not drawn again. Nothing in here is a live region: whoever shows the
 * finished message has it read out once.
 */

import type { Attachment, PartView } from "@amtrio/client";
import { memo } from "react";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { Markdown } from "../markdown/markdown.tsx";
import styles from "./answer.module.css";
import { Artifact } from "./artifact.tsx";
import { textOf } from "./meta.ts";
import { Plan } from "./plan.tsx";
import { Reasoning } from "./reasoning.tsx";
import { isBeingStopped } from "./stopping.ts";
import { ToolCard } from "./tool-card.tsx";
import { words } from "./words.ts";

interface AnswerPartsProps {
  readonly parts: readonly PartView[];
  /** The run goes on. */
  readonly isLive: boolean;
  /** Files of the message; those that a part names are shown at that part. */
  readonly attachments?: readonly Attachment[] | undefined;
  readonly runId: string;
}

const NONE: readonly Attachment[] = [];

export function AnswerParts({ parts, isLive, attachments = NONE, runId }: AnswerPartsProps) {
  const said = parts.filter((part) => part.kind !== "status");
  const status = isLive ? statusText(parts) : undefined;
  return (
    <div className={styles["answer"]} data-answer>
      {said.map((part, at) => (
        <Part
          key={part.part}
          runId={runId}
          part={part}
          isLive={isLive}
          isLast={isLive && at === said.length - 1}
          attachments={part.kind === "artifact" ? attachments : NONE}
        />
      ))}
      {isLive && (status !== undefined || said.length === 0) && <Status runId={runId} text={status} />}
    </div>
  );
}

/** The files that no part shows: for the list at the foot of the message. The same array if that is all of them. */
export function attachmentsBeside(parts: readonly PartView[], attachments: readonly Attachment[]): readonly Attachment[] {
  const shown = new Set(parts.filter(({ kind }) => kind === "artifact").map(({ meta }) => meta["attachment_id"]));
  return shown.size === 0 ? attachments : attachments.filter(({ attachment_id }) => !shown.has(attachment_id));
}

/** The elements of what it says, without thoughts, tools and plans: what its text in Markdown says. */
export function wordsOf(within: Element): Iterable<Element> {
  return within.querySelectorAll("[data-answer] > [dir=auto]");
}

interface PartProps {
  readonly runId: string;
  readonly part: PartView;
  readonly isLive: boolean;
  /** The next words will be its. */
  readonly isLast: boolean;
  readonly attachments: readonly Attachment[];
}

const Part = memo(function Part({ runId, part, isLive, isLast, attachments }: PartProps) {
  switch (part.kind) {
    case "text":
      return part.text === "" ? null : <Markdown text={part.text} isLive={isLive} hasCaret={isLast} />;
    case "reasoning":
      return <Reasoning runId={runId} part={part} isThinking={isLast} />;
    case "tool":
      return <ToolCard runId={runId} part={part} isLive={isLive} />;
    case "plan":
      return <Plan meta={part.meta} isLive={isLive} />;
    case "artifact":
      return <Artifact part={part} attachments={attachments} isLive={isLive} />;
    default:
      // A kind of a newer protocol: its words, if it has any.
      return part.text === "" ? null : <Markdown text={part.text} isLive={isLive} hasCaret={isLast} />;
  }
});

function statusText(parts: readonly PartView[]): string | undefined {
  const newest = parts.findLast((part) => part.kind === "status");
  return newest && textOf(newest.meta, "text");
}

/** One line about this moment; three dots as long as there is nothing at all. */
function Status({ runId, text }: { readonly runId: string; readonly text: string | undefined }) {
  const t = useWords(words);
  const isStopping = useChat((state) => isBeingStopped(state.stopping[runId]));
  return (
    <p className={styles["status"]}>
      <span className={styles["dots"]} aria-hidden>
        <span />
        <span />
        <span />
      </span>
      {(isStopping ? t("stopping") : text) ?? <span className="visually-hidden">{t("preparing")}</span>}
    </p>
  );
}
