import { countCodePoints } from "@amtrio/client";
import fc from "fast-check";
import { expect, test } from "vitest";
import { piecesOf, saysAll, snippetOf, termsOf, type Piece } from "../../src/finding/snippet.ts";

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

test("all terms must be there", () => {
  expect(saysAll("Crème brûlée today", termsOf("creme today"))).toBe(true);
  expect(saysAll("Crème brûlée today", termsOf("creme tomorrow"))).toBe(false);
});
