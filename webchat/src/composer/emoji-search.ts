/** Which emoji are meant by a few letters, the likeliest first. Pure. */

import type { EmojiData } from "frimousse";
import { spelled } from "./emoji-spelling.ts";

export type Emoji = EmojiData["emojis"][number];
type Named = Pick<Emoji, "emoji" | "label" | "tags">;

// Among those that fit as well, what people use before what they hardly do; source: Unicode, "Emoji Frequency" (2021),
// with what is said at work, and plain faces before loud ones.
const COMMON = [
  "👍 ❤️ 😂 😄 🙂 😊 🎉 🙏 👌 🔥 🚀 ✅ 👀 😭 😉 🤔 👏 😍 😢 😅 😮 👎 💯 🙌 👋 💪 ✨ ⭐ ❌",
  "⚠️ ❓ ❗ 💡 🐛 🤣 🥰 😘 😁 🥺 🤦 🤷 🙄 😆 🤗 🎂 😳 🥳 😎 💔 😋 😏 😩 🌹 🎈 💙 💚 💛 🧡 💜",
  "🖤 🤍 😃 😀 😡 💐 😜 🙈 🤞 🤝 🤤 🤪 💋 💀 👇 👉 👈 👆 😌 🤩 🙃 😬 😱 😴 🤭 😐 ☀️ 🌙 🌈 😒",
  "😇 🌸 😈 🎶 ✌️ 🎊 😞 💰 👑 🎁 💥 🙋 ☹️ 😑 💩 🤮 😤 🤢 🌟 😥 😝 😫 😲 🤯 💃 🏃 😕 ⚡ ☕",
  "🍕 🍺 🍻 🍀 💦 😟 🧐 😠 😛 🔴 🟢 🟡 🆗 🔒 🔑 🔗 📌 📎 📝 📅 📈 📦 🔧 🔍 ⏰ ⏳ 💻 📱 📷 🏠",
  "🚗 🐶 🐱",
];
const PLACE = new Map(COMMON.flatMap((line) => line.split(" ")).map((emoji, at) => [spelled(emoji), at]));

/** `query` as it was typed, in the language of the data. */
export function foundEmoji<Item extends Named>(emojis: readonly Item[], query: string, most: number): Item[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return [];
  return emojis
    .map((item) => ({ item, fit: fitOf(item, wanted), place: PLACE.get(spelled(item.emoji)) ?? Infinity }))
    .filter(({ fit }) => fit.rank < NOT_AT_ALL)
    .sort((a, b) => a.fit.rank - b.fit.rank || compare(a.place, b.place) || a.fit.isKeyword - b.fit.isKeyword)
    .slice(0, most)
    .map(({ item }) => item);
}

interface Fit {
  readonly rank: number;
  /** 1: only a keyword has it, not the name. */
  readonly isKeyword: 0 | 1;
}

const NOT_AT_ALL = 4;

/** A word counts from its beginning alone: "ok" is not in "broken". */
function fitOf({ emoji, label, tags }: Named, wanted: string): Fit {
  const name = label.toLowerCase();
  const words = wordsOf(name);
  if (name === wanted) return { rank: 0, isKeyword: 0 };
  if (words.includes(wanted)) {
    // The red heart is what is meant by "heart", though it is called so by no more than one of two words.
    return { rank: PLACE.has(spelled(emoji)) ? 0 : 1, isKeyword: 0 };
  }
  const keywords = tags.map((each) => each.toLowerCase());
  if (keywords.includes(wanted)) return { rank: 1, isKeyword: 1 };
  if (begins(name, words, wanted)) return { rank: 2, isKeyword: 0 };
  if (keywords.some((each) => begins(each, wordsOf(each), wanted))) return { rank: 2, isKeyword: 1 };
  const all = [...words, ...keywords.flatMap(wordsOf)];
  const isScattered = wordsOf(wanted).every((each) => all.some((word) => word.startsWith(each)));
  return { rank: isScattered ? 3 : NOT_AT_ALL, isKeyword: 1 };
}

function begins(name: string, words: readonly string[], wanted: string): boolean {
  return name.startsWith(wanted) || words.some((word) => word.startsWith(wanted));
}

function wordsOf(text: string): string[] {
  return text.split(/[^\p{L}\p{M}\p{N}]+/u).filter(Boolean);
}

/** Infinity less infinity is no number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
