/** What is looked for, as the address of the page has it: `/find?q=…&c=CONVERSATION&a=AGENT&t=TAG&from=DAY&to=DAY&has=file`. Pure. */

import type { Conversation, Message, OwnState, SearchQuery } from "@amtrio/client";
import { straightQuotes } from "./snippet.ts";

export interface Criteria {
  readonly q: string;
  readonly conversationId: string;
  readonly agentId: string;
  /** Of the conversation. */
  readonly tag: string;
  /** Days of this device's zone, `YYYY-MM-DD`; both are looked at. Empty, as all here: does not matter. */
  readonly from: string;
  readonly to: string;
  readonly has: "" | "file";
}

type Conversations = Readonly<Record<string, Pick<Conversation, "agent_id"> & Pick<OwnState, "tags">>>;

const NAMES = { q: "q", conversationId: "c", agentId: "a", tag: "t", from: "from", to: "to", has: "has" } as const;
const DAY = /^\d{4}-\d\d-\d\d$/;

export function readCriteria(query: URLSearchParams): Criteria {
  const get = (name: keyof Criteria): string => query.get(NAMES[name]) ?? "";
  const day = (name: "from" | "to"): string => (DAY.test(get(name)) ? get(name) : "");
  return {
    q: get("q"),
    conversationId: get("conversationId"),
    agentId: get("agentId"),
    tag: get("tag"),
    from: day("from"),
    to: day("to"),
    has: get("has") === "file" ? "file" : "",
  };
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

export function isFiltered({ q: _, ...filters }: Criteria): boolean {
  return Object.values(filters).some((filter) => filter !== "");
}

export function withoutFilters({ q }: Criteria): Criteria {
  return { q, conversationId: "", agentId: "", tag: "", from: "", to: "", has: "" };
}

/** For the server, whose `after` and `before` leave out their own moment, and which knows neither tags nor files here. */
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

/** All of it, for what was found on this device or by the server. */
export function passes(message: Message, criteria: Criteria, conversations: Conversations): boolean {
  const { conversationId, agentId, tag, has } = criteria;
  const conversation = conversations[message.conversation_id];
  const [start, end] = span(criteria);
  const at = Date.parse(message.created_at);
  return (
    (conversationId === "" || message.conversation_id === conversationId) &&
    (agentId === "" || (message.agent_id ?? conversation?.agent_id) === agentId) &&
    (tag === "" || conversation?.tags.includes(tag) === true) &&
    (has === "" || (message.attachments?.length ?? 0) > 0) &&
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
