/**
 * Whether a long answer stops moving when its question has reached the upper edge, so that it can be read from its
 * beginning while it grows. A person chooses; remembered on this device.
 */

import { useRef, useSyncExternalStore } from "react";
import type { Limit } from "./following.ts";
import { itemAt, type ListVirtualizer } from "./list-virtualizer.ts";
import type { Row } from "./rows.ts";

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

/** How far the list may follow the answer that is being written: once per answer, then the reader decides. */
export function useHeldQuestion(virtualizer: ListVirtualizer, rows: readonly Row[]): Limit {
  const heldRun = useRef<string>(undefined);
  return {
    top() {
      const last = rows.at(-1);
      if (last?.kind !== "live" || last.runId === heldRun.current || !holdsQuestion()) return undefined;
      const question = rows.findLastIndex((row) => row.kind === "outgoing" || (row.kind === "message" && row.isOwn));
      return itemAt(virtualizer, question)?.start;
    },
    reached() {
      const last = rows.at(-1);
      if (last?.kind === "live") heldRun.current = last.runId;
    },
  };
}
