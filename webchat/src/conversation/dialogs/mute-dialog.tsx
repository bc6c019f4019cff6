/** For how long a conversation is to be quiet. */

import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { useWork } from "../../design/work.ts";
import { useActions } from "../../engine/actions.ts";
import { useWords } from "../../i18n/words.ts";
import { Problem } from "../../welcome/problem.tsx";
import { untilAfter, type Span } from "../muting.ts";
import type { ConversationDialogProps } from "./conversation-dialog.tsx";
import styles from "./dialogs.module.css";
import { words } from "./words.ts";

const CHOICES = { hour: "muteHour", hours: "muteHours", week: "muteWeek", ever: "muteEver" } as const;

export function MuteDialog({ conversation, onClose }: ConversationDialogProps) {
  const t = useWords(words);
  const actions = useActions();
  const { isPending, error, run } = useWork();
  return (
    <Dialog title={t("muteTitle")} onClose={onClose}>
      <p>{t("muteBody")}</p>
      <div className={styles["choices"]}>
        {(Object.keys(CHOICES) as Span[]).map((span) => (
          <Button
            key={span}
            disabled={isPending}
            onClick={() =>
              void run(() => actions.mute(conversation.conversation_id, untilAfter(span)).then(onClose))
            }
          >
            {t(CHOICES[span])}
          </Button>
        ))}
      </div>
      <Problem error={error} />
    </Dialog>
  );
}
