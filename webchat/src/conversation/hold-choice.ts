/**
 * Whether somebody wants long answers to stop at their beginning. Remembered on this device.
 *
 * Beside the list, so that the settings need not load it.
 */

import { useSyncExternalStore } from "react";

const KEY = "amtrio.hold-question";
const listeners = new Set<() => void>();

export function holdsQuestion(): boolean {
  return localStorage.getItem(KEY) === "on";
}

export function chooseHolding(on: boolean): void {
  if (on) localStorage.setItem(KEY, "on");
  else localStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

export function useHoldsQuestion(): boolean {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, holdsQuestion);
}
