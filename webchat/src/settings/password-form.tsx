/** Another password for one's own account. */

import { Refused } from "@amtrio/client";
import { useState } from "react";
import { notify } from "../design/toast.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { passwordFault } from "../welcome/credential-rules.ts";
import { useFieldErrors } from "../welcome/field-errors.ts";
import { PasswordField } from "../welcome/password-field.tsx";
import { Problem, useWait } from "../welcome/problem.tsx";
import { Submit } from "../welcome/submit.tsx";
import { words as credentialWords } from "../welcome/words.ts";
import styles from "./account-section.module.css";
import { words } from "./words.ts";

export function PasswordForm() {
  const t = useWords(words);
  const rules = useWords(credentialWords);
  const { rest } = useActions();
  const username = useChat((state) => state.self?.username ?? "");
  const work = useWork();
  const wait = useWait(work.error);
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const { form, errors, tell } = useFieldErrors<"old" | "fresh">();

  async function change(): Promise<void> {
    await rest.changePassword(old, fresh);
    setOld("");
    setFresh("");
    notify({ text: t("passwordChanged") });
  }

  function submit(): void {
    const fault = passwordFault(fresh);
    tell({ ...(old === "" && { old: rules("passwordMissing") }), ...(fault !== null && { fresh: rules(fault) }) });
    if (old === "" || fault !== null) return;
    void work.run(change, (error) => {
      const isWrong = error instanceof Refused && error.code === "forbidden";
      if (isWrong) tell({ old: t("oldPasswordWrong") });
      return isWrong;
    });
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
      {/* So that a password manager knows whose password this is. */}
      <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />
      <PasswordField
        label={t("oldPassword")}
        autoComplete="current-password"
        value={old}
        error={errors.old}
        onChange={setOld}
      />
      <PasswordField
        label={t("newPassword")}
        autoComplete="new-password"
        value={fresh}
        hint={rules("passwordRule")}
        error={errors.fresh}
        onChange={setFresh}
      />
      <Problem error={work.error} />
      <Submit isPending={work.isPending} waitSeconds={wait}>
        {t("changePassword")}
      </Submit>
    </form>
  );
}
