/** What a message said before it was changed. */

import { useEffect, useState } from "react";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { Spinner } from "../../design/spinner.tsx";
import { useWork } from "../../design/work.ts";
import { useActions } from "../../engine/actions.ts";
import { fullTime } from "../../i18n/dates.ts";
import { useWords } from "../../i18n/words.ts";
import { Markdown } from "../../markdown/markdown.tsx";
import { Problem } from "../../welcome/problem.tsx";
import type { MessageDialogProps } from "./details-dialog.tsx";
import styles from "./dialogs.module.css";
import { words } from "./words.ts";

interface Edit {
  /** The text before it. */
  readonly content: string;
  /** RFC 3339. */
  readonly at: string;
}

export function EditsDialog({ message, onClose }: MessageDialogProps) {
  const t = useWords(words);
  const { rest } = useActions();
  const { error, run } = useWork();
  const [edits, setEdits] = useState<readonly Edit[]>();
  const { message_id: id } = message;
  useEffect(() => {
    void run(async () => {
      const answer = await rest.call<{ edits: Edit[] }>("GET", `/messages/${encodeURIComponent(id)}/edits`);
      setEdits(answer.edits);
    });
  }, [rest, id, run]);
  return (
    <Dialog title={t("edits")} onClose={onClose} actions={<Button onClick={onClose}>{t("close")}</Button>}>
      <Problem error={error} />
      {edits === undefined && error === undefined && <Spinner />}
      {edits?.length === 0 && <p>{t("editsNone")}</p>}
      <ol className={styles["edits"]}>
        <li>
          <small>{t("editsNow")}</small>
          <Markdown text={message.content} isLive={false} />
        </li>
        {edits?.toReversed().map(({ content, at }) => (
          <li key={at}>
            <small>{t("until", { time: fullTime(new Date(at)) })}</small>
            <Markdown text={content} isLive={false} />
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
