/** Is it meant? A whole conversation cannot be brought back. */

import { useLocation } from "wouter";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { useWork } from "../../design/work.ts";
import { useActions } from "../../engine/actions.ts";
import { useWords } from "../../i18n/words.ts";
import { Problem } from "../../welcome/problem.tsx";
import { openDialog } from "../opened.ts";
import type { ConversationDialogProps } from "./conversation-dialog.tsx";
import styles from "./dialogs.module.css";
import { words } from "./words.ts";

export function DeleteDialog({ conversation, agentName, onClose }: ConversationDialogProps) {
  const t = useWords(words);
  const actions = useActions();
  const [, navigate] = useLocation();
  const { isPending, error, run } = useWork();
  return (
    <Dialog
      title={t("deleteTitle")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button
            look="danger"
            disabled={isPending}
            onClick={() =>
              void run(async () => {
                await actions.deleteConversation(conversation.conversation_id);
                onClose();
                navigate("/", { replace: true });
              })
            }
          >
            {t("delete")}
          </Button>
        </>
      }
    >
      <p>{t("deleteBody", { name: agentName })}</p>
      <button type="button" className={styles["link"]} onClick={() => openDialog({ kind: "export" })}>
        {t("deleteKeep")}
      </button>
      <Problem error={error} />
    </Dialog>
  );
}
