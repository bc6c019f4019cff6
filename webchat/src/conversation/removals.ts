/**
 * Messages that are being deleted: gone from view at once, and for good when the time to think again has passed.
 *
 * Whoever leaves the page or signs out meanwhile meant it, too.
 */

import type { Message } from "@amtrio/client";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

/** Long enough to notice a slip; the notice with "Undo" stays as long. */
export const UNDO_MS = 5000;

// A server that does not answer keeps nobody from signing out.
const FINISHED_WITHIN_MS = 2000;

interface Removal {
  readonly timer: ReturnType<typeof setTimeout>;
  readonly finish: () => Promise<void>;
}

const pending = new Map<string, Removal>();
const removed = createStore<ReadonlySet<string>>(() => new Set<string>());

export function useRemoved(): ReadonlySet<string> {
  return useStore(removed);
}

/** `remove` is called later, once; if it fails the message is there again. */
export function removeLater(message: Message, remove: (message: Message) => Promise<void>, failed: (error: unknown) => void): void {
  const { message_id: id } = message;
  if (pending.has(id)) return;
  const finish = async (): Promise<void> => {
    clearTimeout(pending.get(id)?.timer);
    pending.delete(id);
    await remove(message).catch(failed);
    show(id);
  };
  pending.set(id, { timer: setTimeout(() => void finish(), UNDO_MS), finish });
  removed.setState(new Set([...removed.getState(), id]), true);
}

export function keepAfterAll(messageId: string): void {
  const removal = pending.get(messageId);
  if (removal === undefined) return;
  clearTimeout(removal.timer);
  pending.delete(messageId);
  show(messageId);
}

function show(messageId: string): void {
  removed.setState(new Set([...removed.getState()].filter((id) => id !== messageId)), true);
}

/** At once what would be done in a moment: whoever signs out meant it as well. */
export async function finishRemovals(): Promise<void> {
  const all = Promise.all([...pending.values()].map(({ finish }) => finish()));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, FINISHED_WITHIN_MS)));
  await Promise.race([all, late]);
  clearTimeout(timer);
}

addEventListener("pagehide", () => void finishRemovals());
