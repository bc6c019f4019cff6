/** A dialog that asks for a title. */

import { useId, useState } from "react";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { Field } from "../../design/field.tsx";
import { useWork } from "../../design/work.ts";
import { useWords } from "../../i18n/words.ts";
import { useProblem } from "../../welcome/problem.tsx";
import { useFocused } from "./focused.ts";
import { words } from "./words.ts";

// As the server has it.
const TITLE_LENGTH_AT_MOST = 200;

interface TitleFormProps {
  readonly heading: string;
  readonly hint: string | undefined;
  /** There must be one. */
  readonly isRequired?: boolean;
  readonly done: string;
  readonly title: string;
  /** Closes the dialog unless it fails. */
  readonly onDone: (title: string) => Promise<void>;
  readonly onClose: () => void;
}

export function TitleForm({ heading, hint, isRequired = false, done, title, onDone, onClose }: TitleFormProps) {
  const t = useWords(words);
  const form = useId();
  const [text, setText] = useState(title);
  const { isPending, error, run } = useWork();
  const problem = useProblem();
  const input = useFocused<HTMLInputElement>();
  return (
    <Dialog
      title={heading}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button look="primary" type="submit" form={form} disabled={isPending || (isRequired && text.trim() === "")}>
            {done}
          </Button>
        </>
      }
    >
      <form
        id={form}
        onSubmit={(event) => {
          event.preventDefault();
          void run(() => onDone(text.trim()).then(onClose));
        }}
      >
        <Field
          label={t("title")}
          hint={hint}
          error={error === undefined ? undefined : problem(error)}
          value={text}
          maxLength={TITLE_LENGTH_AT_MOST}
          ref={input}
          autoComplete="off"
          onChange={(event) => setText(event.target.value)}
        />
      </form>
    </Dialog>
  );
}
