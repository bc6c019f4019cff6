/** Where a person is signed in, for an administrator to end. */

import type { Session } from "@amtrio/client";
import { useCallback, useState } from "react";
import { Button } from "../design/button.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { ago } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Await } from "../settings/await.tsx";
import { useLoaded } from "../settings/loading.ts";
import { Row, Rows } from "../settings/rows.tsx";
import { describe } from "../settings/user-agent.ts";
import { Problem } from "../welcome/problem.tsx";
import type { AdminUser } from "./shapes.ts";
import { words } from "./words.ts";

interface UserSessionsProps {
  readonly user: AdminUser;
  readonly onCount: (sessions: number) => void;
}

export function UserSessions({ user, onCount }: UserSessionsProps) {
  const t = useWords(words);
  const { rest } = useActions();
  const work = useWork();
  const [ending, setEnding] = useState<string>();
  const path = `/admin/users/${encodeURIComponent(user.user_id)}/sessions`;
  const sessions = useLoaded(
    useCallback(
      async (signal) => (await rest.call<{ sessions: Session[] }>("GET", path, { signal })).sessions,
      [rest, path],
    ),
  );

  function end(ended: Session | "all"): void {
    setEnding(ended === "all" ? "all" : ended.session_id);
    void work.run(async () => {
      await rest.call("DELETE", ended === "all" ? path : `${path}/${encodeURIComponent(ended.session_id)}`);
      const left = ended === "all" ? [] : (sessions.data ?? []).filter((each) => each !== ended);
      sessions.change(() => left);
      onCount(left.length);
    });
  }

  return (
    <>
      <Await loaded={sessions}>
        {(data) =>
          data.length === 0 ? (
            <p>{t("noSessions")}</p>
          ) : (
            <>
              <Rows label={t("sessions")}>
                {data.map((session) => {
                  const { program, system } = describe(session.user_agent);
                  const name = [program || t("unknownProgram"), system].filter(Boolean).join(" · ");
                  return (
                    <Row
                      key={session.session_id}
                      title={<span title={session.user_agent}>{name}</span>}
                      text={`${ago(new Date(session.last_used_at))} · ${session.address}`}
                      action={
                        <Button
                          aria-label={t("endThis", { name })}
                          aria-busy={(work.isPending && ending === session.session_id) || undefined}
                          onClick={() => end(session)}
                        >
                          {t("end")}
                        </Button>
                      }
                    />
                  );
                })}
              </Rows>
              {data.length > 1 && (
                <div>
                  <Button aria-busy={(work.isPending && ending === "all") || undefined} onClick={() => end("all")}>
                    {t("endAll")}
                  </Button>
                </div>
              )}
            </>
          )
        }
      </Await>
      <Problem error={work.error} />
    </>
  );
}
