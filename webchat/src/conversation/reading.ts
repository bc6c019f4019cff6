/** Telling the server what has been seen: by somebody who looks at the window, and of what was on the screen. */

import { useEffect, useState } from "react";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import type { Row } from "./rows.ts";

// Long enough not to count what is scrolled past.
const SEEN_AFTER_MS = 250;

/** `last` is the lowest row of which the beginning is on the screen. */
export function useReading(conversationId: string, rows: readonly Row[], last: number): void {
  const actions = useActions();
  const isWatched = useWatched();
  const readUpTo = useChat((state) => state.conversations[conversationId]?.readUpTo ?? 0);
  const seen = newestOfAgent(rows, last);
  useEffect(() => {
    if (!isWatched || seen <= readUpTo) return undefined;
    const timer = setTimeout(() => actions.markRead(conversationId, seen), SEEN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [actions, conversationId, isWatched, seen, readUpTo]);
}

/** Its `conversation_seq`; 0 if there is none. */
function newestOfAgent(rows: readonly Row[], last: number): number {
  for (let index = Math.min(last, rows.length - 1); index >= 0; index--) {
    const row = rows[index]!;
    if (row.kind === "message" && !row.isOwn) return row.message.conversation_seq;
  }
  return 0;
}

/** The window is in front and has the focus. */
function useWatched(): boolean {
  const [isWatched, setWatched] = useState(watchedNow);
  useEffect(() => {
    const onChange = (): void => setWatched(watchedNow());
    const kinds = ["focus", "blur"] as const;
    for (const kind of kinds) addEventListener(kind, onChange);
    document.addEventListener("visibilitychange", onChange);
    return () => {
      for (const kind of kinds) removeEventListener(kind, onChange);
      document.removeEventListener("visibilitychange", onChange);
    };
  }, []);
  return isWatched;
}

function watchedNow(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}
