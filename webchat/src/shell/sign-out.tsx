/** The question before one signs out: what is lost by it. */

import { useState } from "react";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { words } from "./dialog-words.ts";
import { waitingCount } from "./waiting.ts";

export function SignOut({ onClose }: { readonly onClose: () => void }) {
  const t = useWords(words);
  const actions = useActions();
  const waiting = useChat((state) => waitingCount(state.outgoing));
  const [error, setError] = useState<string>();

  async function signOut(): Promise<void> {
    try {
      await actions.signOut();
      onClose();
    } catch (caught) {
      setError((caught as Error).message);
    }
  }

  return (
    <Dialog
      title={t("signOutTitle")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button look="danger" onClick={() => void signOut()}>
            {t("signOut")}
          </Button>
        </>
      }
    >
      <p>{t("signOutText")}</p>
      {waiting > 0 && <p>{t("signOutWaiting", { n: waiting })}</p>}
      {error !== undefined && <p role="alert">{error}</p>}
    </Dialog>
  );
}
