/** One conversation of the list: who, when, what was said last, and what waits to be read. */

import { BellOff, MoreHorizontal, Pin } from "lucide-react";
import { memo, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { Link } from "wouter";
import { useWaitingQuestion } from "../../answer/waiting-question.ts";
import { Avatar } from "../../design/avatar.tsx";
import { classes } from "../../design/classes.ts";
import { useChat } from "../../engine/state.ts";
import { fullTime, shortWhen } from "../../i18n/dates.ts";
import { useToday } from "../../i18n/today.ts";
import { useWords } from "../../i18n/words.ts";
import { isMuted } from "../../notifications/muted.ts";
import { agentName, chatName, presenceOf } from "../names.ts";
import { chatPlace } from "../places.ts";
import styles from "./conversation-row.module.css";
import { useLongPress } from "./long-press.ts";
import { PreviewLine } from "./preview-line.tsx";
import { closeRowMenu, openRowMenu, useIsRowMenuOpen } from "./row-menu-state.ts";
import { words } from "./words.ts";

interface ConversationRowProps {
  readonly id: string;
  readonly isOpen: boolean;
  /** The one row that Tab reaches; arrows walk from there. */
  readonly isTabStop: boolean;
}

export const ConversationRow = memo(function ConversationRow({ id, isOpen, isTabStop }: ConversationRowProps) {
  const t = useWords(words);
  const conversation = useChat((state) => state.conversations[id]);
  const agent = useChat((state) => (conversation === undefined ? undefined : state.agents[conversation.agent_id]));
  // Without a connection nobody knows who is there.
  const isCut = useChat((state) => state.link.kind === "offline");
  const isAsking = useWaitingQuestion(id) !== undefined;
  const isMenuOpen = useIsRowMenuOpen(id);
  const today = useToday();
  const press = useLongPress((point) => openRowMenu({ conversationId: id, opener: document.getElementById(rowId(id))!, point }));
  if (conversation === undefined) return null;

  const agents = agent === undefined ? {} : { [agent.agent_id]: agent };
  const name = chatName(conversation, agents);
  const agentsName = agentName(agents, conversation.agent_id);
  const presence = isCut ? undefined : presenceOf(agent);
  const quiet = isMuted(conversation.muted_until);
  const at = conversation.last === null ? undefined : new Date(conversation.last.created_at);

  function openMenu(event: MouseEvent<HTMLElement>): void {
    event.preventDefault();
    // A menu key has no place of its own.
    const isPointer = event.clientX !== 0 || event.clientY !== 0;
    const opener = event.currentTarget;
    openRowMenu({ conversationId: id, opener, ...(isPointer && { point: { x: event.clientX, y: event.clientY } }) });
  }

  function menuKey(event: KeyboardEvent<HTMLElement>): void {
    if (event.key !== "ContextMenu" && !(event.shiftKey && event.key === "F10")) return;
    event.preventDefault();
    openRowMenu({ conversationId: id, opener: event.currentTarget });
  }

  return (
    <div className={styles["row"]}>
      <Link
        id={rowId(id)}
        href={chatPlace(id)}
        className={styles["link"]}
        aria-current={isOpen ? "page" : undefined}
        tabIndex={isTabStop ? 0 : -1}
        data-tabstop={isTabStop || undefined}
        draggable={false}
        onClick={closeRowMenu}
        onContextMenu={openMenu}
        onKeyDown={menuKey}
        {...press}
      >
        <Avatar id={conversation.agent_id} name={agentsName} status={presence} />
        <span className={styles["text"]}>
          <span className={styles["top"]}>
            <span className={styles["name"]}>{name}</span>
            {presence !== undefined && <span className="visually-hidden">, {t(presence)}</span>}
            {conversation.pinned && <Mark icon={<Pin size={14} aria-hidden />} label={t("pinned")} />}
            {quiet && <Mark icon={<BellOff size={14} aria-hidden />} label={t("muted")} />}
            {at !== undefined && (
              <time className={styles["when"]} dateTime={at.toISOString()} title={fullTime(at)}>
                {shortWhen(at, new Date(today))}
              </time>
            )}
          </span>
          <span className={styles["bottom"]}>
            {name !== agentsName && (
              <span className={styles["agent"]}>
                <bdi>{agentsName}</bdi>
              </span>
            )}
            <PreviewLine id={id} isOpen={isOpen} />
            {conversation.unread === 0 && isAsking && (
              <span className={classes(styles["badge"], quiet && styles["quiet"])} aria-hidden>
                ?
              </span>
            )}
            {conversation.unread > 0 && (
              <span className={classes(styles["badge"], quiet && styles["quiet"])}>
                <span aria-hidden>{conversation.unread > 999 ? "999+" : conversation.unread}</span>
                <span className="visually-hidden">{t("unread", { n: conversation.unread })}</span>
              </span>
            )}
          </span>
        </span>
      </Link>
      <button
        type="button"
        className={styles["more"]}
        aria-label={t("more", { name })}
        aria-haspopup="menu"
        aria-expanded={isMenuOpen}
        tabIndex={isTabStop ? 0 : -1}
        onClick={(event) => (isMenuOpen ? closeRowMenu() : openRowMenu({ conversationId: id, opener: event.currentTarget }))}
      >
        <MoreHorizontal size={18} aria-hidden />
      </button>
    </div>
  );
});

/** Of the link of a conversation, so that the list can give it the focus. */
export function rowId(conversationId: string): string {
  return `chat-${conversationId}`;
}

function Mark({ icon, label }: { readonly icon: ReactNode; readonly label: string }) {
  return (
    <span className={styles["mark"]} title={label}>
      {icon}
      <span className="visually-hidden">{label}</span>
    </span>
  );
}
