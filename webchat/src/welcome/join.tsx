/** What an invitation opens: looked at first, so that nobody chooses a name for nothing. */

import { useEffect, useState } from "react";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/spinner.tsx";
import { useActions } from "../engine/actions.ts";
import { fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
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
  const [checked, setChecked] = useState<Checked>();
  const [error, setError] = useState<unknown>();
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const left = new AbortController();
    setChecked(undefined);
    setError(undefined);
    rest.call<Checked>("POST", "/auth/invitation", { body: { invitation }, signal: left.signal }).then(
      setChecked,
      (reason: unknown) => {
        if (!left.signal.aborted) setError(reason);
      },
    );
    return () => left.abort();
  }, [rest, invitation, tries]);

  if (error !== undefined) {
    return (
      <Problem error={error}>
        <Button onClick={() => setTries(tries + 1)}>{t("tryAgain")}</Button>
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
