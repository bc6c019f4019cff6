/** What stands where conversations will be: whom one can talk with, and how agents get here. */

import type { AgentInfo } from "@amtrio/client";
import { Plug } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import { Avatar } from "../design/avatar.tsx";
import { Button } from "../design/button.tsx";
import { chat, useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { agentWords } from "./agent-words.ts";
import { ConnectAgent } from "./connect-agent.tsx";
import { forgetLastMade, lastMade } from "./last-made.ts";
import { Mark } from "./mark.tsx";
import styles from "./onboarding.module.css";
import { useOpenChat } from "./open-chat.ts";
import { Problem } from "./problem.tsx";

export function Onboarding() {
  const t = useWords(agentWords);
  const name = useChat((state) => state.self?.username ?? "");
  const isAdmin = useChat((state) => state.account?.is_admin === true);
  return (
    <div className={styles["page"]}>
      <div className={styles["column"]}>
        <header className={styles["hello"]}>
          <Mark size={56} />
          <h1>{t("hello", { name })}</h1>
          <p>{t("helloText")}</p>
        </header>
        <Agents />
        {isAdmin ? <Connect /> : <p className={styles["quiet"]}>{t("askSomebody")}</p>}
      </div>
    </div>
  );
}

function Agents() {
  const t = useWords(agentWords);
  const agents = useChat((state) => state.agents);
  const listed = useMemo(() => Object.values(agents).toSorted(byUse), [agents]);
  const talk = useOpenChat();
  return (
    <section className={styles["section"]} aria-labelledby="agents-here">
      <h2 id="agents-here">{t("agentsHere")}</h2>
      {listed.length === 0 && <p className={styles["quiet"]}>{t("noAgents")}</p>}
      <ul className={styles["agents"]}>
        {listed.map((agent, index) => (
          <AgentRow
            key={agent.agent_id}
            agent={agent}
            isMain={index === 0}
            isPending={talk.isPending}
            onOpen={() => talk.open(agent.agent_id)}
          />
        ))}
      </ul>
      <Problem error={talk.error} />
    </section>
  );
}

interface AgentRowProps {
  readonly agent: AgentInfo;
  readonly isMain: boolean;
  readonly isPending: boolean;
  readonly onOpen: () => void;
}

function AgentRow({ agent, isMain, isPending, onOpen }: AgentRowProps) {
  const t = useWords(agentWords);
  const name = nameOf(agent);
  const says = agent.description || agent.specialty || agent.model;
  return (
    <li className={styles["agent"]}>
      <Avatar id={agent.agent_id} name={name} status={agent.online === true ? (agent.status ?? "online") : "offline"} />
      <div className={styles["who"]}>
        <strong>{name}</strong> <small>{agent.online === true ? t("online") : t("away")}</small>
        {says !== undefined && says !== "" && <p>{says}</p>}
      </div>
      <Button
        look={isMain ? "primary" : "plain"}
        aria-label={t("sayHelloTo", { name })}
        aria-disabled={isPending || undefined}
        onClick={onOpen}
      >
        {t("sayHello")}
      </Button>
    </li>
  );
}

function Connect() {
  const t = useWords(agentWords);
  const by = useChat((state) => state.self?.userId);
  const made = useStore(lastMade, (state) => (state.by === by ? state.agent : undefined));
  const [isOpen, setOpen] = useState(made !== undefined);
  useEffect(
    () => () => {
      const { agent } = lastMade.getState();
      if (agent !== undefined && chat.getState().agents[agent.agentId]?.online === true) forgetLastMade();
    },
    [],
  );
  return (
    <section className={styles["connect"]} aria-labelledby="connect-agent">
      <h2 id="connect-agent">
        <Plug size={20} aria-hidden /> {t("connectTitle")}
      </h2>
      <p>{t("connectText")}</p>
      {isOpen ? (
        <ConnectAgent
          made={made}
          onCancel={() => setOpen(false)}
          onMade={(agent) => lastMade.setState({ agent, by })}
        />
      ) : (
        <Button onClick={() => setOpen(true)}>{t("connect")}</Button>
      )}
    </section>
  );
}

const DEMO = "demo";

/** The demo agent first, since it answers everybody; then whoever is there. */
function byUse(one: AgentInfo, other: AgentInfo): number {
  const rank = (agent: AgentInfo): number => (agent.online === true ? 0 : 2) - (agent.agent_id === DEMO ? 1 : 0);
  return rank(one) - rank(other) || nameOf(one).localeCompare(nameOf(other));
}

function nameOf(agent: AgentInfo): string {
  return agent.name || agent.agent_id;
}
