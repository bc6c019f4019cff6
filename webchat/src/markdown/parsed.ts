/** Whole texts as blocks, remembered: rows of a virtual list come and go, and each text is read once. */

import { parse, type Parsed } from "./blocks.ts";

// Tokens take about ten times the text: 20 MB. A long conversation on screen is a tenth of it.
const MAX_CHARACTERS = 2_000_000;

const known = new Map<string, Parsed>();
let characters = 0;

export function parsed(text: string): Parsed {
  const before = known.get(text);
  const now = before ?? parse(text);
  if (before === undefined) characters += text.length;
  // Last in the map is latest used.
  known.delete(text);
  known.set(text, now);
  for (const oldest of known.keys()) {
    if (characters <= MAX_CHARACTERS || oldest === text) break;
    known.delete(oldest);
    characters -= oldest.length;
  }
  return now;
}
