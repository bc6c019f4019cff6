/** Which devices are woken when something is said, and taking one off. */

import { BellRing } from "lucide-react";
import { useCallback, useState } from "react";
import { Button } from "../design/button.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Problem } from "../welcome/problem.tsx";
import { Await } from "./await.tsx";
import { useLoaded } from "./loading.ts";
import { Row, Rows } from "./rows.tsx";
import { words } from "./words.ts";

interface PushDevice {
  readonly id: string;
  readonly platform: string;
  readonly created_at: string;
  readonly updated_at: string;
  /** Registered by the login that asks. */
  readonly current: boolean;
}

const PLATFORMS = { web: "platformWeb", ios: "platformIos", android: "platformAndroid" } as const;

export function PushDevices() {
  const t = useWords(words);
  const { rest } = useActions();
  const work = useWork();
  const [removing, setRemoving] = useState<string>();
  const devices = useLoaded(
    useCallback((signal) => rest.call<PushDevice[]>("GET", "/push/devices", { signal }), [rest]),
  );

  function remove(id: string): void {
    setRemoving(id);
    void work.run(async () => {
      await rest.call("DELETE", `/push/devices/${encodeURIComponent(id)}`);
      devices.change((now) => now.filter((each) => each.id !== id));
    });
  }

  return (
    <>
      <Await loaded={devices}>
        {(data) =>
          data.length === 0 ? (
            <p>{t("noPushDevices")}</p>
          ) : (
            <Rows label={t("pushDevices")}>
              {data.map(({ id, platform, updated_at: at, current }) => {
                const word = PLATFORMS[platform as keyof typeof PLATFORMS];
                const name = word === undefined ? platform : t(word);
                const isPending = work.isPending && removing === id;
                return (
                  <Row
                    key={id}
                    icon={<BellRing size={22} aria-hidden />}
                    title={name}
                    badge={current ? t("thisDevice") : undefined}
                    text={t("pushSince", { when: fullTime(new Date(at)) })}
                    action={
                      <Button
                        aria-label={t("removeThis", { name })}
                        aria-busy={isPending || undefined}
                        onClick={() => remove(id)}
                      >
                        {t("remove")}
                      </Button>
                    }
                  />
                );
              })}
            </Rows>
          )
        }
      </Await>
      <Problem error={work.error} />
    </>
  );
}
