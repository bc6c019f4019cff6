/** A link with which somebody makes an account; it is shown once. */

import { useState } from "react";
import { Button } from "../design/button.tsx";
import { Field, Switch } from "../design/field.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Select } from "../settings/select.tsx";
import { TIERS, useTierName, type Tier } from "../settings/tiers.ts";
import { Copyable } from "../welcome/copyable.tsx";
import { useFieldErrors } from "../welcome/field-errors.ts";
import { Problem } from "../welcome/problem.tsx";
import { Submit } from "../welcome/submit.tsx";
import styles from "./manage.module.css";
import { words } from "./words.ts";

interface Invited {
  readonly link: string;
  readonly expires_at: string;
}

// Hours; the server takes any number up to a year.
const LIVES = { "24": "aDay", "168": "aWeek", "720": "aMonth", "8760": "aYear" } as const;
const MAX_USES = 10_000;

interface NewInvitationProps {
  readonly onMade: () => void;
  readonly onClose: () => void;
}

export function NewInvitation({ onMade, onClose }: NewInvitationProps) {
  const t = useWords(words);
  const [invited, setInvited] = useState<Invited>();
  if (invited === undefined) {
    return (
      <InvitationForm
        onMade={(made) => {
          setInvited(made);
          onMade();
        }}
      />
    );
  }
  return (
    <>
      <p role="status">{t("linkOnce", { when: fullTime(new Date(invited.expires_at)) })}</p>
      <Copyable label={t("invitationLink")} text={invited.link} />
      <div className={styles["row"]}>
        <Button onClick={onClose}>{t("done")}</Button>
      </div>
    </>
  );
}

function InvitationForm({ onMade }: { readonly onMade: (invited: Invited) => void }) {
  const t = useWords(words);
  const tierName = useTierName();
  const { rest } = useActions();
  const work = useWork();
  const [note, setNote] = useState("");
  const [tier, setTier] = useState<Tier>("free");
  const [uses, setUses] = useState("1");
  const [hours, setHours] = useState<keyof typeof LIVES>("168");
  const [isAdmin, setAdmin] = useState(false);
  const { form, errors, tell } = useFieldErrors<"uses">();

  function submit(): void {
    const isCount = /^\d+$/.test(uses.trim()) && Number(uses) >= 1 && Number(uses) <= MAX_USES;
    tell(isCount ? {} : { uses: t("usesRule", { most: MAX_USES }) });
    if (!isCount) return;
    void work.run(async () => {
      const fields = { note: note.trim(), tier, uses: Number(uses), hours: Number(hours), is_admin: isAdmin };
      // As people reach the server from outside, which the server behind a proxy may not know.
      const body = { ...fields, origin: new URL(rest.url).origin };
      onMade(await rest.call<Invited>("POST", "/admin/invitations", { body }));
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
      <Field
        label={t("note")}
        hint={t("noteHint")}
        autoComplete="off"
        maxLength={200}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      <Select
        label={t("life")}
        value={hours}
        options={(Object.keys(LIVES) as (keyof typeof LIVES)[]).map((value) => ({ value, label: t(LIVES[value]) }))}
        onChange={setHours}
      />
      <Field
        label={t("uses")}
        error={errors.uses}
        inputMode="numeric"
        autoComplete="off"
        value={uses}
        onChange={(event) => setUses(event.target.value)}
      />
      <Select
        label={t("tier")}
        value={tier}
        options={TIERS.map((value) => ({ value, label: tierName(value) }))}
        onChange={setTier}
      />
      <Switch label={t("asAdministrator")} hint={t("asAdministratorHint")} checked={isAdmin} onChange={setAdmin} />
      <Problem error={work.error} />
      <Submit isPending={work.isPending}>{t("makeInvitation")}</Submit>
    </form>
  );
}
