/** What the answer that is being made waits for: it has asked its person something, and nobody has answered yet. */

import type { Message } from "@amtrio/client";
import { live } from "../engine/live.ts";
import { useChat, type ChatState } from "../engine/state.ts";
import { useIsPast } from "./use-time-left.ts";

export function useWaitingQuestion(conversationId: string): Message | undefined {
  const asked = useChat((state) => waitingQuestion(state, conversationId));
  const isPast = useIsPast(asked?.question?.expires_at);
  return isPast ? undefined : asked;
}

/** The newest question that was asked since the run began and is open. An older one is not what the run waits for. */
function waitingQuestion({ runs, timelines, conversations }: ChatState, id: string): Message | undefined {
  const runId = runs[id]?.[0];
  if (runId === undefined) return undefined;
  const since = Date.parse(live.get(runId)?.started_at ?? "");
  const timeline = timelines[id];
  // Of a chat that is not open at its end only the newest message is here, as the engine heard it.
  const isHere = timeline !== undefined && !timeline.hasNewer;
  const messages = isHere ? timeline.messages : [conversations[id]?.last as Message | null | undefined];
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    if (message == null || Date.parse(message.created_at) < since) return undefined;
    if (message.question?.state === "open" && !message.deleted) return message;
  }
  return undefined;
}
