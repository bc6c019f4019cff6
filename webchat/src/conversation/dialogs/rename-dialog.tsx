/** Another title for a conversation, or none where that may be. */

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
      // The server lets only the first chat with an agent go without one.
      hint={conversation.is_default ? t("renameHint", { name: agentName }) : undefined}
      isRequired={!conversation.is_default}
      done={t("save")}
      title={conversation.title ?? ""}
      onDone={(title) => actions.rename(conversation.conversation_id, title === "" ? null : title)}
      onClose={onClose}
    />
  );
}
