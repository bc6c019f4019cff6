/** Another conversation with the same agent. */

import { useLocation } from "wouter";
import { useActions } from "../../engine/actions.ts";
import { useWords } from "../../i18n/words.ts";
import { beginChat } from "../../shell/new-chats.ts";
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
      onDone={async (title) => {
        const { agent_id: agentId } = conversation;
        const id = await (title === "" ? beginChat(actions, agentId) : actions.openConversation(agentId, title));
        navigate(`/c/${encodeURIComponent(id)}`);
      }}
      onClose={onClose}
    />
  );
}
