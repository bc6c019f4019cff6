/**
 * Says that an answer was stopped before it said anything: the server keeps no message of such a run, so there is nothing
 * in the list that could, now or later.
 */

import { useEffect } from "react";
import { notify } from "../design/toast.tsx";
import { chat } from "../engine/state.ts";
import { sayNow } from "../i18n/words.ts";
import { words } from "./words.ts";

export function useSilentStop(conversationId: string): void {
  useEffect(() => {
    const stopped = new Set<string>();
    return chat.subscribe(({ runs, stopping }, before) => {
      if (runs === before.runs && stopping === before.stopping) return;
      const ended = (before.runs[conversationId] ?? []).filter((runId) => !runs[conversationId]?.includes(runId));
      for (const runId of Object.keys(before.stopping)) stopped.add(runId);
      // What it has left, if anything, is put into the list right after.
      if (ended.some((runId) => stopped.delete(runId))) queueMicrotask(() => sayIfSilent(conversationId));
    });
  }, [conversationId]);
}

function sayIfSilent(conversationId: string): void {
  const { timelines, secrecy } = chat.getState();
  const timeline = timelines[conversationId];
  // An encrypted answer is a message that comes later. What was asked still is the newest: nothing came after it.
  const isLast = timeline?.hasNewer === false && timeline.messages.at(-1)?.sender_type === "client";
  if (isLast && secrecy[conversationId]?.kind !== "on") notify({ text: sayNow(words, "silentlyStopped") });
}
