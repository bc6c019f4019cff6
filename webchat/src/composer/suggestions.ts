/** What could be meant by the word at the caret: a command of the agent, an agent's name, an emoji. Pure. */

import type { AgentInfo, SlashCommand } from "@amtrio/client";

export interface Token {
  readonly kind: "command" | "agent" | "emoji";
  /** Without its sign. */
  readonly query: string;
  /** Where the sign stands; it ends at the caret. */
  readonly start: number;
}

export interface Suggestion {
  readonly id: string;
  /** Takes the place of the token. */
  readonly text: string;
  readonly label: string;
  /** Beside the label: arguments of a command. */
  readonly aside?: string | undefined;
  readonly description?: string | undefined;
}

const TOKENS: readonly (readonly [Token["kind"], RegExp])[] = [
  // Commands are what a message begins with; source: docs/protocol.md, `commands`.
  ["command", /^\/([a-z0-9_-]*)$/i],
  ["agent", /(?<=^|[\s(])@([\p{L}\p{N}_.-]*)$/u],
  // Two letters, so that ":)" and "10:30" offer nothing.
  ["emoji", /(?<=^|[\s(]):(\p{L}[\p{L}\p{N}_+-]+)$/u],
];

export function tokenAt(text: string, caret: number): Token | undefined {
  const before = text.slice(0, caret);
  for (const [kind, pattern] of TOKENS) {
    const match = pattern.exec(before);
    if (match !== null) return { kind, query: match[1]!, start: match.index };
  }
  return undefined;
}

export function suggestCommands(query: string, commands: readonly SlashCommand[]): Suggestion[] {
  const wanted = query.toLowerCase();
  return ranked(commands, wanted, (each) => [each.name]).map((each) => ({
    id: each.name,
    text: `/${each.name} `,
    label: `/${each.name}`,
    aside: each.arguments,
    description: each.description,
  }));
}

export function suggestAgents(query: string, agents: readonly AgentInfo[]): Suggestion[] {
  const found = ranked(agents, query.toLowerCase(), (each) => [each.name ?? "", each.agent_id]);
  return found.map((each) => {
    const name = each.name ?? each.agent_id;
    return { id: each.agent_id, text: `@${name} `, label: name, description: each.specialty };
  });
}

// More does not help: another letter does.
export const MOST = 8;
// Who has typed none looks round: the list scrolls.
const MOST_OF_ALL = 100;

/** Those that begin with it, then those with a word that does, then those that have it in them. */
export function ranked<Item>(items: readonly Item[], wanted: string, names: (item: Item) => readonly string[]): Item[] {
  const rank = (item: Item): number => Math.min(...names(item).map((name) => rankOf(name.toLowerCase(), wanted)));
  return items
    .map((item) => [rank(item), item] as const)
    .filter(([place]) => place < NOT_AT_ALL)
    .sort(([a], [b]) => a - b)
    .slice(0, wanted === "" ? MOST_OF_ALL : MOST)
    .map(([, item]) => item);
}

const NOT_AT_ALL = 4;

function rankOf(name: string, wanted: string): number {
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  if (name.split(/[\s_-]+/).some((word) => word.startsWith(wanted))) return 2;
  return name.includes(wanted) ? 3 : NOT_AT_ALL;
}
