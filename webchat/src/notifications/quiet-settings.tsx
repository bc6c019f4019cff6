/** When the account is left alone, on every device: kept by the server. */

import { useEffect, useId, useState } from "react";
import { Field, Switch } from "../design/field.tsx";
import { notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { FOR_EVER, isMuted } from "./muted.ts";
import styles from "./notification-settings.module.css";
import type { QuietPreferences } from "./quiet-hours.ts";
import { askQuiet, changeQuiet, useQuietPreferences } from "./server-preferences.ts";
import { words } from "./words.ts";

const USUAL = { quiet_from: "22:00", quiet_to: "07:00" } as const;

export function QuietSettings() {
  const t = useWords(words);
  const { rest } = useActions();
  const isOnline = useChat((state) => state.link.kind === "online");
  const quiet = useQuietPreferences();
  const [isBusy, setIsBusy] = useState(false);
  const isLocked = isBusy || !isOnline;

  useEffect(() => {
    if (isOnline) askQuiet(rest).catch(notifyError);
  }, [isOnline, rest]);

  async function change(changes: Partial<QuietPreferences>): Promise<void> {
    setIsBusy(true);
    try {
      await changeQuiet(rest, changes);
    } catch (error) {
      notifyError(error);
    }
    setIsBusy(false);
  }

  const hasHours = quiet.quiet_from !== null;
  return (
    <>
      <Switch
        label={t("pause")}
        hint={t("pauseHint")}
        checked={isMuted(quiet.muted_until)}
        disabled={isLocked}
        onChange={(on) => void change({ muted_until: on ? FOR_EVER : null })}
      />
      <Switch
        label={t("quiet")}
        hint={t("quietHint")}
        checked={hasHours}
        disabled={isLocked}
        onChange={(on) => void change(on ? { ...USUAL, time_zone: ownZone() } : { quiet_from: null, quiet_to: null })}
      />
      {hasHours && <Hours quiet={quiet} onChange={change} isLocked={!isOnline} />}
      {!isOnline && <p className={styles["note"]}>{t("offline")}</p>}
    </>
  );
}

interface HoursProps {
  readonly quiet: QuietPreferences;
  readonly onChange: (changes: Partial<QuietPreferences>) => Promise<void>;
  readonly isLocked: boolean;
}

function Hours({ quiet, onChange, isLocked }: HoursProps) {
  const t = useWords(words);
  const note = useId();
  const [from, setFrom] = useState(quiet.quiet_from ?? "");
  const [to, setTo] = useState(quiet.quiet_to ?? "");
  const isSame = from === to;

  // Changed elsewhere.
  useEffect(() => {
    setFrom(quiet.quiet_from ?? "");
    setTo(quiet.quiet_to ?? "");
  }, [quiet.quiet_from, quiet.quiet_to]);

  /** On leaving a field: half a time, while it is typed, is none. */
  function save(): void {
    if (from === "" || to === "" || isSame || (from === quiet.quiet_from && to === quiet.quiet_to)) return;
    void onChange({ quiet_from: from, quiet_to: to, time_zone: ownZone() });
  }

  return (
    <div role="group" aria-label={t("quiet")} aria-describedby={note}>
      <div className={styles["hours"]}>
        <Field
          label={t("from")}
          type="time"
          value={from}
          disabled={isLocked}
          onChange={(event) => setFrom(event.target.value)}
          onBlur={save}
        />
        <Field
          label={t("to")}
          type="time"
          value={to}
          disabled={isLocked}
          error={isSame ? t("sameTimes") : undefined}
          onChange={(event) => setTo(event.target.value)}
          onBlur={save}
        />
      </div>
      <p id={note} className={styles["note"]}>
        {t("zone", { zone: quiet.time_zone ?? ownZone() })}
      </p>
    </div>
  );
}

function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
