/** How this device tells of new messages; kept on it, since a phone and a desktop want different things. */

import { useSyncExternalStore } from "react";

export interface Preferences {
  /** A tone for messages that are not being looked at. */
  readonly sound: boolean;
  /** Notifications of the system while the page is out of sight. They also need the browser's permission. */
  readonly desktop: boolean;
  /** They say what the message says. */
  readonly preview: boolean;
}

const KEY = "amtrio.notifications";
const DEFAULTS: Preferences = { sound: true, desktop: false, preview: true };
const listeners = new Set<() => void>();
let known: { readonly stored: string | null; readonly value: Preferences } | undefined;

export function preferences(): Preferences {
  const stored = localStorage.getItem(KEY);
  if (known?.stored !== stored) known = { stored, value: read(stored) };
  return known!.value;
}

export function changePreferences(changes: Partial<Preferences>): void {
  localStorage.setItem(KEY, JSON.stringify({ ...preferences(), ...changes }));
  for (const listener of listeners) listener();
}

/** Also what another tab changes. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", listener);
  };
}

function read(stored: string | null): Preferences {
  let value: Partial<Record<keyof Preferences, unknown>> = {};
  try {
    value = Object(JSON.parse(stored ?? "{}"));
  } catch {
    // Whatever that is, it is none of ours.
  }
  const flag = (name: keyof Preferences): boolean => (typeof value[name] === "boolean" ? value[name] : DEFAULTS[name]);
  return { sound: flag("sound"), desktop: flag("desktop"), preview: flag("preview") };
}
