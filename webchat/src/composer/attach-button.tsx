/** Chooses files to send. Where none may be sent it stays and says why. */

import { Plus } from "lucide-react";
import { useRef } from "react";
import { useObstacle } from "../attachments/allowed.ts";
import { addFiles } from "../attachments/tray.ts";
import { words as attachmentWords } from "../attachments/words.ts";
import { IconButton } from "../design/button.tsx";
import { notify } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./composer.module.css";
import { words } from "./words.ts";

export function AttachButton({ conversationId }: { readonly conversationId: string }) {
  const t = useWords(words);
  const tAttachments = useWords(attachmentWords);
  const actions = useActions();
  const obstacle = useObstacle(conversationId);
  const input = useRef<HTMLInputElement>(null);
  const why = obstacle === undefined ? undefined : tAttachments(obstacle);
  return (
    <>
      <IconButton
        className={styles["side"]}
        label={why === undefined ? t("attach") : `${t("attach")}: ${why}`}
        icon={<Plus size={24} aria-hidden />}
        aria-disabled={why !== undefined}
        onClick={() => {
          if (why === undefined) input.current!.click();
          else notify({ text: why });
        }}
      />
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="files"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          // The same file can be chosen again after it was taken out.
          event.target.value = "";
          if (files.length > 0) addFiles(conversationId, files, actions);
        }}
      />
    </>
  );
}
