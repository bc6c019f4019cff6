/** For whoever has an invitation, and came without following its link. */

import { useState } from "react";
import { Field } from "../design/field.tsx";
import { useWords } from "../i18n/words.ts";
import { useFieldErrors } from "./field-errors.ts";
import { invitationIn } from "./invitation.ts";
import { Submit } from "./submit.tsx";
import styles from "./welcome.module.css";
import { words } from "./words.ts";

export function InvitationForm({ onInvitation }: { readonly onInvitation: (token: string) => void }) {
  const t = useWords(words);
  const [text, setText] = useState("");
  const { form, errors, tell } = useFieldErrors<"link">();
  return (
    <form
      ref={form}
      className={styles["form"]}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const token = invitationIn(text);
        if (token === undefined) tell({ link: t("noLink") });
        else onInvitation(token);
      }}
    >
      <Field
        label={t("link")}
        hint={t("linkHint")}
        error={errors.link}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        required
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Submit isPending={false}>{t("goOn")}</Submit>
    </form>
  );
}
