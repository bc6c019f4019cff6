/** Puts what is told of live runs into the state: their words into `live`, their ids and how stopping stands beside it. */

import { LiveRuns, type AmtrioEvent, type Connection, type EventData } from "@amtrio/client";
import { live } from "./live.ts";
import { chat, type ChatState } from "./state.ts";

export class Runs {
  readonly #runs = new LiveRuns();
  readonly #asked = new Set<string>();

  /** `connection` is asked for what is missing. */
  apply(event: AmtrioEvent, connection: Connection): void {
    if (event.type === "run_control_state") return controlled(event.data);
    if (event.type === "snapshot") live.clear();
    const before = "conversation_id" in event.data ? event.data.conversation_id : undefined;
    const news = this.#runs.apply(event);
    if (news === undefined) return;
    if (news.kind === "shown") {
      live.set(news.run);
      began(news.run.conversation_id, news.run.run_id);
    } else if (news.kind === "hole") {
      void this.#ask(connection, news.runId);
    } else {
      live.delete(news.runId);
      if (before !== undefined) ended(before, news.runId);
    }
  }

  /** The server sends a picture unasked where it knows of the hole; this is for where it does not. */
  async #ask(connection: Connection, runId: string): Promise<void> {
    if (this.#asked.has(runId)) return;
    this.#asked.add(runId);
    try {
      const news = this.#runs.applySnapshot(await connection.send("run_attach", { run_id: runId }));
      if (news?.kind === "shown") {
        live.set(news.run);
        began(news.run.conversation_id, runId);
      }
    } catch {
      // It has ended meanwhile, which the log tells; or there is no connection, and the next one begins with pictures.
    } finally {
      this.#asked.delete(runId);
    }
  }
}

function began(conversationId: string, runId: string): void {
  const { runs, typing } = chat.getState();
  const known = runs[conversationId] ?? [];
  if (known.includes(runId)) return;
  // Whoever answers does not only write any more.
  const { [conversationId]: _, ...others } = typing;
  chat.setState({ runs: { ...runs, [conversationId]: [...known, runId] }, typing: others });
}

function ended(conversationId: string, runId: string): void {
  chat.setState(({ runs, stopping }) => {
    const { [runId]: _, ...others } = stopping;
    const left = (runs[conversationId] ?? []).filter((each) => each !== runId);
    return { runs: { ...runs, [conversationId]: left }, stopping: others };
  });
}

function controlled({ run_id: runId, action, state }: EventData["run_control_state"]): void {
  if (action !== "stop") return;
  if (state === "closed") {
    chat.setState(({ stopping: { [runId]: _, ...stopping } }) => ({ stopping }));
  } else {
    chat.setState(({ stopping }) => ({ stopping: { ...stopping, [runId]: state as ChatState["stopping"][string] } }));
  }
}
