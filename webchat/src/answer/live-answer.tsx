/**
 * The answer that is being written: the only view that is drawn again when words arrive.
 *
 * Busy for screen readers, which then wait for the end. Shows nothing once the run is over; its message does.
 */

import { useRun } from "../engine/live.ts";
import { AnswerParts } from "./answer-parts.tsx";

export function LiveAnswer({ runId }: { readonly runId: string }) {
  const run = useRun(runId);
  if (run === undefined) return null;
  return (
    <div aria-busy>
      <AnswerParts parts={run.parts} isLive conversationId={run.conversation_id} />
    </div>
  );
}
