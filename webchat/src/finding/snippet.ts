/** The stretch of a message that was found, cut into what matches and what stands between. Pure. */

import { indexOfCodePoint } from "@amtrio/client";
import { withoutMarks } from "../markdown/without-marks.ts";

export interface Piece {
  readonly text: string;
  readonly isMatch: boolean;
}

export type Range = readonly [start: number, end: number];

// As long as the server's.
const LENGTH = 160;
const BEFORE = 50;
// So much more is cleaned on both sides: signs of Markdown may be most of it.
const CLEANED = 400;

/** Keyboards of phones set quotes that the protocol does not know. */
export function straightQuotes(query: string): string {
  return query.replace(/[“”„«»]/g, '"');
}

/** What must be there: words, and phrases in quotes. Folded. */
export function termsOf(query: string): string[] {
  const terms = [...straightQuotes(query).matchAll(/"([^"]*)"?|([^\s"]+)/g)].map((match) => fold(match[1] ?? match[2]!).trim());
  return terms.filter((term) => term !== "");
}

export function saysAll(text: string, terms: readonly string[]): boolean {
  const folded = fold(text);
  return terms.every((term) => folded.includes(term));
}

export function saysAny(text: string, terms: readonly string[]): boolean {
  const folded = fold(text);
  return terms.some((term) => folded.includes(term));
}

/** Of the server: its ranges count code points. */
export function piecesOf(text: string, matches: readonly Range[]): Piece[] {
  let points = 0;
  let at = 0;
  const index = (target: number): number => {
    at = indexOfCodePoint(text, target - points, at);
    points = target;
    return at;
  };
  const ordered = matches.toSorted((a, b) => a[0] - b[0]);
  return cut(text, disjoint(ordered).map(([start, end]): Range => [index(start), index(end)]));
}

/** As it reads, without the signs of Markdown; undefined if some of what was looked for is among those, or not there word for word. */
export function readableSnippet(content: string, terms: readonly string[]): Piece[] | undefined {
  const first = terms.length === 0 ? 0 : placesOf(content, terms)[0]?.[0];
  if (first === undefined) return undefined;
  const start = first <= CLEANED ? 0 : wordStart(content, first - CLEANED);
  const around = content.slice(start, first + CLEANED);
  const text = withoutMarks(around);
  if (placesOf(text, terms).length < placesOf(around, terms).length) return undefined;
  const pieces = snippetOf(text, terms);
  return [
    ...edge(start > 0 && pieces[0]?.text !== "…"),
    ...pieces,
    ...edge(first + CLEANED < content.length && pieces.at(-1)?.text !== "…"),
  ];
}

/** What was found, as the message writes it: the server knows other forms of a word. */
export function foundIn(pieces: readonly Piece[]): string[] {
  return pieces.filter(({ isMatch }) => isMatch).map(({ text }) => fold(text).trim());
}

/** Of a message on this device: round the first match. */
export function snippetOf(content: string, terms: readonly string[]): Piece[] {
  const text = content.replace(/\s+/g, " ").trim();
  const ranges = placesOf(text, terms);
  const first = ranges[0]?.[0] ?? 0;
  const start = first <= BEFORE ? 0 : wordStart(text, first - BEFORE);
  const end = text.length <= start + LENGTH ? text.length : wordStart(text, start + LENGTH);
  const inside = ranges.filter(([from, to]) => from >= start && to <= end);
  const pieces = cut(text.slice(start, end), inside.map(([from, to]): Range => [from - start, to - start]));
  return [...edge(start > 0), ...pieces, ...edge(end < text.length)];
}

function edge(isCut: boolean): Piece[] {
  return isCut ? [{ text: "…", isMatch: false }] : [];
}

function cut(text: string, ranges: readonly Range[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const [start, end] of ranges) {
    pieces.push({ text: text.slice(at, start), isMatch: false }, { text: text.slice(start, end), isMatch: true });
    at = end;
  }
  pieces.push({ text: text.slice(at), isMatch: false });
  return pieces.filter((piece) => piece.text !== "");
}

/** Where the terms stand, in order, as UTF-16 indexes of the text as it is written. */
export function placesOf(text: string, terms: readonly string[]): Range[] {
  let folded = "";
  const origin: number[] = [];
  let at = 0;
  for (const letter of text) {
    const plain = fold(letter);
    for (let unit = 0; unit < plain.length; unit += 1) origin.push(at);
    folded += plain;
    at += letter.length;
  }
  origin.push(at);
  const found: Range[] = [];
  for (const term of terms) {
    for (let from = folded.indexOf(term); from !== -1; from = folded.indexOf(term, from + term.length)) {
      found.push([origin[from]!, origin[from + term.length]!]);
    }
  }
  return disjoint(found.sort((a, b) => a[0] - b[0] || b[1] - a[1]));
}

function disjoint(ordered: readonly Range[]): Range[] {
  const kept: Range[] = [];
  for (const range of ordered) if (range[0] >= (kept.at(-1)?.[1] ?? 0) && range[1] > range[0]) kept.push(range);
  return kept;
}

function wordStart(text: string, near: number): number {
  const space = text.indexOf(" ", near);
  // A text without spaces is cut anywhere, but never within a pair of surrogates.
  if (space === -1 || space > near + 20) return (text.codePointAt(near - 1) ?? 0) > 0xffff ? near + 1 : near;
  return space + 1;
}

function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
