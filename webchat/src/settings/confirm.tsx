/** Asks before something that cannot be undone; the gravest only after a name was typed. */

import { useState, type ReactNode } from "react";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Field } from "../design/field.tsx";
import { useWork } from "../design/work.ts";
import { useWords } from "../i18n/words.ts";
import { Problem, type Meanings } from "../welcome/problem.tsx";
import { Submit } from "../welcome/submit.tsx";
import styles from "./confirm.module.css";
import { frameWords } from "./frame-words.ts";

interface ConfirmProps {
  readonly title: string;
  readonly children: ReactNode;
  /** What the button says that does it. */
  readonly action: string;
  /** Has to be typed first. */
  readonly typed?: string | undefined;
  readonly look?: "primary" | "danger";
  readonly meanings?: Meanings;
  readonly onConfirm: () => Promise<unknown>;
  /** Also after it was done. */
  readonly onClose: () => void;
}

export function Confirm(props: ConfirmProps) {
  const { title, children, action, typed, look = "danger", meanings = {}, onConfirm, onClose } = props;
  const t = useWords(frameWords);
  const work = useWork();
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);

  async function confirm(): Promise<void> {
    if (typed !== undefined && text.trim() !== typed) setWrong(true);
    else if (await work.run(onConfirm)) onClose();
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className={styles["form"]}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        {children}
        {typed !== undefined && (
          <Field
            label={t("typeName", { name: typed })}
            error={isWrong ? t("typedWrong", { name: typed }) : undefined}
            autoComplete="off"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setWrong(false);
            }}
          />
        )}
        <Problem error={work.error} meanings={meanings} />
        <div className={styles["actions"]}>
          <Button look="quiet" onClick={onClose}>
            {t("cancel")}
          </Button>
          <Submit look={look} isPending={work.isPending}>
            {action}
          </Submit>
        </div>
      </form>
    </Dialog>
  );
}
