/** What an invitation opens: looked at first, so that nobody chooses a name for nothing. */

import { useCallback } from "react";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/spinner.tsx";
import { useActions } from "../engine/actions.ts";
import { fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { useLoaded } from "../settings/loading.ts";
import { InvitationForm } from "./invitation-form.tsx";
import { Problem } from "./problem.tsx";
import { RegisterForm } from "./register-form.tsx";
import styles from "./welcome.module.css";
import { words } from "./words.ts";

interface Checked {
  readonly valid: boolean;
  readonly expires_at: string | null;
}

interface JoinProps {
  readonly invitation: string;
  readonly onInvitation: (token: string) => void;
}

export function Join({ invitation, onInvitation }: JoinProps) {
  const t = useWords(words);
  const { rest } = useActions();
  const {
    data: checked,
    error,
    reload,
  } = useLoaded(
    useCallback(
      (signal) => rest.call<Checked>("POST", "/auth/invitation", { body: { invitation }, signal }),
      [rest, invitation],
    ),
  );

  if (error !== undefined) {
    return (
      <Problem error={error}>
        <Button onClick={reload}>{t("tryAgain")}</Button>
      </Problem>
    );
  }
  if (checked === undefined) return <Spinner label={t("checking")} />;
  if (!checked.valid) {
    return (
      <>
        <p role="alert">{t("invitationEnded")}</p>
        <InvitationForm onInvitation={onInvitation} />
      </>
    );
  }
  return (
    <>
      <p className={styles["quiet"]}>
        {t("invited")}
        {checked.expires_at !== null && ` ${t("invitedUntil", { when: fullTime(new Date(checked.expires_at)) })}`}
      </p>
      <RegisterForm invitation={invitation} />
    </>
  );
}
