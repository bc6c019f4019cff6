/** Tells screen readers, politely and once, what an agent said: a finished message, never its pieces. */

import { useEffect, useRef, useState } from "react";
import type { Message } from "@amtrio/client";
import { chat, useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { filesIn, inOneLine, textIn } from "./message-text.ts";
import type { Row } from "./rows.ts";
import { words } from "./words.ts";

// As much as one listens to before deciding whether to go there.
const SAID_AT_MOST = 200;

interface AnnouncerProps {
  readonly rows: readonly Row[];
  readonly agentName: string;
  /** Otherwise what comes at the end of the list is old. */
  readonly reachesPresent: boolean;
}

export function Announcer({ rows, agentName, reachesPresent }: AnnouncerProps) {
  const t = useWords(words);
  const [said, setSaid] = useState({ seq: 0, text: "" });
  const newest = reachesPresent ? newestOfAgent(rows) : undefined;
  const text = useChat((state) => (newest === undefined ? undefined : textIn(state.plain, newest)));
  // Undefined: what is new cannot be told from what is old yet.
  const knownUpTo = useRef(reachesPresent ? (newest?.conversation_seq ?? 0) : undefined);
  const newestSeq = newest?.conversation_seq ?? 0;
  useEffect(() => {
    // Deleted since, or no longer the end of what is shown. What is taken out of a live region is not said.
    setSaid((before) => (newestSeq < before.seq ? { ...before, text: "" } : before));
  }, [newestSeq]);
  useEffect(() => {
    if (newest === undefined) return;
    const { conversation_seq: seq } = newest;
    const isNew = knownUpTo.current !== undefined && seq > knownUpTo.current;
    // It is still being deciphered: what it says comes in a moment.
    if (isNew && text === undefined) return;
    knownUpTo.current = Math.max(seq, knownUpTo.current ?? 0);
    if (!isNew) return;
    const line = text === null ? t("unreadable") : inOneLine(text ?? "", SAID_AT_MOST);
    setSaid({ seq, text: `${agentName}: ${line || t("file", { n: filesIn(chat.getState().sealedFiles, newest).length })}` });
    // oxlint-disable-next-line react/exhaustive-deps -- another language says nothing anew
  }, [newest, text, agentName]);
  return (
    <div className="visually-hidden" aria-live="polite" aria-atomic>
      {/* Another element, or the same words would be said only the first time. */}
      <span key={said.seq}>{said.text}</span>
    </div>
  );
}

function newestOfAgent(rows: readonly Row[]): Message | undefined {
  const row = rows.findLast((each) => each.kind === "message" && !each.isOwn);
  return row?.kind === "message" ? row.message : undefined;
}
