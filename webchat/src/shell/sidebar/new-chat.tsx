/** Whom one can talk with: choose an agent to open its chat, or begin another one with it. */

import { Plus } from "lucide-react";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useLocation } from "wouter";
import type { AgentInfo } from "@amtrio/client";
import { isComposing } from "../../composer/keys.ts";
import { Avatar } from "../../design/avatar.tsx";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { Field } from "../../design/field.tsx";
import { notifyError } from "../../design/toast.tsx";
import { useActions } from "../../engine/actions.ts";
import { useChat } from "../../engine/state.ts";
import { useWords } from "../../i18n/words.ts";
import { agentsFor } from "./agents-for.ts";
import { agentName, presenceOf } from "../names.ts";
import { beginChat } from "../new-chats.ts";
import { chatPlace } from "../places.ts";
import { words } from "./dialog-words.ts";
import styles from "./new-chat.module.css";
import { words as listWords } from "./words.ts";

export function NewChat({ onClose }: { readonly onClose: () => void }) {
  const t = useWords(words);
  const actions = useActions();
  const [, navigate] = useLocation();
  const agents = useChat((state) => state.agents);
  const conversations = useChat((state) => state.conversations);
  const [query, setQuery] = useState("");
  const list = useRef<HTMLUListElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const found = agentsFor(agents, query);
  const known = new Set(Object.values(conversations).map((each) => each.agent_id));

  // The dialog is open by now, and has put the focus on its first button.
  useEffect(() => search.current?.focus(), []);

  useEffect(() => {
    // What is known is shown meanwhile; without a connection it is all there is.
    actions.refreshAgents().catch(() => undefined);
  }, [actions]);

  // Twice on a slow connection would begin two.
  const isStarting = useRef(false);
  async function start(agentId: string, isNew = false): Promise<void> {
    if (isStarting.current) return;
    isStarting.current = true;
    try {
      const id = await (isNew ? beginChat(actions, agentId) : actions.openConversation(agentId));
      onClose();
      navigate(chatPlace(id));
    } catch (error) {
      notifyError(error);
    } finally {
      isStarting.current = false;
    }
  }

  /** Down and up walk from the field through the agents and back. */
  function walk(event: KeyboardEvent): void {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [...list.current!.querySelectorAll<HTMLElement>("[data-agent]")];
    const at = stops.indexOf(document.activeElement as HTMLElement);
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    if (next < 0) event.currentTarget.querySelector("input")?.focus();
    else stops[Math.min(next, stops.length - 1)]?.focus();
  }

  return (
    <Dialog title={t("newChatTitle")} onClose={onClose}>
      <div className={styles["choice"]} onKeyDown={walk}>
        <Field
          label={t("searchAgents")}
          type="search"
          ref={search}
          autoComplete="off"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !isComposing(event.nativeEvent) && found[0] !== undefined) void start(found[0].agent_id);
          }}
        />
        <ul ref={list} className={styles["agents"]} role="list">
          {found.map((agent) => (
            <li key={agent.agent_id}>
              <Agent
                agent={agent}
                isKnown={known.has(agent.agent_id)}
                onOpen={() => void start(agent.agent_id)}
                onBegin={() => void start(agent.agent_id, true)}
              />
            </li>
          ))}
        </ul>
        {found.length === 0 && (
          <p className={styles["none"]}>{query === "" ? t("noAgents") : t("noAgentFound", { query })}</p>
        )}
      </div>
    </Dialog>
  );
}

interface AgentProps {
  readonly agent: AgentInfo;
  /** There is a chat with it already. */
  readonly isKnown: boolean;
  readonly onOpen: () => void;
  readonly onBegin: () => void;
}

function Agent({ agent, isKnown, onOpen, onBegin }: AgentProps) {
  const t = useWords(words);
  const say = useWords(listWords);
  const name = agentName({ [agent.agent_id]: agent }, agent.agent_id);
  const presence = presenceOf(agent);
  const about = agent.description || agent.specialty || agent.personality;
  return (
    <div className={styles["agent"]}>
      <button type="button" className={styles["open"]} data-agent title={t(isKnown ? "openChat" : "firstChat", { name })} onClick={onOpen}>
        <Avatar id={agent.agent_id} name={name} status={presence} />
        <span className={styles["text"]}>
          <span className={styles["name"]}>{name}</span>
          <span className={styles["status"]}>
            {say(presence)}
            {presence !== "offline" && agent.status_text ? ` · ${agent.status_text}` : ""}
          </span>
          {about !== undefined && about !== "" && <span className={styles["about"]}>{about}</span>}
        </span>
      </button>
      <Button className={styles["begin"]} aria-label={t("beginWith", { name })} onClick={onBegin}>
        <Plus size={16} aria-hidden /> {t("newChatTitle")}
      </Button>
    </div>
  );
}
