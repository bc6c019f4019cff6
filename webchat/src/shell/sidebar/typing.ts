/** Whether the agent of a conversation types right now. What was said about it ends by itself. */

import { useEffect, useReducer } from "react";
import { useChat } from "../../engine/state.ts";

export function useIsTyping(conversationId: string): boolean {
  const until = useChat((state) => state.typing[conversationId] ?? 0);
  const [, drawAnew] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const left = until - Date.now();
    if (left <= 0) return undefined;
    const timer = setTimeout(drawAnew, left);
    return () => clearTimeout(timer);
  }, [until]);
  return until > Date.now();
}
