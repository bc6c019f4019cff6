/** Which marks of emphasis and code in a stretch of text have no end. The rules of CommonMark for what may open and close. */

import { isTimes } from "./grammar.ts";

export interface Unclosed {
  /** How much of the text to show: less than all if it ends with marks that enclose nothing yet. */
  readonly length: number;
  /** What closes the rest. */
  readonly closing: string;
}

interface Mark {
  readonly sign: string;
  count: number;
}

// Nobody has more at once; each of them is looked at again for every mark that follows.
const MAX_OPEN = 32;
const MARK = /[\\`*_~]/g;
// Marks without words between them at the end of a text. Each has it read once more.
const MAX_DANGLING = 8;

export function unclosed(text: string): Unclosed {
  let length = text.length;
  for (let left = MAX_DANGLING; left > 0; left -= 1) {
    const scan = scanned(text.slice(0, length));
    if (scan.dangling === undefined) return { length, closing: scan.closing };
    length = scan.dangling;
  }
  return { length, closing: "" };
}

/** `dangling`: where marks begin that enclose nothing yet and are the last thing in the text. */
function scanned(text: string): { closing: string; dangling?: number } {
  const open: Mark[] = [];
  const last = text.trimEnd().length;
  for (let at = nextMark(text, 0); at < text.length; at = nextMark(text, at)) {
    const sign = text[at]!;
    if (sign === "\\") {
      at += 2;
    } else {
      const end = endOfRun(text, at);
      if (sign === "`") {
        const close = closingTicks(text, end, end - at);
        if (close === undefined) return openCode(text, at, end, open);
        at = close;
        continue;
      }
      const [before, after] = [text[at - 1], text[end]];
      const isClosing = canClose(sign, before, after);
      const hasOpened = open.some((mark) => mark.sign === sign);
      const left = isClosing ? closed(open, sign, end - at) : end - at;
      if (left > 0 && end === last && !(isClosing && hasOpened)) return { closing: "", dangling: at };
      // One tilde alone means nothing.
      const canMean = left > 0 && (sign !== "~" || left === 2);
      if (canMean && canOpen(sign, before, after)) open.push({ sign, count: left });
      if (open.length > MAX_OPEN) return { closing: "" };
      at = end;
    }
  }
  return { closing: closingOf(open) };
}

/** Code that goes on to the end, or has half of its closing marks. */
function openCode(text: string, start: number, end: number, open: readonly Mark[]): { closing: string; dangling?: number } {
  const content = text.slice(end);
  if (content.trim() === "") return { closing: "", dangling: start };
  const half = /`*$/.exec(content)![0].length;
  if (half > 0) return { closing: "", dangling: text.length - half };
  return { closing: text.slice(start, end) + closingOf(open) };
}

function closingOf(open: readonly Mark[]): string {
  return open.toReversed().map(({ sign, count }) => sign.repeat(count)).join("");
}

/** Takes what a run closes off the stack. Returns how many of its signs are left. */
function closed(open: Mark[], sign: string, count: number): number {
  let left = count;
  for (let at = open.length - 1; at >= 0 && left > 0; at -= 1) {
    const mark = open[at]!;
    if (mark.sign !== sign) continue;
    const used = Math.min(mark.count, left);
    left -= used;
    mark.count -= used;
    open.length = mark.count === 0 ? at : at + 1;
  }
  return left;
}

function nextMark(text: string, from: number): number {
  MARK.lastIndex = from;
  return MARK.exec(text)?.index ?? text.length;
}

function endOfRun(text: string, start: number): number {
  let end = start + 1;
  while (text[end] === text[start]) end += 1;
  return end;
}

function closingTicks(text: string, from: number, count: number): number | undefined {
  for (let at = text.indexOf("`", from); at >= 0; at = text.indexOf("`", at)) {
    const end = endOfRun(text, at);
    if (end - at === count) return end;
    at = end;
  }
  return undefined;
}

const isSpace = (sign: string | undefined): boolean => sign === undefined || /\s/.test(sign);
const isPunctuation = (sign: string | undefined): boolean => sign !== undefined && /[\p{P}\p{S}]/u.test(sign);

function canOpen(sign: string, before: string | undefined, after: string | undefined): boolean {
  if (isTimes(before, sign, after)) return false;
  return touches(after, before) && (sign !== "_" || !touches(before, after) || isPunctuation(before));
}

function canClose(sign: string, before: string | undefined, after: string | undefined): boolean {
  return touches(before, after) && (sign !== "_" || !touches(after, before) || isPunctuation(after));
}

/** Marks belong to the word on one side of them rather than to the other side. */
function touches(side: string | undefined, other: string | undefined): boolean {
  return !isSpace(side) && (!isPunctuation(side) || isSpace(other) || isPunctuation(other));
}
