/**
 * Whether a long answer stops moving when its question has reached the upper edge, so that it can be read from its
 * beginning while it grows. `hold-choice` knows whether that is wanted.
 */

import { useRef } from "react";
import type { Limit } from "./following.ts";
import { holdsQuestion } from "./hold-choice.ts";
import { itemAt, type ListVirtualizer } from "./list-virtualizer.ts";
import type { Row } from "./rows.ts";

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
