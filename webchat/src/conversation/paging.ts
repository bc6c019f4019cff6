/** Loading what is older or newer before one gets there. */

import { useEffect, type RefObject } from "react";
import { useActions } from "../engine/actions.ts";
import type { Timeline } from "../engine/state.ts";
import { gapToEnd } from "./list-virtualizer.ts";

// So many screens ahead of the edge; a page is fetched while they are scrolled through.
const AHEAD_SCREENS = 2;

/**
 * `first` and `last` are the rows at the edges of the screen: it is looked again when they change. `isSeeking`: the list is
 * on its way to another place, so nothing depends on where it is now.
 */
export function usePaging(
  conversationId: string,
  scroller: RefObject<HTMLDivElement | null>,
  { hasOlder, hasNewer, loading, error, messages }: Timeline,
  first: number,
  last: number,
  isSeeking: boolean,
): void {
  const actions = useActions();
  const isFree = loading === null && error === null && !isSeeking;
  useEffect(() => {
    const element = scroller.current;
    if (element === null || !isFree) return;
    const ahead = element.clientHeight * AHEAD_SCREENS;
    // Not by the numbers of the rows: at first the list has not been where it is about to be.
    if (hasOlder && element.scrollTop < ahead) actions.loadOlder(conversationId);
    else if (hasNewer && gapToEnd(element) < ahead) actions.loadNewer(conversationId);
  }, [actions, conversationId, scroller, isFree, hasOlder, hasNewer, messages, first, last]);
}
