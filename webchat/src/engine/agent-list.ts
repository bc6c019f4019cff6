/** Who there is to talk to: the list of the server, and what is told while it is on its way. */

import type { AgentInfo, AmtrioEvent } from "@amtrio/client";

const ABOUT_AGENTS: ReadonlySet<string> = new Set(["agent_changed", "presence_update", "status"]);

export class AgentList {
  readonly #ask: () => Promise<AgentInfo[]>;
  /** For each request that is under way, what was told since it was made. */
  readonly #underWay = new Set<AmtrioEvent[]>();

  constructor(ask: () => Promise<AgentInfo[]>) {
    this.#ask = ask;
  }

  told(event: AmtrioEvent): void {
    if (ABOUT_AGENTS.has(event.type)) for (const told of this.#underWay) told.push(event);
  }

  /** `told` is to be applied to `agents` once more: they may be older, and without an agent nothing can be told of it. */
  async ask(): Promise<{ readonly agents: AgentInfo[]; readonly told: readonly AmtrioEvent[] }> {
    const told: AmtrioEvent[] = [];
    this.#underWay.add(told);
    try {
      return { agents: await this.#ask(), told };
    } finally {
      this.#underWay.delete(told);
    }
  }
}
