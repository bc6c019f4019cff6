/**
 * Formulas stay as they were typed: `$x_1$`, `$$…$$`, `\(…\)`, `\[…\]`.
 *
 * They are not set; but Markdown must not eat their backslashes, stars and underscores.
 */

import type { Tokens } from "marked";

// A dollar is money unless it hugs what it encloses and no digit follows (the rule of Pandoc): "$5 and $6" stays text.
const FORMULA =
  /^(?:\$\$[^$]+\$\$|\$(?![\s$])(?:\\.|[^$\\\n])*?(?<!\s)\$(?!\d)|\\\((?:(?!\\\))[^])+\\\)|\\\[(?:(?!\\\])[^])+\\\])/;

export function formula(src: string): Tokens.Escape | undefined {
  const first = src[0];
  if (first !== "$" && first !== "\\") return undefined;
  const raw = FORMULA.exec(src)?.[0];
  return raw === undefined ? undefined : { type: "escape", raw, text: raw };
}

/** Where the next one may begin; marked stops at backslashes by itself. */
export function formulaStart(src: string): number | void {
  const at = src.indexOf("$");
  if (at >= 0) return at;
}
