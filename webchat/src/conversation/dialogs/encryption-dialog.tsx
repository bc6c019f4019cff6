/** What encryption of this conversation does and does not do, whether it is on, and the number to compare. */

import { ShieldAlert, ShieldCheck, ShieldQuestion } from "lucide-react";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { Switch } from "../../design/field.tsx";
import { useWork } from "../../design/work.ts";
import { Digits } from "../../encryption/safety-number.tsx";
import { useActions } from "../../engine/actions.ts";
import { isSecret, useChat, type Secrecy } from "../../engine/state.ts";
import { useWords } from "../../i18n/words.ts";
import { Problem } from "../../welcome/problem.tsx";
import type { ConversationDialogProps } from "./conversation-dialog.tsx";
import styles from "./dialogs.module.css";
import { words } from "./words.ts";

const OFF: Secrecy = { kind: "off" };

export function EncryptionDialog({ conversation, agentName, onClose }: ConversationDialogProps) {
  const t = useWords(words);
  const actions = useActions();
  const { conversation_id: id } = conversation;
  const secrecy = useChat((state) => state.secrecy[id] ?? OFF);
  const { isPending, error, run } = useWork();
  const hasNumber = isSecret(secrecy);
  const isVerified = secrecy.kind === "on" && secrecy.verified;
  const name = agentName;
  return (
    <Dialog
      title={t("secrecyTitle")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("close")}</Button>
          {hasNumber && !isVerified && (
            <Button look="primary" disabled={isPending} onClick={() => void run(() => actions.markVerified(id))}>
              {t("markVerified")}
            </Button>
          )}
        </>
      }
    >
      {secrecy.kind === "changed" && (
        <p className={styles["warning"]}>
          <ShieldAlert size={20} aria-hidden />
          {t("changedBody", { name })}
        </p>
      )}
      <p>{t("secrecyProtects", { name })}</p>
      <p className={styles["quiet"]}>{t("secrecyLimits", { name })}</p>
      {secrecy.kind === "unavailable" ? (
        <p>{t("secrecyUnavailable", { name })}</p>
      ) : (
        <Switch
          label={t("secrecySwitch")}
          checked={hasNumber}
          disabled={isPending}
          onChange={(on) => void run(() => actions.setEncryption(id, on))}
        />
      )}
      {hasNumber && (
        <section className={styles["safety"]}>
          <Digits label={t("safetyNumber")} digits={secrecy.safetyNumber} />
          <p className={styles["quiet"]}>{t("compare", { name })}</p>
          <p className={styles["verified"]} data-verified={isVerified || undefined}>
            {isVerified ? <ShieldCheck size={18} aria-hidden /> : <ShieldQuestion size={18} aria-hidden />}
            {t(isVerified ? "verified" : "unverified")}
          </p>
        </section>
      )}
      <Problem error={error} />
    </Dialog>
  );
}
