/** What agents and conversations are called. */

import type { AgentInfo, Conversation } from "@amtrio/client";

type Agents = Readonly<Record<string, AgentInfo>>;

export function agentName(agents: Agents, agentId: string): string {
  return agents[agentId]?.name || agentId;
}

/** Its title, or the name of whom one talks with. */
export function chatName(conversation: Pick<Conversation, "title" | "agent_id">, agents: Agents): string {
  return conversation.title || agentName(agents, conversation.agent_id);
}

const PRESENCES = ["online", "busy", "idle", "offline"] as const;
export type Presence = (typeof PRESENCES)[number];

/** Whoever has no socket is offline, whatever it said before. */
export function presenceOf(agent: AgentInfo | undefined): Presence {
  if (agent?.online !== true) return "offline";
  return PRESENCES.find((presence) => presence === agent.status) ?? "online";
}
