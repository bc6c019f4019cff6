/** One message that was found, and the way to it. */

import { Lock } from "lucide-react";
import { memo } from "react";
import { Link } from "wouter";
import { Avatar } from "../design/avatar.tsx";
import { useChat } from "../engine/state.ts";
import { fullTime, shortWhen } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { agentName, chatName } from "../shell/names.ts";
import { chatPlace } from "../shell/places.ts";
import styles from "./hit-link.module.css";
import { textOf, type Hit } from "./hits.ts";
import { foundIn, readableSnippet, snippetOf } from "./snippet.ts";
import { words } from "./words.ts";

interface HitLinkProps {
  readonly hit: Hit;
  /** As it was typed. */
  readonly query: string;
  readonly terms: readonly string[];
}

export const HitLink = memo(function HitLink({ hit, query, terms }: HitLinkProps) {
  const t = useWords(words);
  const { message } = hit;
  const conversation = useChat((state) => state.conversations[message.conversation_id]);
  const agents = useChat((state) => state.agents);
  const self = useChat((state) => state.self);
  const plain = useChat((state) => state.plain);
  const agentId = conversation?.agent_id ?? message.agent_id ?? "";
  const isMine = message.sender_type === "client";
  const sender = isMine ? t("you") : agentName(agents, agentId);
  const chat = conversation === undefined ? agentName(agents, agentId) : chatName(conversation, agents);
  const at = new Date(message.created_at);
  const said = textOf(message, plain);
  const pieces = readableSnippet(said, hit.snippet === undefined ? terms : foundIn(hit.snippet)) ?? hit.snippet ?? snippetOf(said, terms);
  return (
    <Link href={chatPlace(message.conversation_id, message.message_id, query)} className={styles["hit"]}>
      <Avatar id={isMine ? (self?.userId ?? "") : agentId} name={isMine ? (self?.username ?? "") : sender} size="small" />
      <span className={styles["text"]}>
        <span className={styles["top"]}>
          <span className={styles["sender"]}>{sender}</span>
          {chat !== sender && <span className={styles["chat"]}>{chat}</span>}
          {message.kind === "encrypted" && (
            <>
              <Lock size={14} aria-hidden />
              <span className="visually-hidden">{t("encrypted")}</span>
            </>
          )}
          <time className={styles["when"]} dateTime={message.created_at} title={fullTime(at)}>
            {shortWhen(at)}
          </time>
        </span>
        <span className={styles["snippet"]}>
          {pieces.map(({ text, isMatch }, index) => (isMatch ? <mark key={index}>{text}</mark> : text))}
        </span>
      </span>
    </Link>
  );
});
