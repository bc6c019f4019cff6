/** Where one is signed in, and ending it from afar. */

import type { Session } from "@amtrio/client";
import { Monitor, Smartphone, SquareTerminal } from "lucide-react";
import { useCallback, useState } from "react";
import { Button } from "../design/button.tsx";
import { useActions } from "../engine/actions.ts";
import { ago, fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Await } from "./await.tsx";
import { Confirm } from "./confirm.tsx";
import { Group } from "./frame.tsx";
import { useLoaded } from "./loading.ts";
import { PushDevices } from "./push-devices.tsx";
import { Row, Rows } from "./rows.tsx";
import { describe } from "./user-agent.ts";
import { words } from "./words.ts";

export function SessionsSection() {
  const t = useWords(words);
  const { rest } = useActions();
  const sessions = useLoaded(useCallback(() => rest.sessions(), [rest]));
  const [ending, setEnding] = useState<Session | "others">();
  const others = sessions.data?.filter((session) => !session.current) ?? [];

  async function end(ended: readonly Session[]): Promise<void> {
    for (const session of ended) {
      // One after the other, each told at once: if one fails the list is right all the same.
      await rest.endSession(session.session_id);
      sessions.change((now) => now.filter((each) => each.session_id !== session.session_id));
    }
  }

  return (
    <>
      <Group hint={t("sessionsHint")}>
        <Await loaded={sessions}>
          {(data) => (
            <Rows label={t("sessions")}>
              {data.map((session) => (
                <SessionRow key={session.session_id} session={session} onEnd={() => setEnding(session)} />
              ))}
            </Rows>
          )}
        </Await>
        {others.length > 0 && (
          <div>
            <Button look="danger" onClick={() => setEnding("others")}>
              {t("endOthers")}
            </Button>
          </div>
        )}
      </Group>
      <Group title={t("pushDevices")} hint={t("pushDevicesHint")}>
        <PushDevices />
      </Group>
      {ending !== undefined && (
        <Confirm
          title={ending === "others" ? t("endOthers") : t("endSession")}
          action={ending === "others" ? t("endOthers") : t("endSession")}
          onConfirm={() => end(ending === "others" ? others : [ending])}
          onClose={() => setEnding(undefined)}
        >
          <p>{ending === "others" ? t("endOthersText", { n: others.length }) : t("endSessionText")}</p>
        </Confirm>
      )}
    </>
  );
}

interface SessionRowProps {
  readonly session: Session;
  readonly onEnd: () => void;
}

function SessionRow({ session, onEnd }: SessionRowProps) {
  const t = useWords(words);
  const { program, system, isPhone } = describe(session.user_agent);
  const Icon = isPhone ? Smartphone : system === undefined ? SquareTerminal : Monitor;
  const known = program === "" ? t("unknownProgram") : program;
  const name = system === undefined ? known : t("onSystem", { program: known, system });
  const used = new Date(session.last_used_at);
  return (
    <Row
      icon={<Icon size={22} aria-hidden />}
      title={<span title={session.user_agent}>{name}</span>}
      badge={session.current ? t("thisDevice") : undefined}
      text={
        <>
          <time dateTime={session.last_used_at} title={fullTime(used)}>
            {t("lastUsed", { when: ago(used) })}
          </time>
          {session.address !== "" && ` · ${session.address}`}
          {` · ${t("signedIn", { when: fullTime(new Date(session.created_at)) })}`}
        </>
      }
      action={
        !session.current && (
          <Button aria-label={t("endThis", { name })} onClick={onEnd}>
            {t("end")}
          </Button>
        )
      }
    />
  );
}
