/** Which language and which formats are shown. Knows nothing of what is said. */

import { useSyncExternalStore } from "react";
import { remember, remembered } from "./remembered.ts";

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;
/** `system`: the first language of the browser that we have. */
export type LanguageChoice = Language | "system";

const KEY = "amtrio.language";
const listeners = new Set<() => void>();
let current: Language = effective(choice());

export function choice(): LanguageChoice {
  const chosen = remembered(KEY);
  return chosen !== null && isLanguage(chosen) ? chosen : "system";
}

export function choose(wanted: LanguageChoice): void {
  remember(KEY, wanted === "system" ? null : wanted);
  apply();
}

export function language(): Language {
  return current;
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, language);
}

/** Also at the start of the program, so that `lang` of the page is right (screen readers choose their voice by it). */
export function apply(): void {
  current = effective(choice());
  document.documentElement.lang = current;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function effective(wanted: LanguageChoice): Language {
  if (wanted !== "system") return wanted;
  for (const tag of navigator.languages) {
    const primary = tag.split("-", 1)[0]!.toLowerCase();
    if (isLanguage(primary)) return primary;
  }
  return "en";
}

function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text);
}
