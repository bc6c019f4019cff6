/** Emoji that somebody picked last, and the skin tone they chose; remembered on this device until they sign out. */

import type { SkinTone } from "frimousse";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { keepOwnItem, ownItem } from "../engine/own-items.ts";
import { chat } from "../engine/state.ts";
import { spelled } from "./emoji-spelling.ts";

const RECENT_KEY = "emoji.recent";
const TONE_KEY = "emoji.tone";
// Two rows of the picker.
const KEPT = 16;
const TONES: ReadonlySet<string> = new Set<SkinTone>(["none", "light", "medium-light", "medium", "medium-dark", "dark"]);

const picked = createStore<{ readonly recent: readonly string[] }>(() => ({ recent: stored() }));

chat.subscribe((now, before) => {
  if (now.self?.userId !== before.self?.userId) picked.setState({ recent: stored() });
});

function stored(): readonly string[] {
  const kept = (ownItem(RECENT_KEY) ?? "").split(" ").filter(Boolean);
  // Kept before there was one spelling, one can be there twice.
  return [...new Set(kept.map(spelled))];
}

/** Newest first. */
export function useRecentEmoji(): readonly string[] {
  return useStore(picked, ({ recent }) => recent);
}

export function rememberEmoji(emoji: string): void {
  const recent = [...new Set([spelled(emoji), ...stored()])].slice(0, KEPT);
  keepOwnItem(RECENT_KEY, recent.join(" "));
  picked.setState({ recent });
}

export function skinTone(): SkinTone {
  const tone = ownItem(TONE_KEY) as SkinTone;
  return TONES.has(tone) ? tone : "none";
}

export function rememberSkinTone(tone: SkinTone): void {
  keepOwnItem(TONE_KEY, tone);
}
