/** The files of a conversation, newest first. */

import type { Attachment } from "@amtrio/client";
import { useCallback, useEffect, useState } from "react";
import { AttachmentList } from "../../attachments/attachment-list.tsx";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { Spinner } from "../../design/spinner.tsx";
import { useWork } from "../../design/work.ts";
import { useActions } from "../../engine/actions.ts";
import { useWords } from "../../i18n/words.ts";
import { Problem } from "../../welcome/problem.tsx";
import type { ConversationDialogProps } from "./conversation-dialog.tsx";
import styles from "./dialogs.module.css";
import { words } from "./words.ts";

const PAGE = 50;

export function FilesDialog({ conversation, onClose }: ConversationDialogProps) {
  const t = useWords(words);
  const actions = useActions();
  const { isPending, error, run } = useWork();
  const [files, setFiles] = useState<readonly Attachment[]>();
  const [hasMore, setHasMore] = useState(false);
  const path = `/conversations/${encodeURIComponent(conversation.conversation_id)}/attachments`;
  const load = useCallback(
    (before: string | undefined): void =>
      void run(async () => {
        const page = await actions.rest.call<Attachment[]>("GET", path, { query: { before, limit: PAGE } });
        const files = await actions.describe(page.map(withoutNulls));
        setFiles((known = []) => [...known, ...files]);
        setHasMore(page.length === PAGE);
      }),
    [actions, path, run],
  );
  useEffect(() => load(undefined), [load]);
  return (
    <Dialog title={t("filesTitle")} onClose={onClose} className={styles["wide"]}>
      <Problem error={error} />
      {files?.length === 0 && <p className={styles["quiet"]}>{t("filesNone")}</p>}
      {files !== undefined && files.length > 0 && <AttachmentList attachments={files} />}
      {isPending && <Spinner />}
      {hasMore && !isPending && <Button onClick={() => load(files?.at(-1)?.attachment_id)}>{t("loadMore")}</Button>}
    </Dialog>
  );
}

/** REST says null where nothing is. */
function withoutNulls(file: Attachment): Attachment {
  return Object.fromEntries(Object.entries(file).filter(([, value]) => value !== null)) as unknown as Attachment;
}
