/** The small print of a message: when it was said, whether it was changed, how far it has come. */

import { Check, CheckCheck, CircleAlert, Clock, Lock } from "lucide-react";
import type { Message } from "@amtrio/client";
import type { ReactNode } from "react";
import { useChat, type Outgoing } from "../engine/state.ts";
import { fullTime, timeOfDay } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { deliveryOf, type Delivery } from "./delivery.ts";
import styles from "./message.module.css";
import { openDialog } from "./opened.ts";
import { words } from "./words.ts";

const ICONS = {
  waiting: Clock,
  sending: Clock,
  failed: CircleAlert,
  stored: Check,
  delivered: CheckCheck,
  read: CheckCheck,
} as const;
const NONE: readonly never[] = [];

interface MessageMetaProps {
  readonly message: Message;
  readonly isOwn: boolean;
  /** What can be done at its foot. */
  readonly children?: ReactNode;
}

export function MessageMeta({ message, isOwn, children }: MessageMetaProps) {
  const t = useWords(words);
  return (
    <footer className={styles["meta"]}>
      {message.kind === "encrypted" && <Lock size={11} role="img" aria-label={t("encrypted")} />}
      {message.steers !== undefined && <span>{t("steers")}</span>}
      {message.edited_at && (
        <button
          type="button"
          className={styles["edited"]}
          aria-label={t("editedLabel")}
          title={t("editedLabel")}
          onClick={() => openDialog({ kind: "edits", message })}
        >
          {t("edited")}
        </button>
      )}
      <Time at={new Date(message.created_at)} />
      {isOwn && <OwnState message={message} />}
      {children}
    </footer>
  );
}

export function OutgoingMeta({ outgoing }: { readonly outgoing: Outgoing }) {
  const t = useWords(words);
  return (
    <footer className={styles["meta"]}>
      {outgoing.encrypted && <Lock size={11} role="img" aria-label={t("encrypted")} />}
      <Time at={new Date(outgoing.createdAt)} />
      <State state={outgoing.state} />
    </footer>
  );
}

function Time({ at }: { readonly at: Date }) {
  return (
    <time dateTime={at.toISOString()} title={fullTime(at)}>
      {timeOfDay(at)}
    </time>
  );
}

function OwnState({ message }: { readonly message: Message }) {
  const state = useChat((known) =>
    deliveryOf(message.conversation_seq, known.conversations[message.conversation_id]?.receipts ?? NONE),
  );
  return <State state={state} />;
}

function State({ state }: { readonly state: Delivery | Outgoing["state"] }) {
  const t = useWords(words);
  const Icon = ICONS[state];
  return (
    <span className={styles["state"]} data-state={state} title={t(state)}>
      <Icon size={14} role="img" aria-label={t(state)} />
    </span>
  );
}
