/**
 * The Markdown that is understood: GitHub's, with line feeds kept and formulas left as typed.
 *
 * Text in, marked's tokens out; never throws, and never takes long, whatever an agent says. Knows nothing of what is
 * drawn, and makes no HTML.
 */

import { Lexer, Tokenizer, type Links, type MarkedOptions, type MarkedToken, type Tokens } from "marked";
import { formula, formulaStart } from "./formula.ts";

export type { Links, MarkedToken, Tokens };

export interface Lexed {
  readonly tokens: readonly MarkedToken[];
  /** Definitions for `[text][name]`, those given and those found. */
  readonly links: Links;
}

/** The blocks of a text. `links`: what was defined before it. */
export function lex(source: string, links: Links = {}): Lexed {
  const options: MarkedOptions = {
    gfm: true,
    // A person who breaks a line means it, and so does an agent that writes a poem or an address.
    breaks: true,
    tokenizer: new BoundedTokenizer(),
    extensions: { inline: [formula], startInline: [formulaStart], renderers: {}, childTokens: {} },
  };
  try {
    const lexer = new Lexer(options);
    Object.assign(lexer.tokens.links, links);
    const tokens = lexer.lex(source);
    return { tokens: tokens as MarkedToken[], links: { ...tokens.links } };
  } catch {
    // Too deep for the stack, or a fault in marked: better plain than not at all.
    return { tokens: [asTyped(source)], links };
  }
}

/** What is in a block or a stretch of text. */
export function within(token: { readonly tokens?: readonly unknown[] | undefined }): readonly MarkedToken[] {
  return (token.tokens ?? []) as readonly MarkedToken[];
}

function asTyped(source: string): Tokens.HTML {
  return { type: "html", block: true, pre: false, raw: source, text: source };
}

// Quotes and lists in each other. Nobody reads deeper; marked's time grows with the square of it (66 ms at 200).
const MAX_DEPTH = 24;
// Characters looked at for the ends of emphasis, per lexing: 20 ms or so. A page of prose needs 100,000, and 30 kB of
// `_a__b_` would need 150 million.
const EMPHASIS_BUDGET = 4_000_000;
// marked looks for an @ as far as a word goes, at every sign of it: a word of 30 kB would take three seconds.
const MAX_MAIL_ADDRESS = 320;
// And it goes over an address once more for each bracket at its end: 60 kB of them would take three seconds, too.
const MAX_ADDRESS = 2048;
const MAX_PLAIN_STRETCH = 1000;

// In a list, marked looks in each line as far as the text goes for what would underline it as a heading.
const MAX_UNDERLINED = 1000;
// Rows are filled up to the width of their table: 11 kB can ask for three million cells, which no browser survives.
const MAX_FILLED_CELLS = 10_000;

// `__init__.py`, `__call__()`: CommonMark takes the underscores for emphasis; whoever names a file does not. From the
// second of them on, too: that is where marked goes on. No name is longer; a text of underscores is one word.
const NAME = /^__?\w{1,100}__(?:\.\w|\(\))/;

/** In `2*3*4` nothing is emphasised, whatever CommonMark says. */
export function isTimes(before: string | undefined, sign: string, after: string | undefined): boolean {
  return sign === "*" && isDigit(before) && isDigit(after);
}

function isDigit(sign: string | undefined): boolean {
  return sign !== undefined && sign >= "0" && sign <= "9";
}

/** A table that would have more cells than it has characters. */
function isMostlyFilledUp(src: string): boolean {
  const [, rule = ""] = src.split("\n", 2);
  if (!rule.includes("-") || !/^[\s|:-]*$/.test(rule)) return false;
  const columns = rule.split("|").length;
  let rows = 0;
  let at = 0;
  for (let end = src.indexOf("\n"); end > at; end = src.indexOf("\n", at)) {
    rows += 1;
    at = end + 1;
  }
  return columns * rows > Math.max(MAX_FILLED_CELLS, at);
}

class BoundedTokenizer extends Tokenizer {
  #depth = 0;
  #spent = 0;

  override list(src: string): Tokens.List | undefined {
    return this.#deeper(() => super.list(src));
  }

  override blockquote(src: string): Tokens.Blockquote | undefined {
    return this.#deeper(() => super.blockquote(src));
  }

  override emStrong(src: string, maskedSrc: string, prevChar?: string): Tokens.Em | Tokens.Strong | undefined {
    if (src[0] !== "*" && src[0] !== "_") return undefined;
    if (isTimes(prevChar, src[0], src[1]) || NAME.test(src)) return undefined;
    this.#spent += src.length;
    return this.#spent > EMPHASIS_BUDGET ? undefined : super.emStrong(src, maskedSrc, prevChar);
  }

  override url(src: string): Tokens.Link | undefined {
    if (!/^(?:https?:|ftp:|www\.|mailto:|xmpp:)/i.test(src)) return super.url(src.slice(0, MAX_MAIL_ADDRESS));
    const address = src.slice(0, MAX_ADDRESS);
    // Half an address leads elsewhere: one that goes on beyond is words.
    return src.length > MAX_ADDRESS && !/[\s<]/.test(address) ? undefined : super.url(address);
  }

  override lheading(src: string): Tokens.Heading | undefined {
    const heading = super.lheading(src.slice(0, MAX_UNDERLINED));
    // Cut within what looks like its underline, that may be none.
    return heading?.raw.length === MAX_UNDERLINED ? undefined : heading;
  }

  override table(src: string): Tokens.Table | undefined {
    return isMostlyFilledUp(src) ? undefined : super.table(src);
  }

  override inlineText(src: string): Tokens.Text | undefined {
    if (src.length <= MAX_PLAIN_STRETCH) return super.inlineText(src);
    // Not within a word: it could be an address. marked joins stretches that follow each other.
    const space = src.lastIndexOf(" ", MAX_PLAIN_STRETCH);
    return super.inlineText(src.slice(0, space > 0 ? space : MAX_PLAIN_STRETCH));
  }

  #deeper<Block>(read: () => Block | undefined): Block | undefined {
    if (this.#depth >= MAX_DEPTH) return undefined;
    this.#depth += 1;
    try {
      return read();
    } finally {
      this.#depth -= 1;
    }
  }
}
