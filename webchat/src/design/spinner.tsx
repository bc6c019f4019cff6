/** Something is on its way. */

import { useWords } from "../i18n/words.ts";
import styles from "./spinner.module.css";
import { words } from "./words.ts";

export function Spinner({ label }: { readonly label?: string }) {
  const t = useWords(words);
  return (
    <span className={styles["spinner"]} role="status">
      <span className="visually-hidden">{label ?? t("busy")}</span>
    </span>
  );
}
