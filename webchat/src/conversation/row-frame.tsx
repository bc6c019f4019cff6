/**
 * The frame of everything that somebody says: whose it is, on which side it stands, what it is called when read out.
 *
 * Knows nothing of what is inside.
 */

import type { ReactNode } from "react";
import { Avatar } from "../design/avatar.tsx";
import styles from "./row.module.css";
import type { Row } from "./rows.ts";

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

interface RowFrameProps extends RowProps<Row> {
  readonly isOwn: boolean;
  /** "Sender, time". */
  readonly label: string;
  readonly isBusy?: boolean;
  /** Answers may take more room than what people say. */
  readonly isWide?: boolean;
  readonly children: ReactNode;
  readonly beside?: ReactNode;
  readonly below?: ReactNode;
}

export function RowFrame({ row, author, isActive, isFlashing, isOwn, label, isBusy, isWide, children, beside, below }: RowFrameProps) {
  const showsAuthor = row.startsGroup && !isOwn;
  return (
    <article
      className={styles["row"]}
      data-row={row.key}
      data-side={isOwn ? "own" : "agent"}
      data-starts-group={row.startsGroup || undefined}
      data-flashing={isFlashing || undefined}
      tabIndex={isActive ? 0 : -1}
      aria-label={label}
      aria-busy={isBusy}
    >
      {!isOwn && (
        <span className={styles["face"]}>
          {showsAuthor && <Avatar id={author.agentId} name={author.agentName} size="small" />}
        </span>
      )}
      <div className={styles["column"]}>
        {showsAuthor && (
          <span className={styles["name"]} aria-hidden>
            {author.agentName}
          </span>
        )}
        <div className={styles["line"]}>
          <div className={styles["bubble"]} data-wide={isWide || undefined}>
            {children}
          </div>
          {beside}
        </div>
        {below}
      </div>
    </article>
  );
}
