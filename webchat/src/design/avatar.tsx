/** The letter and colour that stand for an agent or a person, with a dot for whether it is there. */

import { classes } from "./classes.ts";
import styles from "./avatar.module.css";

interface AvatarProps {
  /** Chooses the colour, so that a new name keeps it. */
  readonly id: string;
  readonly name: string;
  readonly size?: "small" | "medium" | "large";
  readonly status?: string | undefined;
}

/** Says nothing to screen readers: the name stands beside it. */
export function Avatar({ id, name, size = "medium", status }: AvatarProps) {
  const letter = [...name.trim()][0] ?? "?";
  return (
    <span className={classes(styles["avatar"], styles[size])} data-hue={hueOf(id)} aria-hidden>
      {letter.toLocaleUpperCase()}
      {status !== undefined && <span className={styles["dot"]} data-status={status} />}
    </span>
  );
}

const HUES = 8;

function hueOf(id: string): number {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)!) % 65_521;
  return sum % HUES;
}
