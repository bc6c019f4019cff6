/** Is it meant? */

import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { useWords } from "../../i18n/words.ts";
import { useMessageCommands } from "../message-commands.ts";
import type { MessageDialogProps } from "./details-dialog.tsx";
import { useFocused } from "./focused.ts";
import { words } from "./words.ts";

export function RemoveDialog({ message, agentName, onClose }: MessageDialogProps) {
  const t = useWords(words);
  const commands = useMessageCommands();
  const button = useFocused<HTMLButtonElement>();
  return (
    <Dialog
      title={t("removeTitle")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button
            look="danger"
            ref={button}
            onClick={() => {
              onClose();
              commands.remove(message);
            }}
          >
            {t("remove")}
          </Button>
        </>
      }
    >
      <p>{t("removeBody", { name: agentName })}</p>
    </Dialog>
  );
}
