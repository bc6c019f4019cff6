/** Whether files may go into a conversation, and why not. */

import { useChat, type ChatState } from "../engine/state.ts";

/** Key of what is said about it in `words.ts`. */
export type Obstacle = "notThisAgent";

/** Undefined: they may. */
export function useObstacle(conversationId: string): Obstacle | undefined {
  return useChat((state) => obstacle(state, conversationId));
}

export function obstacle(state: ChatState, conversationId: string): Obstacle | undefined {
  const agentId = state.conversations[conversationId]?.agent_id;
  const supports = agentId === undefined ? [] : (state.agents[agentId]?.supports ?? []);
  // An agent that says nothing of itself is an older one, which may well take them.
  return supports.length === 0 || supports.includes("attachments") ? undefined : "notThisAgent";
}
