import { countCodePoints } from "@amtrio/client";
import fc from "fast-check";
import { expect, test } from "vitest";
import { foundIn, piecesOf, readableSnippet, saysAll, snippetOf, termsOf, type Piece } from "../../src/finding/snippet.ts";

function marked(pieces: readonly Piece[]): string {
  return pieces.map(({ text, isMatch }) => (isMatch ? `[${text}]` : text)).join("");
}

test("words and phrases, with the quotes of any keyboard", () => {
  expect(termsOf('Hello "big World" x')).toEqual(["hello", "big world", "x"]);
  expect(termsOf("„große Welt“ café")).toEqual(["große welt", "cafe"]);
  expect(termsOf('"still typing')).toEqual(["still typing"]);
  expect(termsOf(' "" " ')).toEqual([]);
});

test("the ranges of the server count code points, not units", () => {
  expect(marked(piecesOf("👍👍 yes 🎉 yes", [[3, 6], [9, 12]]))).toBe("👍👍 [yes] 🎉 [yes]");
  expect(marked(piecesOf("ab", []))).toBe("ab");
});

test("ranges out of order, double or beyond the end lose no letter", () => {
  expect(marked(piecesOf("hello world", [[6, 99], [0, 5], [0, 5]]))).toBe("[hello] [world]");
});

test("what matches is marked as it is written, whatever case and accents", () => {
  expect(marked(snippetOf("The Café is ÜBER there", termsOf("cafe uber")))).toBe("The [Café] is [ÜBER] there");
  expect(marked(snippetOf("👍 Ïtem", termsOf("item")))).toBe("👍 [Ïtem]");
});

test("a long message is cut round its first match, at words", () => {
  const long = `${"before ".repeat(40)}needle ${"after ".repeat(60)}`;
  const text = marked(snippetOf(long, termsOf("needle")));
  expect(text).toMatch(/^…before (before )+\[needle\] (after )+…$/);
  expect(countCodePoints(text)).toBeLessThan(200);
});

test("whatever is said and sought, a snippet is made of the message", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 400 }), fc.string({ unit: "grapheme", maxLength: 8 }), (said, sought) => {
      const text = said.replace(/\s+/g, " ").trim();
      const pieces = snippetOf(said, termsOf(sought));
      const whole = pieces.map((piece) => piece.text).join("");
      const inner = whole.replace(/^…/, "").replace(/…$/, "");
      expect(text.includes(whole) || text.includes(inner)).toBe(true);
    }),
  );
});

const readable = (content: string, query: string): string | undefined => {
  const pieces = readableSnippet(content, termsOf(query));
  return pieces && marked(pieces);
};

test("a hit reads as its message does, without the signs of Markdown", () => {
  expect(readable("## Plan\n\n- **rename** `main.py`\n- see [the docs](https://example.org/x)", "rename docs")).toBe("Plan [rename] main.py see the [docs]");
});

test("words that the server found in another form are marked as it has them", () => {
  const server = piecesOf("the **keeper** came", [[6, 12]]);
  expect(marked(readableSnippet("the **keeper** came", foundIn(server))!)).toBe("the [keeper] came");
});

test("signs that were looked for are shown", () => {
  expect(readable("see [the docs](https://example.org/x)", "example")).toBeUndefined();
  expect(readable("use **two** stars", "**")).toBeUndefined();
});

test("what is not there word for word is for the server to show", () => {
  expect(readable("It ran", "running")).toBeUndefined();
});

test("without words the beginning is shown, and a long message is cut at both ends", () => {
  expect(readable("**All** of it", "")).toBe("All of it");
  const long = `${"**before** ".repeat(90)}needle ${"[after](https://example.org/a/very/long/way/to/go) ".repeat(60)}`;
  expect(readable(long, "needle")).toMatch(/^…before (before )+\[needle\] after (after )*.*…$/);
});

test("brackets without end take no time", () => {
  const hostile = `${"[".repeat(50_000)} needle ${"[".repeat(50_000)}`;
  expect(readable(hostile, "needle")).toMatch(/\[needle\]/);
});

test("all terms must be there", () => {
  expect(saysAll("Crème brûlée today", termsOf("creme today"))).toBe(true);
  expect(saysAll("Crème brûlée today", termsOf("creme tomorrow"))).toBe(false);
});
