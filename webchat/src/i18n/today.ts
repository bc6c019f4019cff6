/** Which day it is, for views that say "Today" or leave the date out. Knows nothing of how days are called. */

import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Its midnight in milliseconds, in the zone of the device. Whoever asks is drawn anew when the next day begins. */
export function useToday(): number {
  return useSyncExternalStore(subscribe, today);
}

function today(): number {
  return new Date().setHours(0, 0, 0, 0);
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    wait();
    // Timers stand still while a machine sleeps, and a day passes.
    document.addEventListener("visibilitychange", tell);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", tell);
  };
}

function tell(): void {
  for (const listener of listeners) listener();
  clearTimeout(timer);
  wait();
}

function wait(): void {
  timer = setTimeout(tell, new Date().setHours(24, 0, 0, 0) - Date.now());
}
