/**
 * Formulas stay as they were typed: `$x_1$`, `$$…$$`, `\(…\)`, `\[…\]`.
 *
 * They are not set; but Markdown must not eat their backslashes, stars and underscores.
 */

import type { Tokens } from "marked";

// A dollar is money unless it hugs what it encloses and no digit follows (the rule of Pandoc): "$5 and $6" stays text.
const WITH_DOLLARS = /^(?:\$\$[^$]+\$\$|\$(?![\s$])(?:\\.|[^$\\\n])*?(?<!\s)\$(?!\d))/;
const ENDS: Readonly<Record<string, string>> = { "\\(": "\\)", "\\[": "\\]" };
// As far as an end is looked for. Looked for in all of it, 60 kB of beginnings would take six seconds.
const MAX_LENGTH = 2000;

export function formula(src: string): Tokens.Escape | undefined {
  const first = src[0];
  if (first !== "$" && first !== "\\") return undefined;
  const near = src.slice(0, MAX_LENGTH);
  const raw = first === "$" ? WITH_DOLLARS.exec(near)?.[0] : withBackslashes(near);
  return raw === undefined ? undefined : { type: "escape", raw, text: raw };
}

function withBackslashes(src: string): string | undefined {
  const end = ENDS[src.slice(0, 2)];
  const at = end === undefined ? -1 : src.indexOf(end, 2);
  // Empty it is none.
  return at > 2 ? src.slice(0, at + 2) : undefined;
}

/** Where the next one may begin; marked stops at backslashes by itself. */
export function formulaStart(src: string): number | void {
  const at = src.indexOf("$");
  if (at >= 0) return at;
}
