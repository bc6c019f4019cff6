/** Whom one is talking with, whether they are there, whether anybody else can read it, and what can be done. */

import { ArrowLeft, BellOff, EllipsisVertical, Lock, ShieldAlert, ShieldCheck } from "lucide-react";
import { lazy, Suspense, useRef, useState } from "react";
import { Link } from "wouter";
import { Avatar } from "../design/avatar.tsx";
import { IconButton } from "../design/button.tsx";
import { useChat, type ChatConversation } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./header.module.css";
import { isMutedNow } from "./muting.ts";
import { openDialog } from "./opened.ts";
import { StatusLine } from "./status-line.tsx";
import { words } from "./words.ts";

const ConversationMenu = lazy(() => import("./conversation-menu.tsx"));

interface HeaderProps {
  readonly conversation: ChatConversation;
  readonly agentName: string;
}

export function Header({ conversation, agentName }: HeaderProps) {
  const t = useWords(words);
  const { conversation_id: conversationId, agent_id: agentId, title } = conversation;
  // Without a connection nobody knows.
  const status = useChat((state) =>
    state.link.kind === "offline" ? undefined : statusOf(state.agents[agentId]?.online, state.agents[agentId]?.status),
  );
  const options = useRef<HTMLButtonElement>(null);
  const [isMenuOpen, setMenuOpen] = useState(false);
  return (
    <header className={styles["header"]}>
      <Link href="/" className={styles["back"]} aria-label={t("back")} title={t("back")}>
        <ArrowLeft size={22} aria-hidden />
      </Link>
      <div className={styles["who"]}>
        <Avatar id={agentId} name={agentName} status={status} />
        <div className={styles["names"]}>
          <h1 className={styles["title"]}>
            <button type="button" title={t("about", { name: agentName })} onClick={() => openDialog({ kind: "agent" })}>
              {title ?? agentName}
            </button>
          </h1>
          <StatusLine conversationId={conversationId} agentId={agentId} prefix={title === null ? undefined : agentName} />
        </div>
      </div>
      {isMutedNow(conversation.muted_until) && (
        <span className={styles["mark"]} title={t("muted")}>
          <BellOff size={17} role="img" aria-label={t("muted")} />
        </span>
      )}
      <LockButton conversationId={conversationId} agentName={agentName} />
      <IconButton
        ref={options}
        label={t("options")}
        icon={<EllipsisVertical size={20} aria-hidden />}
        aria-haspopup="menu"
        aria-expanded={isMenuOpen}
        onClick={() => setMenuOpen(!isMenuOpen)}
      />
      <Suspense>
        {isMenuOpen && (
          <ConversationMenu
            conversation={conversation}
            agentName={agentName}
            opener={options}
            onClose={() => setMenuOpen(false)}
          />
        )}
      </Suspense>
    </header>
  );
}

function LockButton({ conversationId, agentName }: { readonly conversationId: string; readonly agentName: string }) {
  const t = useWords(words);
  const secrecy = useChat((state) => state.secrecy[conversationId]);
  if (secrecy === undefined || secrecy.kind === "off" || secrecy.kind === "unavailable") return null;
  const isChanged = secrecy.kind === "changed";
  const isVerified = secrecy.kind === "on" && secrecy.verified;
  const Icon = isChanged ? ShieldAlert : isVerified ? ShieldCheck : Lock;
  return (
    <IconButton
      className={isChanged ? styles["lockChanged"] : undefined}
      label={isChanged ? t("lockChanged") : isVerified ? t("lockedVerified") : t("locked", { name: agentName })}
      icon={<Icon size={18} aria-hidden />}
      onClick={() => openDialog({ kind: "encryption" })}
    />
  );
}

/** What the dot of the avatar shows; none as long as nothing is known. */
function statusOf(isOnline: boolean | undefined, status: string | undefined): string | undefined {
  if (isOnline === undefined) return undefined;
  return isOnline ? (status ?? "online") : "offline";
}
