/** The agents that fit what was typed: whoever is there first, then by name. Pure. */

import type { AgentInfo } from "@amtrio/client";
import { presenceOf } from "../names.ts";

export function agentsFor(agents: Readonly<Record<string, AgentInfo>>, query: string): AgentInfo[] {
  const wanted = query.trim().toLocaleLowerCase();
  return Object.values(agents)
    .filter((agent) => searchedIn(agent).some((text) => text?.toLocaleLowerCase().includes(wanted)))
    .sort((a, b) => Number(isHere(b)) - Number(isHere(a)) || nameOf(a).localeCompare(nameOf(b)));
}

function searchedIn(agent: AgentInfo): (string | undefined)[] {
  return [agent.agent_id, agent.name, agent.description, agent.specialty, ...(agent.capabilities ?? [])];
}

function isHere(agent: AgentInfo): boolean {
  return presenceOf(agent) !== "offline";
}

function nameOf(agent: AgentInfo): string {
  return agent.name || agent.agent_id;
}
