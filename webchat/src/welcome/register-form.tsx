/** A name and a password of one's choice, with an invitation or without. */

import { Refused } from "@amtrio/client";
import { useState } from "react";
import { Field } from "../design/field.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { isUsername, passwordFault } from "./credential-rules.ts";
import { useFieldErrors } from "./field-errors.ts";
import { PasswordField } from "./password-field.tsx";
import { Problem, useWait } from "./problem.tsx";
import { Submit } from "./submit.tsx";
import styles from "./welcome.module.css";
import { words } from "./words.ts";

export function RegisterForm({ invitation }: { readonly invitation?: string | undefined }) {
  const t = useWords(words);
  const actions = useActions();
  const work = useWork();
  const wait = useWait(work.error);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const { form, errors, tell } = useFieldErrors<"username" | "password">();

  function submit(): void {
    const name = username.trim();
    const fault = passwordFault(password);
    tell({ ...(!isUsername(name) && { username: t("usernameRule") }), ...(fault !== null && { password: t(fault) }) });
    if (!isUsername(name) || fault !== null) return;
    void work.run(
      () => actions.register(name, password, invitation),
      (error) => {
        const isTaken = error instanceof Refused && error.code === "conflict";
        if (isTaken) tell({ username: t("taken", { name }) });
        return isTaken;
      },
    );
  }

  return (
    <form
      ref={form}
      className={styles["form"]}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Field
        label={t("username")}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        required
        maxLength={50}
        value={username}
        hint={t("usernameRule")}
        error={errors.username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <PasswordField
        label={t("password")}
        autoComplete="new-password"
        value={password}
        hint={t("passwordRule")}
        error={errors.password}
        onChange={setPassword}
      />
      <Problem
        error={work.error}
        meanings={{ forbidden: invitation === undefined ? t("registrationEnded") : t("invitationEnded") }}
      />
      <Submit isPending={work.isPending} waitSeconds={wait}>
        {t("register")}
      </Submit>
    </form>
  );
}
