import de from "emojibase-data/de/data.json" with { type: "json" };
import en from "emojibase-data/en/data.json" with { type: "json" };
import { expect, test } from "vitest";
import { foundEmoji } from "../../src/composer/emoji-search.ts";
import { spelled } from "../../src/composer/emoji-spelling.ts";

type Data = readonly { readonly emoji: string; readonly label: string; readonly tags?: string[]; readonly group?: number }[];
const usable = (data: Data) =>
  data.filter((each) => each.group !== undefined).map(({ emoji, label, tags = [] }) => ({ emoji: spelled(emoji), label, tags }));
const ENGLISH = usable(en as Data);
const GERMAN = usable(de as Data);
const first = (data: typeof ENGLISH, query: string): string | undefined => foundEmoji(data, query, 8)[0]?.emoji;

test("what comes first in English is what a person means by the word", () => {
  const meant = { thumb: "👍", rocket: "🚀", roc: "🚀", heart: "❤️", smile: "😄", ok: "👌", eye: "👁️", star: "⭐", "thumbs down": "👎" };
  expect(Object.fromEntries(Object.keys(meant).map((query) => [query, first(ENGLISH, query)]))).toEqual(meant);
});

test("and so it is in German", () => {
  const meant = { daumen: "👍", rakete: "🚀", rak: "🚀", herz: "❤️", lächeln: "😄", ok: "👌", "daumen runter": "👎" };
  expect(Object.fromEntries(Object.keys(meant).map((query) => [query, first(GERMAN, query)]))).toEqual(meant);
});

test("words count from their beginning alone", () => {
  const found = foundEmoji(ENGLISH, "ok", 80).map((each) => each.emoji);
  expect(found).toContain("🆗");
  expect(found).not.toContain("💔");
});

test("several words are found in any order", () => {
  expect(first(ENGLISH, "heart red")).toBe("❤️");
});

test("nothing is meant by nothing, and by what no name has", () => {
  expect(foundEmoji(ENGLISH, " ", 8)).toEqual([]);
  expect(foundEmoji(ENGLISH, "zzzz", 8)).toEqual([]);
});

test("every emoji that is offered is spelled as the server stores it", () => {
  // As `one_emoji` of the server answers to each: tests/text/test_emoji.py.
  expect([spelled("👎️"), spelled("❤"), spelled("✌🏽"), spelled("1⃣"), spelled("☕️"), spelled("❤️‍🔥")]).toEqual([
    "👎",
    "❤️",
    "✌🏽",
    "1️⃣",
    "☕",
    "❤️‍🔥",
  ]);
});
