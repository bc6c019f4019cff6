/**
 * Names of emoji in the language that is shown, from our own server. Its own chunk.
 *
 * Fetches `/emoji/LOCALE/data.json` and `/emoji/LOCALE/messages.json` (emojibase-data), `en` or `de`.
 */

import { defaultEmojiDataResolver, type EmojiData } from "frimousse";
import type { Language } from "../i18n/language.ts";
import { foundEmoji, type Emoji } from "./emoji-search.ts";
import { spelled } from "./emoji-spelling.ts";
import { MOST, type Suggestion } from "./suggestions.ts";

/** Without it the library would ask a foreign host. */
export const EMOJI_URL = "/emoji";

const loaded = new Map<Language, Promise<EmojiData>>();

/** Kept for the life of the page; a failure is forgotten, so that it can be tried again. */
export function emojiData(language: Language): Promise<EmojiData> {
  const known = loaded.get(language);
  if (known !== undefined) return known;
  const data = Promise.resolve(defaultEmojiDataResolver(language, { emojibaseUrl: EMOJI_URL })).then((found) => ({
    ...found,
    emojis: found.emojis.map(respelled),
  }));
  loaded.set(language, data);
  data.catch(() => loaded.delete(language));
  return data;
}

function respelled(each: Emoji): Emoji {
  const { skins } = each;
  if (skins === undefined) return { ...each, emoji: spelled(each.emoji) };
  const all = Object.entries(skins).map(([tone, emoji]) => [tone, spelled(emoji)]);
  return { ...each, emoji: spelled(each.emoji), skins: Object.fromEntries(all) as typeof skins };
}

export async function suggestEmoji(query: string, language: Language): Promise<Suggestion[]> {
  const { emojis } = await emojiData(language);
  return foundEmoji(emojis, query.replaceAll("_", " "), MOST).map(({ emoji, label }) => ({
    id: emoji,
    text: emoji,
    label: `${emoji} ${label}`,
  }));
}
