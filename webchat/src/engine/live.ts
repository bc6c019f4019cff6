/**
 * The runs that are going on, for the views that show their words.
 *
 * Apart from the rest of what is known, because it changes many times a second and concerns one bubble: views of one
 * run listen to that run alone, and are told at most once per frame that is drawn.
 */

import type { RunView } from "@amtrio/client";
import { useLayoutEffect, useState } from "react";
import { flushSync } from "react-dom";

type Listener = () => void;

export class LiveStore {
  readonly #views = new Map<string, RunView>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #changed = new Set<string>();
  readonly #since = new Map<string, Map<number, number>>();
  #frame = 0;

  get(runId: string): RunView | undefined {
    return this.#views.get(runId);
  }

  set(run: RunView): void {
    this.#views.set(run.run_id, run);
    this.#changed.add(run.run_id);
    // Not in a tab that nobody sees: its frames do not come, and it has no view to draw.
    // Drawn in this frame: React on its own would put it off, and take a turn more for that.
    this.#frame ||= requestAnimationFrame(() => flushSync(() => this.flush()));
  }

  /**
   * When a part of a run was first shown, in milliseconds since 1970: the same for as long as the run goes on, also after
   * its row was out of sight.
   */
  since(runId: string, part: number): number {
    const now = Date.now();
    if (!this.#views.has(runId)) return now;
    const parts = this.#since.get(runId) ?? new Map<number, number>();
    const since = parts.get(part) ?? now;
    this.#since.set(runId, parts.set(part, since));
    return since;
  }

  delete(runId: string): void {
    this.#views.delete(runId);
    this.#since.delete(runId);
    this.#changed.delete(runId);
  }

  clear(): void {
    this.#views.clear();
    this.#since.clear();
    this.#changed.clear();
  }

  subscribe(runId: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(runId) ?? new Set();
    this.#listeners.set(runId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(runId);
    };
  }

  /** Tell the views now. */
  flush(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const runId of changed) for (const listener of this.#listeners.get(runId) ?? []) listener();
  }
}

export const live = new LiveStore();

/** A run as it is at this frame; as it was last once it is over, undefined if it was over before. */
export function useRun(runId: string): RunView | undefined {
  const [run, setRun] = useState(() => live.get(runId));
  // Not `useSyncExternalStore`: it has an effect for each change, which React does later, in a task of its own.
  useLayoutEffect(() => {
    const tell = (): void => setRun((before) => live.get(runId) ?? before);
    tell();
    return live.subscribe(runId, tell);
  }, [runId]);
  return run;
}
