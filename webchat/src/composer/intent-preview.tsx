/** Over the field: the message that is being answered or changed. */

import { Pencil, Reply, X } from "lucide-react";
import { IconButton } from "../design/button.tsx";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { nearbyIn, type Intent } from "../conversation/intent.ts";
import { filesIn, inOneLine, textIn } from "../conversation/message-text.ts";
import { useQuoted } from "../conversation/quoted.ts";
import styles from "./intent-preview.module.css";
import { words } from "./words.ts";

interface IntentPreviewProps {
  readonly intent: Intent;
  readonly onCancel: () => void;
}

export function IntentPreview({ intent, onCancel }: IntentPreviewProps) {
  const t = useWords(words);
  const { message } = intent;
  // While it is far from what is shown, only what is fetched for quotes is kept up to date.
  useQuoted({ messageId: message.message_id, message: useChat((state) => nearbyIn(state, message)) });
  const text = useChat((state) => textIn(state.plain, message));
  const count = useChat((state) => filesIn(state.sealedFiles, message).length);
  const agentName = useChat((state) => state.agents[message.sender_id]?.name) ?? message.sender_id;
  const name = message.sender_type === "client" ? t("you") : agentName;
  const isEdit = intent.kind === "edit";
  const Icon = isEdit ? Pencil : Reply;
  return (
    <div className={styles["preview"]}>
      <Icon className={styles["icon"]} size={18} aria-hidden />
      <div className={styles["about"]}>
        <p className={styles["title"]}>{isEdit ? t("editing") : t("replyTo", { name })}</p>
        <p className={styles["quote"]}>{said()}</p>
      </div>
      <IconButton label={t("cancel")} icon={<X size={18} aria-hidden />} onClick={onCancel} />
    </div>
  );

  function said(): string {
    if (message.deleted) return t("deleted");
    if (text) return inOneLine(text, QUOTED_CHARS);
    return typeof text === "string" ? t("attachedFiles", { n: count }) : t("unreadable");
  }
}

// Two lines are shown; what is beyond would only be laid out.
const QUOTED_CHARS = 240;
