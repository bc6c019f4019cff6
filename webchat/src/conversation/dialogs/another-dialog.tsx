/** Another conversation with the same agent. */

import { useLocation } from "wouter";
import { useActions } from "../../engine/actions.ts";
import { useWords } from "../../i18n/words.ts";
import type { ConversationDialogProps } from "./conversation-dialog.tsx";
import { TitleForm } from "./title-form.tsx";
import { words } from "./words.ts";

export function AnotherDialog({ conversation, agentName, onClose }: ConversationDialogProps) {
  const t = useWords(words);
  const actions = useActions();
  const [, navigate] = useLocation();
  return (
    <TitleForm
      heading={t("anotherTitle", { name: agentName })}
      hint={t("anotherHint", { name: agentName })}
      done={t("create")}
      title=""
      isRequired
      onDone={async (title) => {
        const id = await actions.openConversation(conversation.agent_id, title);
        navigate(`/c/${encodeURIComponent(id)}`);
      }}
      onClose={onClose}
    />
  );
}
