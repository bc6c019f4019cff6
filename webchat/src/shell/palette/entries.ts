/** Everything that the palette offers, and what of it fits. Pure: what an entry does is given to it. */

import { fits } from "./fuzzy.ts";

export type EntryKind = "chat" | "agent" | "command" | "find";

export interface Entry {
  readonly id: string;
  readonly kind: EntryKind;
  readonly label: string;
  /** Found by these as well, not shown. */
  readonly also?: string;
  /** Whose face stands before it, as in the list. */
  readonly agent?: { readonly id: string; readonly name: string };
  /** It leads to where one is already. */
  readonly isHere?: boolean;
  readonly run: () => void;
}

// More than fit on any screen; whoever sees none that is meant types another letter.
const SHOWN = 50;

/** Without a query: what was chosen lately, then everything as it stands, and at the end where one is already. */
export function entriesFor(query: string, entries: readonly Entry[], recent: readonly string[]): Entry[] {
  const rank = new Map(recent.map((id, index) => [id, index]));
  const place = (entry: Entry): number => rank.get(entry.id) ?? recent.length;
  if (query.trim() === "") {
    const isHere = (entry: Entry): number => Number(entry.isHere === true);
    return entries.toSorted((a, b) => isHere(a) - isHere(b) || place(a) - place(b)).slice(0, SHOWN);
  }
  const scored = entries.flatMap((entry) => {
    const score = best(fits(query, entry.label), fits(query, `${entry.label} ${entry.also ?? ""}`));
    return score === undefined ? [] : [{ entry, score }];
  });
  // What was chosen before is meant again more likely than not, but fits first.
  scored.sort((a, b) => Math.round(b.score) - Math.round(a.score) || place(a.entry) - place(b.entry) || b.score - a.score);
  return scored.slice(0, SHOWN).map(({ entry }) => entry);
}

/** What fits only because of words that are not shown counts less. */
function best(shown: number | undefined, hidden: number | undefined): number | undefined {
  return shown ?? (hidden === undefined ? undefined : hidden - 1);
}
