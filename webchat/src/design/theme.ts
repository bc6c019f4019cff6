/** Light, dark, or as the system says; remembered on this device. */

import { useSyncExternalStore } from "react";
import { remember, remembered } from "../i18n/remembered.ts";

export type Theme = "system" | "light" | "dark";
const KEY = "amtrio.theme";
const listeners = new Set<() => void>();

export function theme(): Theme {
  const chosen = remembered(KEY);
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function chooseTheme(wanted: Theme): void {
  remember(KEY, wanted === "system" ? null : wanted);
  applyTheme();
}

/** First of all at the start, before anything is drawn: otherwise the page flashes. */
export function applyTheme(): void {
  const wanted = theme();
  document.documentElement.style.colorScheme = wanted === "system" ? "light dark" : wanted;
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    theme,
  );
}
