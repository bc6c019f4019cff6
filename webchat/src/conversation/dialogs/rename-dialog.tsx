/** Another title for a conversation, or none. */

import { useActions } from "../../engine/actions.ts";
import { useWords } from "../../i18n/words.ts";
import type { ConversationDialogProps } from "./conversation-dialog.tsx";
import { TitleForm } from "./title-form.tsx";
import { words } from "./words.ts";

export function RenameDialog({ conversation, agentName, onClose }: ConversationDialogProps) {
  const t = useWords(words);
  const actions = useActions();
  return (
    <TitleForm
      heading={t("renameTitle")}
      hint={t("renameHint", { name: agentName })}
      done={t("save")}
      title={conversation.title ?? ""}
      onDone={(title) => actions.rename(conversation.conversation_id, title === "" ? null : title)}
      onClose={onClose}
    />
  );
}
