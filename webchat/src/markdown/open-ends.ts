/**
 * The end of a text that is still being written, as it will most likely go on.
 *
 * `**bo` is shown bold at once, a lone `**` not at all, so that nothing jumps back and forth while words arrive. What
 * is added or left out here is for this moment: nothing keeps it. Pure functions on text.
 */

import { unclosed } from "./unclosed.ts";

/** `tail`: from the beginning of a block to the end of what is known. */
export function withOpenEndsClosed(tail: string): string {
  const fence = openFence(tail);
  if (fence !== undefined) return withoutHalfFence(tail, fence);
  const settled = tail.replace(UNDECIDED_LINE, "$1");
  return withWholeTable(settled) ?? withClosedMarks(settled);
}

const MARKERS = String.raw`[ \t]*(?:(?:[-*+]|\d{1,9}[.)]|>)[ \t]+)*`;
const FENCE_LINE = new RegExp(`^${MARKERS}(\`{3,}|~{3,})(.*)$`);
// A last line that could become a rule, an item, an underlined heading or a fence: one cannot know yet. Without this
// "Steps:\n-" is a large heading until the first word of the item arrives.
const UNDECIDED_LINE = new RegExp(`((?:^|\\n)${MARKERS})(?:[-=+*_]{1,3}|\`{1,2}|~{1,2})[ \\t]*$`);

/** The marks that opened a fenced block which nothing closes. Looks only at lines that have such marks. */
function openFence(tail: string): string | undefined {
  let open: string | undefined;
  for (let at = nextMarks(tail, 0); at >= 0; ) {
    const lineEnd = tail.indexOf("\n", at);
    const end = lineEnd < 0 ? tail.length : lineEnd;
    const [, marks, info] = FENCE_LINE.exec(tail.slice(tail.lastIndexOf("\n", at) + 1, end)) ?? [];
    if (marks !== undefined && open === undefined) open = marks[0] === "`" && info!.includes("`") ? undefined : marks;
    else if (marks?.startsWith(open ?? "") && info!.trim() === "") open = undefined;
    at = nextMarks(tail, end);
  }
  return open;
}

function nextMarks(text: string, from: number): number {
  const [ticks, tildes] = [text.indexOf("```", from), text.indexOf("~~~", from)];
  return ticks < 0 || tildes < 0 ? Math.max(ticks, tildes) : Math.min(ticks, tildes);
}

/** The first marks of the closing fence are no code. */
function withoutHalfFence(tail: string, fence: string): string {
  const lineStart = tail.lastIndexOf("\n") + 1;
  const line = tail.slice(lineStart).trim();
  const isHalf = line !== "" && line.length < fence.length && fence.startsWith(line);
  return isHalf ? tail.slice(0, Math.max(0, lineStart - 1)) : tail;
}

/** A table whose second line is not there yet is a table already. */
function withWholeTable(tail: string): string | undefined {
  const start = tail.lastIndexOf("\n\n") + 1;
  const [head, rule = "", ...rows] = tail.slice(start).trimStart().split("\n");
  if (head === undefined || !head.startsWith("|") || rows.length > 0 || !/^[\s|:-]*$/.test(rule)) return undefined;
  const columns = head.replace(/\\\|/g, "").replace(/^\||\|\s*$/g, "").split("|").length;
  const before = tail.slice(0, tail.lastIndexOf(head));
  return head.trim() === "|" ? before : `${before}${head}\n${"|-".repeat(columns)}|`;
}

/** Emphasis and code that began end here for now; half a link is its label. */
function withClosedMarks(tail: string): string {
  const start = lastLeaf(tail);
  const leaf = tail.slice(start).replace(/!?\[([^[\]]*)\]\([^()\s]*$/, "$1");
  const { length, closing } = unclosed(leaf);
  const isWhole = closing === "" && length === leaf.length;
  return tail.slice(0, start) + (isWhole ? leaf : leaf.slice(0, length).trimEnd() + closing);
}

/** Where the text begins that the last words belong to: marks never reach over it. */
function lastLeaf(tail: string): number {
  let start = tail.length;
  while (start > 0) {
    const lineStart = tail.lastIndexOf("\n", start - 1) + 1;
    const line = tail.slice(lineStart, start);
    if (line.trim() === "") break;
    start = lineStart;
    const marker = /^[ \t]*(?:[-*+]|\d{1,9}[.)]|#{1,6})[ \t]+/.exec(line);
    if (marker !== null) return start + marker[0].length;
    if (line.trimStart().startsWith("|")) return start + line.replace(/\\\|/g, "  ").lastIndexOf("|") + 1;
    if (start === 0) break;
    start -= 1;
  }
  return tail[start] === "\n" ? start + 1 : start;
}
