/** The credential of an agent, the one time it is known, in commands that make a program that agent; and whether it came. */

import { CircleCheck, LoaderCircle } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "../design/button.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { Choice } from "../settings/choice.tsx";
import { PROGRAM_KINDS, programOf, type ProgramKind } from "./agent-programs.ts";
import { agentWords } from "./agent-words.ts";
import styles from "./connect-agent.module.css";
import { Copyable } from "./copyable.tsx";
import type { NewAgent } from "./new-agent-form.tsx";
import { useOpenChat } from "./open-chat.ts";
import { Problem } from "./problem.tsx";

// The socket says when an agent comes, unless it is down at that moment.
const LOOK_EVERY_MS = 5000;

export function AgentCommands({ agent }: { readonly agent: NewAgent }) {
  const t = useWords(agentWords);
  const { rest } = useActions();
  const [kind, setKind] = useState<ProgramKind>("model");
  const name = agent.name || agent.agentId;
  const identity = { url: rest.url, agentId: agent.agentId, token: agent.token };
  return (
    <div className={styles["commands"]}>
      <p className={styles["once"]}>{t("credentialOnce", { agent: name })}</p>
      <Choice
        label={t("whatYouHave")}
        value={kind}
        options={PROGRAM_KINDS.map((each) => ({ value: each, label: t(each) }))}
        onChange={setKind}
      />
      <p>{t(`${kind}Text`)}</p>
      <Copyable label={kind === "python" ? "agent.py" : t("command")} text={programOf(kind, identity)} />
      <p className={styles["quiet"]}>{t("needsAmtrio")}</p>
      <Arrival agentId={agent.agentId} name={name} />
    </div>
  );
}

interface ArrivalProps {
  readonly agentId: string;
  readonly name: string;
}

function Arrival({ agentId, name }: ArrivalProps) {
  const t = useWords(agentWords);
  const actions = useActions();
  const chat = useOpenChat();
  const isOnline = useChat((state) => state.agents[agentId]?.online === true);
  useEffect(() => {
    if (isOnline) return undefined;
    // What goes wrong here goes wrong again in a moment, or is mended by then.
    const look = (): void => void actions.refreshAgents().catch(() => undefined);
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [actions, isOnline]);
  return (
    <>
      <div className={styles["arrival"]} role="status" data-online={isOnline || undefined}>
        {isOnline ? <CircleCheck size={20} aria-hidden /> : <LoaderCircle className={styles["turning"]} size={20} aria-hidden />}
        <span>{isOnline ? t("connected", { agent: name }) : t("waiting", { agent: name })}</span>
      </div>
      {isOnline && (
        <Button look="primary" aria-disabled={chat.isPending} onClick={() => chat.open(agentId)}>
          {t("openChat")}
        </Button>
      )}
      <Problem error={chat.error} />
    </>
  );
}
