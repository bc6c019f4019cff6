/** Light, dark, or as the system says; remembered on this device. */

import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "amtrio.theme";
const listeners = new Set<() => void>();

export function theme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    // With site data blocked even looking is refused. Signing in says so.
    return "system";
  }
}

export function chooseTheme(wanted: Theme): void {
  if (wanted === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, wanted);
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
