/** What encryption does and does not do, this browser's keys, and what can be done with them. */

import { useState } from "react";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Spinner } from "../design/spinner.tsx";
import { notify, notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./encryption-settings.module.css";
import { Digits } from "./safety-number.tsx";
import { useKeys, type Keys } from "./use-keys.ts";
import { words } from "./words.ts";

type Asked = "take_over" | "reset";

export function EncryptionSettings() {
  const t = useWords(words);
  const userId = useChat((state) => state.self?.userId);
  return (
    <div className={styles["settings"]}>
      <p>{t("what")}</p>
      <p>{t("what_not")}</p>
      <p>{t("here")}</p>
      {userId !== undefined && <ThisBrowser key={userId} userId={userId} />}
    </div>
  );
}

function ThisBrowser({ userId }: { readonly userId: string }) {
  const t = useWords(words);
  const { rest } = useActions();
  const { keys, claim } = useKeys(userId, rest);
  const [asked, setAsked] = useState<Asked>();
  if (keys === undefined) return <Spinner label={t("loading")} />;
  return (
    <>
      <Facts keys={keys} />
      <div className={styles["actions"]}>
        {keys.state === "elsewhere" && <Button look="primary" onClick={() => setAsked("take_over")}>{t("take_over")}</Button>}
        {keys.state === "ready" && <Button onClick={() => setAsked("reset")}>{t("reset")}</Button>}
      </div>
      {asked !== undefined && <Ask asked={asked} claim={claim} onClose={() => setAsked(undefined)} />}
    </>
  );
}

function Facts({ keys: { state, fingerprint, oneTimeKeys } }: { readonly keys: Keys }) {
  const t = useWords(words);
  return (
    <>
      <dl className={styles["facts"]}>
        <dt>{t("state")}</dt>
        <dd data-state={state}>{t(`state_${state}`)}</dd>
        {state === "ready" && (
          <>
            <dt>{t("one_time")}</dt>
            <dd>{oneTimeKeys}</dd>
          </>
        )}
      </dl>
      {fingerprint !== undefined && (
        <>
          <Digits label={t("fingerprint")} digits={fingerprint} />
          <p className={styles["hint"]}>{t("fingerprint_hint")}</p>
        </>
      )}
    </>
  );
}

interface AskProps {
  readonly asked: Asked;
  readonly claim: (how: Asked) => Promise<void>;
  readonly onClose: () => void;
}

function Ask({ asked, claim, onClose }: AskProps) {
  const t = useWords(words);
  const [isBusy, setIsBusy] = useState(false);
  const go = async () => {
    setIsBusy(true);
    try {
      await claim(asked);
      notify({ text: t("done") });
      onClose();
    } catch (error) {
      notifyError(error);
      setIsBusy(false);
    }
  };
  const actions = (
    <>
      <Button onClick={onClose}>{t("cancel")}</Button>
      <Button look={asked === "reset" ? "danger" : "primary"} disabled={isBusy} onClick={() => void go()}>
        {t(asked)}
      </Button>
    </>
  );
  return (
    <Dialog title={t(`${asked}_title`)} onClose={onClose} actions={actions}>
      <p>{t(`${asked}_text`)}</p>
    </Dialog>
  );
}
