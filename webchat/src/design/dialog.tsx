/** A dialog over the page: the browser's own, so that focus stays inside, Escape closes, and focus returns. */

import { X } from "lucide-react";
import { useEffect, useId, useRef, type ReactNode } from "react";
import { useWords } from "../i18n/words.ts";
import { useClosedByBack } from "./back.ts";
import { IconButton } from "./button.tsx";
import { classes } from "./classes.ts";
import styles from "./dialog.module.css";
import { raise } from "./top-dialog.ts";
import { words } from "./words.ts";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons at its foot, the main one last. */
  readonly actions?: ReactNode;
  readonly className?: string | undefined;
}

/** Open as long as it is there: leave it out to close it. */
export function Dialog({ title, onClose, children, actions, className }: DialogProps) {
  const t = useWords(words);
  const heading = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useClosedByBack(onClose);
  useEffect(() => {
    const opener = document.activeElement;
    const shown = dialog.current!;
    shown.showModal();
    const lower = raise(shown);
    return () => {
      lower();
      shown.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    // The click on the shade is for the mouse; the keyboard has Escape.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={dialog}
      className={classes(styles["dialog"], className)}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className={styles["inside"]}>
        <header className={styles["header"]}>
          <h2 id={heading}>{title}</h2>
          <IconButton label={t("close")} icon={<X size={20} aria-hidden />} onClick={onClose} />
        </header>
        <div className={styles["body"]}>{children}</div>
        {actions !== undefined && <footer className={styles["actions"]}>{actions}</footer>}
      </div>
    </dialog>
  );
}
