/** Loading what is older or newer before one gets there. */

import { useEffect } from "react";
import { useActions } from "../engine/actions.ts";
import type { Timeline } from "../engine/state.ts";

// So many rows ahead of the edge of the screen; a page is fetched while they are scrolled through.
const AHEAD_ROWS = 15;

/** `first` and `last` are the rows at the edges of the screen. */
export function usePaging(conversationId: string, timeline: Timeline, first: number, last: number, count: number): void {
  const actions = useActions();
  const { hasOlder, hasNewer, loading, error } = timeline;
  const isFree = loading === null && error === null;
  const wantsOlder = isFree && hasOlder && first < AHEAD_ROWS;
  const wantsNewer = isFree && hasNewer && last >= count - AHEAD_ROWS;
  useEffect(() => {
    if (wantsOlder) actions.loadOlder(conversationId);
    else if (wantsNewer) actions.loadNewer(conversationId);
  }, [actions, conversationId, wantsOlder, wantsNewer, count]);
}
