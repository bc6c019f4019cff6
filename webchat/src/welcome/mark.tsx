/** The sign of amtrio: three who talk, in one bubble. */

import styles from "./mark.module.css";

/** Says nothing to screen readers: the name stands beside it. */
export function Mark({ size }: { readonly size: number }) {
  return (
    <svg className={styles["mark"]} width={size} height={size} viewBox="0 0 48 48" aria-hidden focusable="false">
      <rect className={styles["tile"]} width="48" height="48" rx="13" />
      <path
        className={styles["bubble"]}
        d="M24 9.5c9 0 16 6 16 13.6s-7 13.6-16 13.6c-1.9 0-3.7-.3-5.4-.8L11.4 39c-.8.4-1.6-.4-1.3-1.2l1.7-5.2A12.9 12.9 0 0 1 8 23.1C8 15.5 15 9.5 24 9.5Z"
      />
      <path className={styles["ties"]} d="M24 17.2 31 27.3H17Z" />
      <circle className={styles["dot"]} cx="24" cy="17.2" r="3.3" />
      <circle className={styles["dot"]} cx="17" cy="27.3" r="3.3" />
      <circle className={styles["dot"]} cx="31" cy="27.3" r="3.3" />
    </svg>
  );
}
