/** Name and password of an account that is there. */

import { Refused } from "@amtrio/client";
import { useState } from "react";
import { Field } from "../design/field.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { useFieldErrors } from "./field-errors.ts";
import { PasswordField } from "./password-field.tsx";
import { Problem, useWait } from "./problem.tsx";
import { Submit } from "./submit.tsx";
import styles from "./welcome.module.css";
import { words } from "./words.ts";

export function SignInForm() {
  const t = useWords(words);
  const actions = useActions();
  const work = useWork();
  const wait = useWait(work.error);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const { form, errors, tell } = useFieldErrors<"username" | "password">();

  function submit(): void {
    if (username.trim() === "" || password === "") {
      tell({
        ...(username.trim() === "" && { username: t("usernameMissing") }),
        ...(password === "" && { password: t("passwordMissing") }),
      });
      return;
    }
    tell({});
    void work.run(
      () => actions.signIn(username.trim(), password),
      (error) => {
        const isWrong = error instanceof Refused && error.code === "unauthorized";
        if (isWrong) tell({ password: t("wrong") });
        return isWrong;
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
        value={username}
        error={errors.username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <PasswordField
        label={t("password")}
        autoComplete="current-password"
        value={password}
        error={errors.password}
        onChange={setPassword}
      />
      <Problem error={work.error} />
      <Submit isPending={work.isPending} waitSeconds={wait}>
        {t("signIn")}
      </Submit>
    </form>
  );
}
