/** The rows of one conversation, kept up to date with what is known of it. */

import { useEffect, useMemo, useRef, useState } from "react";
import { live } from "../engine/live.ts";
import { chat, useChat } from "../engine/state.ts";
import { useIsTyping } from "../shell/sidebar/typing.ts";
import { useRemoved } from "./removals.ts";
import { buildRows, type Row } from "./rows.ts";

const NONE: readonly never[] = [];

/** None as long as nothing is known. */
export function useRows(conversationId: string): readonly Row[] {
  const timeline = useChat((state) => state.timelines[conversationId]);
  const outgoing = useChat((state) => state.outgoing[conversationId] ?? NONE);
  const runIds = useChat((state) => state.runs[conversationId] ?? NONE);
  const isTyping = useIsTyping(conversationId);
  const unreadAfter = useUnreadMark(conversationId);
  const removed = useRemoved();
  const before = useRef<readonly Row[]>(NONE);
  return useMemo(() => {
    if (timeline === undefined) return NONE;
    const { messages, hasOlder, hasNewer } = timeline;
    const runs = runIds.map((runId) => ({ runId, startedAt: live.get(runId)?.started_at }));
    before.current = buildRows(
      { messages, hasOlder, hasNewer, outgoing, runs, isTyping, unreadAfter, removed },
      before.current,
    );
    return before.current;
  }, [timeline, outgoing, runIds, isTyping, unreadAfter, removed]);
}

/**
 * Up to where everything had been read when the conversation was opened, or when its reader came back to the window;
 * undefined if that was all of it. Does not move while somebody reads.
 */
function useUnreadMark(conversationId: string): number | undefined {
  const isKnown = useChat((state) => state.conversations[conversationId] !== undefined);
  const [mark, setMark] = useState(() => markNow(conversationId));
  const wasKnown = useRef(isKnown);
  if (isKnown && !wasKnown.current) {
    wasKnown.current = true;
    setMark(markNow(conversationId));
  }
  useEffect(() => {
    const onReturn = (): void => {
      const now = markNow(conversationId);
      if (now !== undefined) setMark(now);
    };
    addEventListener("focus", onReturn);
    return () => removeEventListener("focus", onReturn);
  }, [conversationId]);
  return mark;
}

function markNow(conversationId: string): number | undefined {
  const conversation = chat.getState().conversations[conversationId];
  return conversation === undefined || conversation.unread === 0 ? undefined : conversation.readUpTo;
}
