/** What an agent is doing right now, in a few words under its name. Not read out by itself. */

import { useEffect, useReducer } from "react";
import { isBeingStopped } from "../answer/stopping.ts";
import { useWaitingQuestion } from "../answer/waiting-question.ts";
import { useChat } from "../engine/state.ts";
import { ago } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { useIsTyping } from "../shell/sidebar/typing.ts";
import styles from "./header.module.css";
import { words } from "./words.ts";

// "3 min ago" goes on.
const EVERY_MS = 30_000;

interface StatusLineProps {
  readonly conversationId: string;
  readonly agentId: string;
  /** Its name, where a title stands above. */
  readonly prefix: string | undefined;
}

export function StatusLine({ conversationId, agentId, prefix }: StatusLineProps) {
  const t = useWords(words);
  const agent = useChat((state) => state.agents[agentId]);
  const isAnswering = useChat((state) => (state.runs[conversationId]?.length ?? 0) > 0);
  const isStopping = useChat(({ runs, stopping }) => isBeingStopped(stopping[runs[conversationId]?.at(-1) ?? ""]));
  const isAsking = useWaitingQuestion(conversationId) !== undefined;
  const isTyping = useIsTyping(conversationId);
  const isCut = useChat((state) => state.link.kind === "offline");
  useMinutes();
  // Without a connection nobody knows.
  const isWriting = !isCut && (isTyping || isAnswering);
  const text = isWriting ? t(isStopping ? "stopping" : isAsking ? "asking" : "writing") : presence();
  return (
    <span className={styles["status"]} data-writing={isWriting || undefined}>
      {[prefix, text].filter(Boolean).join(" · ")}
    </span>
  );

  function presence(): string {
    if (isCut || agent?.online === undefined) return "";
    if (!agent.online) return agent.last_seen ? t("lastSeen", { ago: ago(new Date(agent.last_seen)) }) : t("offline");
    if (agent.status === "busy") return agent.status_text ? t("busyWith", { text: agent.status_text }) : t("busy");
    return agent.status_text || t(agent.status === "idle" ? "idle" : "online");
  }
}

function useMinutes(): void {
  const [, drawAgain] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(drawAgain, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}
