/** Emoji that were picked last, and the skin tone that was chosen; remembered on this device. */

import type { SkinTone } from "frimousse";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

const RECENT_KEY = "amtrio.emoji.recent";
const TONE_KEY = "amtrio.emoji.tone";
// Two rows of the picker.
const KEPT = 16;
const TONES: ReadonlySet<string> = new Set<SkinTone>(["none", "light", "medium-light", "medium", "medium-dark", "dark"]);

const picked = createStore<{ readonly recent: readonly string[] | undefined }>(() => ({ recent: undefined }));

function stored(): readonly string[] {
  return (localStorage.getItem(RECENT_KEY) ?? "").split(" ").filter(Boolean);
}

const atStart = stored();

/** Newest first. */
export function useRecentEmoji(): readonly string[] {
  return useStore(picked, ({ recent }) => recent ?? atStart);
}

export function rememberEmoji(emoji: string): void {
  const recent = [emoji, ...stored().filter((each) => each !== emoji)].slice(0, KEPT);
  localStorage.setItem(RECENT_KEY, recent.join(" "));
  picked.setState({ recent });
}

export function skinTone(): SkinTone {
  const tone = localStorage.getItem(TONE_KEY) as SkinTone;
  return TONES.has(tone) ? tone : "none";
}

export function rememberSkinTone(tone: SkinTone): void {
  localStorage.setItem(TONE_KEY, tone);
}
