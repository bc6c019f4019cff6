/**
 * An answer, while it is being written and afterwards.
 *
 * One view for both, so that what somebody has unfolded stays so when the last word is said.
 */

import { partsOf, type Message } from "@amtrio/client";
import { useMemo } from "react";
import { AnswerParts, attachmentsBeside } from "../answer/answer-parts.tsx";
import { OutcomeNote } from "../answer/outcome-note.tsx";
import { QuestionCard } from "../answer/question-card.tsx";
import { AttachmentList } from "../attachments/attachment-list.tsx";
import { useRun } from "../engine/live.ts";
import { CopyAnswer } from "./copy-answer.tsx";
import styles from "./message.module.css";
import { MessageMeta } from "./message-meta.tsx";
import { MoreButton } from "./more-button.tsx";
import { QuoteButton } from "./quote.tsx";
import { Reactions } from "./reactions.tsx";
import { Bubble, type RowProps } from "./row-frame.tsx";
import type { LiveRow, MessageRow } from "./rows.ts";

const NOTHING: readonly never[] = [];

export function RunItem({ row, author, isActive }: RowProps<LiveRow | MessageRow>) {
  const message = row.kind === "message" ? row.message : undefined;
  const runId = row.kind === "message" ? row.message.run!.run_id : row.runId;
  const quote = row.kind === "message" ? row.quote : undefined;
  return (
    <Bubble
      row={row}
      author={author}
      // The room of the button is kept from the first word on, or every line would break anew with the last one.
      beside={message === undefined ? <span className={styles["noMore"]} /> : <MoreButton message={message} isActive={isActive} />}
      below={message?.reactions !== undefined && <Reactions message={message} agentName={author.agentName} />}
    >
      {quote !== undefined && <QuoteButton quote={quote} agentName={author.agentName} />}
      <Answer runId={runId} message={message} />
      {message !== undefined && (
        <MessageMeta message={message} isOwn={false}>
          <CopyAnswer message={message} isActive={isActive} />
        </MessageMeta>
      )}
    </Bubble>
  );
}

interface AnswerProps {
  readonly runId: string;
  readonly message: Message | undefined;
}

/** The only thing that is drawn again when words arrive. */
function Answer({ runId, message }: AnswerProps) {
  const run = useRun(runId);
  const finished = useMemo(() => (message === undefined ? undefined : partsOf(message)), [message]);
  const parts = finished ?? run?.parts ?? NOTHING;
  const attachments = message?.attachments ?? NOTHING;
  const beside = attachmentsBeside(parts, attachments);
  return (
    <div className={styles["body"]}>
      <AnswerParts
        parts={parts}
        isLive={finished === undefined}
        attachments={attachments}
        runId={runId}
      />
      {beside.length > 0 && <AttachmentList attachments={beside} />}
      {message?.question !== undefined && <QuestionCard message={message} />}
      {message?.run !== undefined && <OutcomeNote run={message.run} />}
    </div>
  );
}
