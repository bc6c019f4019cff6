/** What administrators change while the server runs. */

import { useCallback, useState } from "react";
import { Button } from "../design/button.tsx";
import { notify } from "../design/toast.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { Await } from "../settings/await.tsx";
import { Choice } from "../settings/choice.tsx";
import { Group } from "../settings/frame.tsx";
import { useLoaded } from "../settings/loading.ts";
import { Problem } from "../welcome/problem.tsx";
import { Submit } from "../welcome/submit.tsx";
import styles from "./manage.module.css";
import { REGISTRATIONS, type Registration, type ServerSettings } from "./shapes.ts";
import { words } from "./words.ts";

const NAMES = { open: "registrationOpen", invitation: "registrationInvitation", closed: "registrationClosed" } as const;
const TEXTS = {
  open: "registrationOpenText",
  invitation: "registrationInvitationText",
  closed: "registrationClosedText",
} as const;

export function ServerSection() {
  const t = useWords(words);
  const { rest } = useActions();
  const work = useWork();
  /** Not yet sent: the arrow keys pass over choices that nobody wants. */
  const [chosen, setChosen] = useState<Registration>();
  const settings = useLoaded(
    useCallback((signal) => rest.call<ServerSettings>("GET", "/admin/settings", { signal }), [rest]),
  );

  function save(registration: Registration | null): void {
    void work.run(async () => {
      const changed = await rest.call<ServerSettings>("PATCH", "/admin/settings", { body: { registration } });
      settings.change(() => changed);
      setChosen(undefined);
      notify({ text: t("saved") });
    });
  }

  return (
    <Group title={t("registration")} hint={t("registrationHint")}>
      <Await loaded={settings}>
        {(data) => (
          <form
            className={styles["form"]}
            onSubmit={(event) => {
              event.preventDefault();
              save(chosen ?? data.registration);
            }}
          >
            <Choice
              label={t("registration")}
              value={chosen ?? data.registration}
              options={REGISTRATIONS.map((value) => ({ value, label: t(NAMES[value]) }))}
              onChange={setChosen}
            />
            <p>{t(TEXTS[chosen ?? data.registration])}</p>
            {data.is_registration_changed && (
              <p>{t("configured", { what: t(NAMES[data.configured_registration]) })}</p>
            )}
            <Problem error={work.error} />
            <div className={styles["row"]}>
              <Submit isPending={work.isPending}>{t("save")}</Submit>
              {data.is_registration_changed && <Button onClick={() => save(null)}>{t("asConfigured")}</Button>}
            </div>
          </form>
        )}
      </Await>
    </Group>
  );
}
