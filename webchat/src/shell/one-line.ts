/** A message in one line of plain text, for lists and notifications. Not for showing Markdown: it only leaves marks out. */

// Longer than any line that is shown, and short enough that a message of 64 kB costs nothing.
const LOOKED_AT = 400;

export function oneLine(markdown: string): string {
  return markdown
    .slice(0, LOOKED_AT)
    .replace(/^\s*(?:```|~~~).*$/gm, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^\s{0,3}(?:(?:#{1,6}|>|[-*+]|\d+[.)])\s+)+/gm, "")
    .replace(/\*\*|__|~~|`/g, "")
    // A single mark only round words, so that snake_case and 2 * 3 stay as they are.
    .replace(/(?<![\w*])[*_](\S(?:[^*_]*\S)?)[*_](?![\w*])/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}
