/** A person's own labels of a conversation. */

import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { Field } from "../../design/field.tsx";
import { useActions } from "../../engine/actions.ts";
import { useWords } from "../../i18n/words.ts";
import { useProblem } from "../../welcome/problem.tsx";
import type { ConversationDialogProps } from "./conversation-dialog.tsx";
import styles from "./dialogs.module.css";
import { useFocused } from "./focused.ts";
import { words } from "./words.ts";

// As the server has it.
const TAG_LENGTH_AT_MOST = 50;
const SUGGESTED_AT_MOST = 12;

interface UsedTag {
  readonly tag: string;
  readonly count: number;
}

export function TagsDialog({ conversation, onClose }: ConversationDialogProps) {
  const t = useWords(words);
  const actions = useActions();
  const [error, setError] = useState<unknown>();
  const problem = useProblem();
  const input = useFocused<HTMLInputElement>();
  const [text, setText] = useState("");
  const [used, setUsed] = useState<readonly UsedTag[]>([]);
  const { conversation_id: id, tags } = conversation;
  useEffect(() => {
    // Only a convenience: without it one types.
    actions.rest.call<UsedTag[]>("GET", "/tags").then(setUsed, () => undefined);
  }, [actions]);
  const suggestions = used.filter(({ tag }) => !tags.includes(tag)).slice(0, SUGGESTED_AT_MOST);
  // Several may be under way: whoever sorts does not wait.
  const change = (tag: string, on: boolean): void => {
    setError(undefined);
    actions.tag(id, tag, on).then(() => setText((now) => (now.trim() === tag ? "" : now)), setError);
  };
  return (
    <Dialog title={t("tagsTitle")} onClose={onClose} actions={<Button onClick={onClose}>{t("close")}</Button>}>
      {tags.length === 0 && <p className={styles["quiet"]}>{t("tagsNone")}</p>}
      <ul className={styles["chips"]}>
        {tags.map((tag) => (
          <li key={tag} className={styles["chip"]}>
            {tag}
            <IconButton
              label={t("untag", { tag })}
              icon={<X size={14} aria-hidden />}
              onClick={() => change(tag, false)}
            />
          </li>
        ))}
      </ul>
      <form
        className={styles["adding"]}
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") change(text.trim(), true);
        }}
      >
        <Field
          label={t("addTag")}
          hint={t("tagsHint")}
          error={error === undefined ? undefined : problem(error)}
          value={text}
          maxLength={TAG_LENGTH_AT_MOST}
          autoComplete="off"
          ref={input}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" disabled={text.trim() === ""}>
          {t("add")}
        </Button>
      </form>
      {suggestions.length > 0 && (
        <section className={styles["suggestions"]}>
          <h3>{t("suggestions")}</h3>
          <ul className={styles["chips"]}>
            {suggestions.map(({ tag, count }) => (
              <li key={tag}>
                <button type="button" className={styles["chip"]} onClick={() => change(tag, true)}>
                  {tag} <small>{count}</small>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </Dialog>
  );
}
