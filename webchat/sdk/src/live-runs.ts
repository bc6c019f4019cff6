/**
 * The runs that are going on, kept up to date by the events of a connection.
 *
 * Knows which events tell of runs and when one is over. Source: docs/protocol.md, "What devices are shown".
 */

import type { AmtrioEvent } from "./events.js";
import { applyDelta, applySnapshot, type RunView } from "./run-view.js";
import type { RunSnapshot } from "./shapes.js";

// So many ends are remembered, for what was on its way when a run ended. More end only in months.
const ENDED_AT_MOST = 1000;

/**
 * What an event means for a run. `shown`: it looks like this now. `hole`: something is missing; the server sends a
 * snapshot by itself, `run_attach` asks for one. `ended`: its message, if it left one, takes its place.
 */
export type RunNews =
  | { readonly kind: "shown"; readonly run: RunView }
  | { readonly kind: "hole"; readonly runId: string }
  | { readonly kind: "ended"; readonly runId: string };

export class LiveRuns {
  readonly #views = new Map<string, RunView>();
  readonly #ended = new Set<string>();

  get(runId: string): RunView | undefined {
    return this.#views.get(runId);
  }

  /** Those of one conversation, in the order in which they were heard of. */
  of(conversationId: string): RunView[] {
    return [...this.#views.values()].filter((view) => view.conversation_id === conversationId);
  }

  /** Undefined if it tells nothing new of any run. */
  apply(event: AmtrioEvent): RunNews | undefined {
    switch (event.type) {
      case "run_snapshot":
        return this.applySnapshot(event.data);
      case "run_delta": {
        const { run_id: runId } = event.data;
        if (this.#ended.has(runId)) return undefined;
        const view = applyDelta(this.#views.get(runId), event.data);
        return view === "hole" ? { kind: "hole", runId } : this.#show(view);
      }
      case "message":
      case "message_edited":
      case "message_deleted":
        return event.data.run === undefined ? undefined : this.#end(event.data.run.run_id);
      case "run_ended":
        return this.#end(event.data.run_id);
      case "snapshot":
        // What goes on is told anew on the socket that follows.
        this.#views.clear();
        return undefined;
      default:
        return undefined;
    }
  }

  /** The same for the answer to `run_attach`. */
  applySnapshot(snapshot: RunSnapshot): RunNews | undefined {
    if (this.#ended.has(snapshot.run_id)) return undefined;
    return this.#show(applySnapshot(this.#views.get(snapshot.run_id), snapshot));
  }

  #show(run: RunView): RunNews | undefined {
    if (this.#views.get(run.run_id) === run) return undefined;
    this.#views.set(run.run_id, run);
    return { kind: "shown", run };
  }

  #end(runId: string): RunNews | undefined {
    this.#views.delete(runId);
    if (this.#ended.has(runId)) return undefined;
    this.#ended.add(runId);
    const [oldest] = this.#ended;
    if (this.#ended.size > ENDED_AT_MOST) this.#ended.delete(oldest!);
    return { kind: "ended", runId };
  }
}
