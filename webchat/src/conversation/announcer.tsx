/** Tells screen readers, politely and once, what an agent said: a finished message, never its pieces. */

import { useEffect, useRef, useState } from "react";
import type { Message } from "@amtrio/client";
import { chat } from "../engine/state.ts";
import { inOneLine, textIn } from "./message-text.ts";
import type { Row } from "./rows.ts";

// As much as one listens to before deciding whether to go there.
const SAID_AT_MOST = 200;

interface AnnouncerProps {
  readonly rows: readonly Row[];
  readonly agentName: string;
  /** Otherwise what comes at the end of the list is old. */
  readonly reachesPresent: boolean;
}

export function Announcer({ rows, agentName, reachesPresent }: AnnouncerProps) {
  const [said, setSaid] = useState("");
  const newest = reachesPresent ? newestOfAgent(rows) : undefined;
  // Undefined: what is new cannot be told from what is old yet.
  const knownUpTo = useRef(reachesPresent ? (newest?.conversation_seq ?? 0) : undefined);
  useEffect(() => {
    if (newest === undefined) return;
    const { conversation_seq: seq } = newest;
    const isNew = knownUpTo.current !== undefined && seq > knownUpTo.current;
    knownUpTo.current = Math.max(seq, knownUpTo.current ?? 0);
    if (isNew) setSaid(`${agentName}: ${inOneLine(textIn(chat.getState().plain, newest) ?? "", SAID_AT_MOST)}`);
  }, [newest, agentName]);
  return (
    <div className="visually-hidden" aria-live="polite" aria-atomic>
      {said}
    </div>
  );
}

function newestOfAgent(rows: readonly Row[]): Message | undefined {
  const row = rows.findLast((each) => each.kind === "message" && !each.isOwn);
  return row?.kind === "message" ? row.message : undefined;
}
