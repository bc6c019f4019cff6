/** A text as blocks that can be drawn one by one: the same for a text that grows and for one that is whole. */

import { lex, type Links, type MarkedToken } from "./grammar.ts";

export interface Block {
  readonly token: MarkedToken;
  /** Of a heading: 3 for the outermost. The page has used 1 and 2, and none may be left out on the way down. */
  readonly level: number;
}

/** Blocks that React looks at together: it skips a group that is the same object. */
export type Group = readonly Block[];

export interface Parsed {
  readonly groups: readonly Group[];
  /** Another one means that `[text][name]` may lead elsewhere than before, with the same words. */
  readonly references: string;
}

// So that a delta of a text with 1,000 blocks looks at some 30 groups and one open group, not at 1,000 blocks.
export const GROUP_BLOCKS = 32;

export function parse(text: string): Parsed {
  const { tokens, links } = lex(text);
  const outline = new Outline();
  return { groups: inGroups(blocksOf(tokens, outline)), references: referencesOf(links) };
}

export function blocksOf(tokens: readonly MarkedToken[], outline: Outline): Block[] {
  const shown = tokens.filter(({ type }) => type !== "space" && type !== "def");
  return shown.map((token) => ({ token, level: token.type === "heading" ? outline.enter(token.depth) : 0 }));
}

export function inGroups(blocks: readonly Block[]): Group[] {
  const groups: Group[] = [];
  for (let at = 0; at < blocks.length; at += GROUP_BLOCKS) groups.push(blocks.slice(at, at + GROUP_BLOCKS));
  return groups;
}

export function referencesOf(links: Links): string {
  return Object.keys(links).length === 0 ? "" : JSON.stringify(links);
}

/** Where one is in the headings of a text. */
export class Outline {
  readonly #above: number[];

  constructor(above: readonly number[] = []) {
    this.#above = [...above];
  }

  /** The level of a heading that the text calls `depth`. */
  enter(depth: number): number {
    while ((this.#above.at(-1) ?? 0) >= depth) this.#above.pop();
    this.#above.push(depth);
    return Math.min(6, 2 + this.#above.length);
  }

  copy(): Outline {
    return new Outline(this.#above);
  }
}
