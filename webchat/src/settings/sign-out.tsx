/** Signing out. Asks first if something would be lost with it. */

import { LogOut } from "lucide-react";
import { useState } from "react";
import { Button } from "../design/button.tsx";
import { notify } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat, type ChatState } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { useProblem } from "../welcome/problem.tsx";
import { useWork } from "../welcome/work.ts";
import { Confirm } from "./confirm.tsx";
import styles from "./sign-out.module.css";
import { words } from "./words.ts";

export function SignOut() {
  const t = useWords(words);
  const problem = useProblem();
  const actions = useActions();
  const work = useWork();
  const waiting = useChat(countWaiting);
  const hasKeys = useChat(isEncrypting);
  const [isAsking, setAsking] = useState(false);

  function start(): void {
    if (waiting > 0 || hasKeys) setAsking(true);
    else {
      void work.run(
        () => actions.signOut(),
        (error) => {
          notify({ text: problem(error), tone: "bad" });
          return true;
        },
      );
    }
  }

  return (
    <div className={styles["foot"]}>
      <Button look="quiet" aria-busy={work.isPending || undefined} onClick={start}>
        <LogOut size={18} aria-hidden /> {t("signOut")}
      </Button>
      {isAsking && (
        <Confirm
          title={t("signOut")}
          action={t("signOutAnyway")}
          onConfirm={() => actions.signOut()}
          onClose={() => setAsking(false)}
        >
          {waiting > 0 && <p>{t("waitingMessages", { n: waiting })}</p>}
          {hasKeys && <p>{t("keysGo")}</p>}
        </Confirm>
      )}
    </div>
  );
}

function countWaiting(state: ChatState): number {
  return Object.values(state.outgoing).reduce((sum, messages) => sum + messages.length, 0);
}

/** Without this device's keys nobody reads here again what was sealed for it. */
function isEncrypting(state: ChatState): boolean {
  return Object.values(state.secrecy).some(({ kind }) => kind === "on" || kind === "changed");
}
