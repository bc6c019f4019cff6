/** The button that signs out. Asks first if something would be lost with it. */

import { LogOut } from "lucide-react";
import { useState } from "react";
import { Button } from "../design/button.tsx";
import { notify } from "../design/toast.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { useProblem } from "../welcome/problem.tsx";
import { SignOutQuestion, useLosses } from "./sign-out-question.tsx";
import styles from "./sign-out.module.css";
import { words } from "./words.ts";

export function SignOut() {
  const t = useWords(words);
  const problem = useProblem();
  const actions = useActions();
  const work = useWork();
  const losses = useLosses();
  const [isAsking, setAsking] = useState(false);

  function start(): void {
    if (losses !== undefined) setAsking(true);
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
      {isAsking && <SignOutQuestion onClose={() => setAsking(false)} />}
    </div>
  );
}
