/** Leaving for good, with everything. Asks for the name, and for the password as the server does. */

import { Refused } from "@amtrio/client";
import { useState } from "react";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Field } from "../design/field.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { useFieldErrors } from "../welcome/field-errors.ts";
import { PasswordField } from "../welcome/password-field.tsx";
import { Problem, useWait } from "../welcome/problem.tsx";
import { Submit } from "../welcome/submit.tsx";
import { words as credentialWords } from "../welcome/words.ts";
import confirm from "./confirm.module.css";
import { frameWords } from "./frame-words.ts";
import { words } from "./words.ts";

export function DeleteAccount() {
  const t = useWords(words);
  const [isAsking, setAsking] = useState(false);
  return (
    <div>
      <Button look="danger" onClick={() => setAsking(true)}>
        {t("deleteAccount")} …
      </Button>
      {isAsking && <DeleteDialog onClose={() => setAsking(false)} />}
    </div>
  );
}

function DeleteDialog({ onClose }: { readonly onClose: () => void }) {
  const t = useWords(words);
  const frame = useWords(frameWords);
  const rules = useWords(credentialWords);
  const actions = useActions();
  const username = useChat((state) => state.self?.username ?? "");
  const work = useWork();
  const wait = useWait(work.error);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { form, errors, tell } = useFieldErrors<"name" | "password">();

  function submit(): void {
    const isName = name.trim() === username;
    tell({
      ...(!isName && { name: frame("typedWrong", { name: username }) }),
      ...(password === "" && { password: rules("passwordMissing") }),
    });
    if (!isName || password === "") return;
    void work.run(() => actions.deleteAccount(password), (error) => {
      const isWrong = error instanceof Refused && error.code === "forbidden";
      if (isWrong) tell({ password: t("passwordWrong") });
      return isWrong;
    });
  }

  return (
    <Dialog title={t("deleteAccount")} onClose={onClose}>
      <form
        ref={form}
        className={confirm["form"]}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <p>{t("deleteAccountWarning")}</p>
        <Field
          label={frame("typeName", { name: username })}
          autoComplete="off"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          value={name}
          error={errors.name}
          onChange={(event) => setName(event.target.value)}
        />
        <PasswordField
          label={rules("password")}
          autoComplete="current-password"
          value={password}
          error={errors.password}
          onChange={setPassword}
        />
        <Problem error={work.error} meanings={{ conflict: t("lastAdministrator") }} />
        <div className={confirm["actions"]}>
          <Button look="quiet" onClick={onClose}>
            {frame("cancel")}
          </Button>
          <Submit look="danger" isPending={work.isPending} waitSeconds={wait}>
            {t("deleteAccount")}
          </Submit>
        </div>
      </form>
    </Dialog>
  );
}
