/** What is looked for, as the address of the page has it: `/find?q=…&c=CONVERSATION&a=AGENT&from=DAY&to=DAY`. Pure. */

import type { Message, SearchQuery } from "@amtrio/client";
import { straightQuotes } from "./snippet.ts";

export interface Criteria {
  readonly q: string;
  readonly conversationId: string;
  readonly agentId: string;
  /** Days of this device's zone, `YYYY-MM-DD`; both are looked at. Empty, as all here: does not matter. */
  readonly from: string;
  readonly to: string;
}

const NAMES = { q: "q", conversationId: "c", agentId: "a", from: "from", to: "to" } as const;
const DAY = /^\d{4}-\d\d-\d\d$/;

export function readCriteria(query: URLSearchParams): Criteria {
  const get = (name: keyof Criteria): string => query.get(NAMES[name]) ?? "";
  const day = (name: "from" | "to"): string => (DAY.test(get(name)) ? get(name) : "");
  return { q: get("q"), conversationId: get("conversationId"), agentId: get("agentId"), from: day("from"), to: day("to") };
}

/** What stands behind the `?`; the same criteria give the same text. */
export function writeCriteria(criteria: Criteria): string {
  const query = new URLSearchParams();
  for (const [field, name] of Object.entries(NAMES)) {
    const value = criteria[field as keyof Criteria];
    if (value !== "") query.set(name, value);
  }
  return query.toString();
}

export function isFiltered({ conversationId, agentId, from, to }: Criteria): boolean {
  return conversationId !== "" || agentId !== "" || from !== "" || to !== "";
}

/** For the server, whose `after` and `before` leave out their own moment. */
export function queryOf(criteria: Criteria, cursor?: string): SearchQuery {
  const { q, conversationId, agentId } = criteria;
  const [start, end] = span(criteria);
  return {
    q: straightQuotes(q),
    ...(conversationId !== "" && { conversation_id: conversationId }),
    ...(agentId !== "" && { agent_id: agentId }),
    ...(start !== undefined && { after: new Date(start - 1).toISOString() }),
    ...(end !== undefined && { before: new Date(end).toISOString() }),
    ...(cursor !== undefined && { cursor }),
  };
}

/** The same for what was found on this device. `agentOf`: whose conversation it is. */
export function passes(message: Message, criteria: Criteria, agentOf: (conversationId: string) => string | undefined): boolean {
  const { conversationId, agentId } = criteria;
  const [start, end] = span(criteria);
  const at = Date.parse(message.created_at);
  return (
    (conversationId === "" || message.conversation_id === conversationId) &&
    (agentId === "" || (message.agent_id ?? agentOf(message.conversation_id)) === agentId) &&
    (start === undefined || at >= start) &&
    (end === undefined || at < end)
  );
}

/** From the first moment of the first day until the first one after the last, in milliseconds since 1970. */
function span({ from, to }: Criteria): [start: number | undefined, end: number | undefined] {
  return [from === "" ? undefined : midnight(from, 0), to === "" ? undefined : midnight(to, 1)];
}

function midnight(day: string, daysLater: number): number {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year!, month! - 1, date! + daysLater).getTime();
}
