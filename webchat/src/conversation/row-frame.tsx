/**
 * The frame of everything that somebody says: whose it is, on which side it stands, what it is called when read out.
 *
 * It stays the same element while what was sent is stored, what is written is finished and what was said is deleted, so
 * that whoever stands on it does not lose the focus. Knows nothing of what is inside.
 */

import type { ReactNode } from "react";
import { Avatar } from "../design/avatar.tsx";
import { live } from "../engine/live.ts";
import { timeOfDay } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./row.module.css";
import type { DeletedRow, LiveRow, MessageRow, OutgoingRow, Row } from "./rows.ts";
import { words } from "./words.ts";

export interface Author {
  readonly agentId: string;
  readonly agentName: string;
}

/** What a row is told by the list. */
export interface RowProps<Kind extends Row> {
  readonly row: Kind;
  readonly conversationId: string;
  readonly author: Author;
  /** It is the one that Tab leads to. */
  readonly isActive: boolean;
  /** It was jumped to just now. */
  readonly isFlashing: boolean;
}

export type SaidRow = MessageRow | OutgoingRow | LiveRow | DeletedRow;

export function RowFrame({ row, author, isActive, isFlashing, children }: RowProps<SaidRow> & { readonly children: ReactNode }) {
  const isOwn = isOwnRow(row);
  return (
    <article
      className={styles["row"]}
      data-row={row.key}
      data-side={row.kind === "deleted" ? "nobody" : isOwn ? "own" : "agent"}
      // Answers take more room than what people say, and stand there without a bubble.
      data-wide={row.kind === "live" || (row.kind === "message" && row.message.run !== undefined) || undefined}
      data-starts-group={row.startsGroup || undefined}
      data-flashing={isFlashing || undefined}
      tabIndex={isActive ? 0 : -1}
      aria-label={useLabel(row, author)}
      aria-busy={row.kind === "live"}
    >
      {row.kind !== "deleted" && !isOwn && (
        <span className={styles["face"]}>
          {row.startsGroup && <Avatar id={author.agentId} name={author.agentName} size="small" />}
        </span>
      )}
      {children}
    </article>
  );
}

interface BubbleProps extends Pick<RowProps<SaidRow>, "row" | "author"> {
  readonly children: ReactNode;
  readonly beside?: ReactNode;
  readonly below?: ReactNode;
}

export function Bubble({ row, author, children, beside, below }: BubbleProps) {
  return (
    <div className={styles["column"]}>
      {row.startsGroup && !isOwnRow(row) && (
        <span className={styles["name"]} aria-hidden>
          {author.agentName}
        </span>
      )}
      <div className={styles["line"]}>
        <div className={styles["bubble"]} data-with-files={hasFiles(row) || undefined}>
          {children}
        </div>
        {beside}
      </div>
      {below}
    </div>
  );
}

function hasFiles(row: SaidRow): boolean {
  if (row.kind === "outgoing") return row.outgoing.attachments.length > 0;
  return row.kind === "message" && (row.message.attachments?.length ?? 0) > 0;
}

function isOwnRow(row: SaidRow): boolean {
  return row.kind === "outgoing" || (row.kind === "message" && row.isOwn);
}

/** "Sender, time". */
function useLabel(row: SaidRow, { agentName }: Author): string {
  const t = useWords(words);
  if (row.kind === "deleted") return row.messageIds.length === 1 ? t("deletedOne") : t("deletedSome", { n: row.messageIds.length });
  const at = momentOf(row);
  return t("named", { sender: isOwnRow(row) ? t("you") : agentName, time: at === undefined ? "" : timeOfDay(new Date(at)) });
}

function momentOf(row: MessageRow | OutgoingRow | LiveRow): number | string | undefined {
  switch (row.kind) {
    case "message":
      return row.message.created_at;
    case "outgoing":
      return row.outgoing.createdAt;
    default:
      return live.get(row.runId)?.started_at;
  }
}
