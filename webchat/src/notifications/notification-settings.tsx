/** How one is told of new messages: on this device, and by all of them. For the settings page. */

import { useEffect, useState } from "react";
import { Button } from "../design/button.tsx";
import { Switch } from "../design/field.tsx";
import { notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { askPermission, permission } from "./desktop.ts";
import styles from "./notification-settings.module.css";
import { changePreferences, usePreferences } from "./preferences.ts";
import { disablePush, enablePush, pushState } from "./push.ts";
import { QuietSettings } from "./quiet-settings.tsx";
import { playTone } from "./sound.ts";
import { words } from "./words.ts";

export function NotificationSettings() {
  const t = useWords(words);
  const { sound, preview } = usePreferences();
  return (
    <div className={styles["settings"]}>
      <section aria-labelledby="notify-device" className={styles["group"]}>
        <h3 id="notify-device">{t("device")}</h3>
        <Switch
          label={t("sound")}
          hint={t("soundHint")}
          checked={sound}
          onChange={(on) => {
            changePreferences({ sound: on });
            if (on) playTone();
          }}
        />
        {sound && (
          <Button className={styles["try"]} onClick={() => playTone()}>
            {t("tryTone")}
          </Button>
        )}
        <Desktop />
        <Push />
        <Switch
          label={t("preview")}
          hint={t("previewHint")}
          checked={preview}
          onChange={(on) => changePreferences({ preview: on })}
        />
      </section>
      <section aria-labelledby="notify-account" className={styles["group"]}>
        <h3 id="notify-account">{t("account")}</h3>
        <QuietSettings />
      </section>
    </div>
  );
}

/** On only while the browser permits it, too: a switch that is on and does nothing lies. */
function Desktop() {
  const t = useWords(words);
  const { desktop } = usePreferences();
  const [allowed, setAllowed] = useState(permission);
  const isImpossible = allowed === "denied" || allowed === "unsupported";
  const hint = {
    default: t("desktopAsk"),
    granted: t("desktopHint"),
    denied: t("desktopDenied"),
    unsupported: t("desktopUnsupported"),
  }[allowed];

  async function change(on: boolean): Promise<void> {
    const now = on && allowed === "default" ? await askPermission() : allowed;
    setAllowed(now);
    changePreferences({ desktop: on && now === "granted" });
  }

  return (
    <Switch
      label={t("desktop")}
      hint={hint}
      checked={desktop && allowed === "granted"}
      disabled={isImpossible}
      onChange={(on) => void change(on)}
    />
  );
}

function Push() {
  const t = useWords(words);
  const { rest } = useActions();
  const [state, setState] = useState<Awaited<ReturnType<typeof pushState>>>();
  const [isBusy, setIsBusy] = useState(false);

  useEffect(() => {
    let isCurrent = true;
    pushState().then((known) => isCurrent && setState(known), notifyError);
    return () => {
      isCurrent = false;
    };
  }, []);

  async function change(on: boolean): Promise<void> {
    setIsBusy(true);
    try {
      await (on ? enablePush(rest) : disablePush(rest));
    } catch (error) {
      notifyError(error);
    }
    setState(await pushState());
    setIsBusy(false);
  }

  const hint = state === "denied" ? t("pushDenied") : t(state === "unsupported" ? "pushUnsupported" : "pushHint");
  return (
    <Switch
      label={t("push")}
      hint={hint}
      checked={state === "on"}
      disabled={isBusy || (state !== "on" && state !== "off")}
      onChange={(on) => void change(on)}
    />
  );
}
