/** Whether the agent of a conversation types right now. What was said about it ends by itself, and with its answer. */

import { useEffect, useReducer, useRef } from "react";
import { useChat } from "../../engine/state.ts";

export function useIsTyping(conversationId: string): boolean {
  const until = useChat((state) => state.typing[conversationId] ?? 0);
  const isAnswering = useChat((state) => (state.runs[conversationId]?.length ?? 0) > 0);
  const [, drawAnew] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const left = until - Date.now();
    if (left <= 0) return undefined;
    const timer = setTimeout(drawAnew, left + 1);
    return () => clearTimeout(timer);
  }, [until]);
  // It typed at the answer that is over, also if that was stopped before it said a word.
  const wasAnswering = useRef(false);
  const isOver = useRef(0);
  if (wasAnswering.current && !isAnswering) isOver.current = until;
  wasAnswering.current = isAnswering;
  return until > Date.now() && until !== isOver.current;
}
