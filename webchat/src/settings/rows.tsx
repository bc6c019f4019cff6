/** A list of things, each with a sign, words and what can be done with it. */

import type { ReactNode } from "react";
import styles from "./rows.module.css";

export function Rows({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <ul className={styles["rows"]} aria-label={label}>
      {children}
    </ul>
  );
}

interface RowProps {
  readonly icon?: ReactNode;
  readonly title: ReactNode;
  /** A word or two that stand out. */
  readonly badge?: string | undefined;
  readonly text?: ReactNode;
  readonly action?: ReactNode;
}

export function Row({ icon, title, badge, text, action }: RowProps) {
  return (
    <li className={styles["row"]}>
      {icon}
      <div className={styles["words"]}>
        <strong>{title}</strong> {badge !== undefined && <Badge>{badge}</Badge>}
        {text !== undefined && <p>{text}</p>}
      </div>
      {action}
    </li>
  );
}

type Tone = "plain" | "good" | "warn" | "bad";

export function Badge({ children, tone = "plain" }: { readonly children: ReactNode; readonly tone?: Tone }) {
  return (
    <span className={styles["badge"]} data-tone={tone}>
      {children}
    </span>
  );
}

/** Names and what they stand for. */
export function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className={styles["facts"]}>{children}</dl>;
}

export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className={styles["fact"]}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
