/**
 * A text that grows, as blocks: what is finished is never read again.
 *
 * Only what comes after the last finished block is lexed when words arrive. Blocks differ for a moment from those of
 * the whole text where later words change earlier ones (a definition of a link, a list that turns out loose); so a
 * text that is complete is parsed as a whole.
 */

import { Outline, blocksOf, inGroups, GROUP_BLOCKS, type Block, type Group, type Parsed } from "./blocks.ts";
import { lex, type Links, type MarkedToken, type Tokens } from "./grammar.ts";
import { withOpenEndsClosed } from "./open-ends.ts";

const NOTHING: Parsed = { groups: [], references: "" };

export class GrowingText {
  #text = "";
  #parsed = NOTHING;
  /** Everything before this is finished. */
  #head = 0;
  readonly #full: Group[] = [];
  #partial: Block[] = [];
  #outline = new Outline();
  #links: Links = {};
  /** The finished items of a list that still goes on; the tail begins with the next one. */
  #list: Tokens.List | undefined;
  #listStart = 0;
  #splitsLists = true;

  /** The blocks of `text`. The same text gives the same object. */
  read(text: string): Parsed {
    if (text === this.#text) return this.#parsed;
    if (!text.startsWith(this.#text)) this.#restart();
    this.#text = text;
    this.#parsed = this.#grow(text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text);
    return this.#parsed;
  }

  #grow(source: string): Parsed {
    const { tokens } = lex(withOpenEndsClosed(source.slice(this.#head)), this.#links);
    const tail = this.#joined(tokens);
    if (tail === undefined) {
      // What comes after the finished items is no item: read the list again, from now on in one piece.
      this.#head = this.#listStart;
      this.#list = undefined;
      this.#splitsLists = false;
      return this.#grow(source);
    }
    const open = this.#finish(source, tail, finishedIn(tail));
    const rest = blocksOf(open, this.#outline.copy());
    return { groups: [...this.#full, ...inGroups([...this.#partial, ...rest])], references: "" };
  }

  /** The tail with the finished items of its list in front; undefined if it does not go on with that list. */
  #joined(tokens: readonly MarkedToken[]): readonly MarkedToken[] | undefined {
    const before = this.#list;
    if (before === undefined) return tokens;
    const [first, ...others] = tokens;
    if (first?.type !== "list" || markerOf(first) !== markerOf(before)) return undefined;
    return [{ ...first, ...joinedLists(before, first) }, ...others];
  }

  /** Moves the head behind the first `count` blocks, if the text says them word for word. Returns the others. */
  #finish(source: string, tail: readonly MarkedToken[], count: number): readonly MarkedToken[] {
    let open = tail;
    const start = this.#list === undefined ? this.#head : this.#listStart;
    const raw = tail.slice(0, count).map((token) => token.raw).join("");
    if (count > 0 && source.startsWith(raw, start)) {
      this.#keep(tail.slice(0, count));
      this.#head = start + raw.length;
      this.#list = undefined;
      open = tail.slice(count);
    }
    this.#finishItems(source, open[0]);
    return open;
  }

  #finishItems(source: string, token: MarkedToken | undefined): void {
    if (token?.type !== "list" || !this.#splitsLists) return;
    const start = this.#list === undefined ? this.#head : this.#listStart;
    const items = token.items.slice(0, -2);
    const raw = items.map((item) => item.raw).join("");
    if (items.length <= (this.#list?.items.length ?? 0) || !source.startsWith(raw, start)) return;
    this.#list = { ...token, items, raw };
    this.#listStart = start;
    this.#head = start + raw.length;
  }

  #keep(tokens: readonly MarkedToken[]): void {
    for (const token of tokens) if (token.type === "def") this.#links = { [token.tag]: token, ...this.#links };
    this.#partial.push(...blocksOf(tokens, this.#outline));
    while (this.#partial.length >= GROUP_BLOCKS) {
      this.#full.push(this.#partial.slice(0, GROUP_BLOCKS));
      this.#partial = this.#partial.slice(GROUP_BLOCKS);
    }
  }

  #restart(): void {
    this.#head = 0;
    this.#full.length = 0;
    this.#partial = [];
    this.#outline = new Outline();
    this.#links = {};
    this.#list = undefined;
    this.#splitsLists = true;
  }
}

/** How many of the blocks at the beginning no later word changes. */
function finishedIn(tail: readonly MarkedToken[]): number {
  // After an empty line a paragraph does not go on.
  if (tail.at(-3)?.type === "paragraph" && tail.at(-2)!.type === "space") return tail.length - 1;
  // The last block may go on, and so may the one before it: marked takes some of them back (tables, lists).
  let finished = tail.length - 2;
  while (finished > 0 && tail[finished]!.type === "space") finished -= 1;
  return Math.max(0, finished);
}

/** `-`, `*` and `+` are lists of their own, `1.` and `1)` as well. */
function markerOf({ ordered, raw }: Tokens.List): string | undefined {
  return ordered ? /\d([.)])/.exec(raw)?.[1] : raw.trimStart()[0];
}

function joinedLists(before: Tokens.List, after: Tokens.List): Partial<Tokens.List> {
  return {
    raw: before.raw + after.raw,
    start: before.start,
    loose: before.loose || after.loose,
    items: [...before.items, ...after.items],
  };
}
