/**
 * Staying at the end of the list while it grows, for as long as the reader wants that: who scrolls up is left alone
 * from the first pixel on, who comes back to the end follows again.
 */

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type RefObject } from "react";
import { gapToEnd } from "./list-virtualizer.ts";
import type { Row } from "./rows.ts";

// Fractions of pixels on scaled screens.
const AT_END_PX = 3;

export interface Following {
  /** At the end, and staying there. */
  isOn(): boolean;
  /** Something else moves the list; if that leaves it at the end, it is followed all the same. */
  stop(): void;
  /** Go to the end and stay there. */
  start(): void;
  /** Whatever changed its height calls this. */
  keepUp(): void;
}

/** Beyond it the list does not follow. */
export interface Limit {
  /** The greatest `scrollTop`; undefined: none. */
  top(): number | undefined;
  reached(): void;
}

/**
 * `reachesPresent`: the end of the list is the newest message that there is. `isAway`: the reader is more than a screen
 * away from the end.
 */
export function useFollowing(
  scroller: RefObject<HTMLDivElement | null>,
  rows: readonly Row[],
  reachesPresent: boolean,
  limit: Limit,
): { readonly following: Following; readonly isAway: boolean } {
  const isOn = useRef(false);
  const [isAway, setAway] = useState(false);
  const mayFollow = useRef(reachesPresent);
  mayFollow.current = reachesPresent;
  const limitNow = useRef(limit);
  limitNow.current = limit;

  const frame = useRef(0);
  useEffect(
    () => () => {
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    },
    [],
  );

  const keepUp = useCallback((): void => {
    const element = scroller.current;
    if (element === null) return;
    if (!isOn.current || !mayFollow.current) {
      // What grows below whoever has scrolled up leads them away from the end, too, without an event of scrolling. Looked
      // at once per frame, and not while rows are being put in place.
      frame.current ||= requestAnimationFrame(() => {
        frame.current = 0;
        setAway(gapToEnd(element) > element.clientHeight);
      });
      return;
    }
    const gap = gapToEnd(element);
    if (gap <= 0) return;
    const top = limitNow.current.top();
    if (top === undefined || element.scrollTop + gap <= top) {
      element.scrollTop += gap;
      return;
    }
    element.scrollTop = Math.max(element.scrollTop, top);
    isOn.current = false;
    limitNow.current.reached();
  }, [scroller]);

  useLayoutEffect(() => {
    if (!reachesPresent) isOn.current = false;
  }, [reachesPresent]);
  // After the effect of the virtualizer, which gives the list its new height.
  useLayoutEffect(keepUp, [keepUp, rows, reachesPresent]);

  useEffect(() => {
    const element = scroller.current!;
    let top = element.scrollTop;
    const onScroll = (): void => {
      const gap = gapToEnd(element);
      if (gap <= AT_END_PX && mayFollow.current) isOn.current = true;
      else if (element.scrollTop < top) isOn.current = false;
      top = element.scrollTop;
      setAway(gap > element.clientHeight);
    };
    // Before the first pixel: otherwise growing text pulls back whoever begins to scroll.
    const onWheel = (event: WheelEvent): void => {
      if (event.deltaY < 0 && element.scrollTop > 0) isOn.current = false;
    };
    // The keyboard of a phone opens, the composer grows.
    const watch = new ResizeObserver(keepUp);
    watch.observe(element);
    // Before the virtualizer hears of it, which draws rows, which have us keep up.
    element.addEventListener("scroll", onScroll, { passive: true, capture: true });
    element.addEventListener("wheel", onWheel, { passive: true });
    return () => {
      watch.disconnect();
      element.removeEventListener("scroll", onScroll, { capture: true });
      element.removeEventListener("wheel", onWheel);
    };
  }, [scroller, keepUp]);

  const following = useMemo(
    (): Following => ({
      isOn: () => isOn.current && mayFollow.current,
      stop: () => {
        isOn.current = false;
        // No scrolling, no event.
        requestAnimationFrame(() => {
          const element = scroller.current;
          if (element !== null && mayFollow.current && gapToEnd(element) <= AT_END_PX) isOn.current = true;
        });
      },
      start: () => {
        isOn.current = true;
        keepUp();
      },
      keepUp,
    }),
    [scroller, keepUp],
  );
  return { following, isAway };
}
