/**
 * Back closes what lies on top, a dialog, a menu or a picture, before it leaves the view below.
 *
 * As long as anything is open, one entry of our own stands on top of the history, with the address of the view below.
 * Back takes it away, and the uppermost closes; whatever is closed in another way takes it along. It is one entry however
 * much is open, and always the last: under a view that was opened later it would be a Back that does nothing.
 */

import { useLayoutEffect, useRef } from "react";
import type { AroundNavHandler } from "wouter";

const MARK = "amtrio.open";
// A traversal takes some milliseconds. Where there is nothing to go back to, nobody says so.
const LEFT_AFTER_MS = 500;

/** How each is closed, the uppermost last. */
const open: (() => void)[] = [];
/** What waits until our entry is gone: meanwhile nobody knows which entry it would follow. */
const waiting: (() => void)[] = [];
let isWatching = false;
let leaving: ReturnType<typeof setTimeout> | undefined;
let settling: ReturnType<typeof setTimeout> | undefined;

/** Begin, once in a page's life. A page that was loaded again may stand on the entry of what is not open any more. */
export function watchBack(): void {
  isWatching = true;
  addEventListener("popstate", wentThrough);
  settle();
}

/** Back calls `close`, as long as this is open and nothing lies over it. */
export function useClosedByBack(close: () => void, isOpen = true): void {
  const latest = useRef(close);
  useLayoutEffect(() => {
    latest.current = close;
  });
  // Before it is drawn: whoever sees it may press Back.
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const mine = (): void => latest.current();
    open.push(mine);
    settle();
    return () => {
      open.splice(open.indexOf(mine), 1);
      settleSoon();
    };
  }, [isOpen]);
}

/** For the router: a view that is opened from a dialog takes the place of our entry. */
export const navigateBehind: AroundNavHandler = (navigate, to, options) => {
  if (leaving !== undefined) {
    waiting.push(() => navigateBehind(navigate, to, options));
  } else if (!isMarked()) {
    navigate(to, options);
  } else if (options?.replace === true) {
    // Not ours is meant but the one below.
    waiting.push(() => navigate(to, options));
    leave();
  } else {
    navigate(to, { ...options, replace: true });
    settleSoon();
  }
};

function wentThrough(): void {
  if (leaving !== undefined) return left();
  if (!isMarked()) open.at(-1)?.();
  settleSoon();
}

/** Not before what is closed now has closed, and what follows it has opened. */
function settleSoon(): void {
  settling ??= setTimeout(settle, 0);
}

function settle(): void {
  clearTimeout(settling);
  settling = undefined;
  if (!isWatching || leaving !== undefined) return;
  if (open.length > 0 && !isMarked()) history.pushState({ [MARK]: true }, "");
  else if (open.length === 0 && isMarked()) leave();
}

function leave(): void {
  leaving = setTimeout(() => {
    history.replaceState(null, "");
    left();
  }, LEFT_AFTER_MS);
  history.back();
}

function left(): void {
  clearTimeout(leaving);
  leaving = undefined;
  for (const go of waiting.splice(0)) go();
  settleSoon();
}

function isMarked(): boolean {
  const state: unknown = history.state;
  return typeof state === "object" && state !== null && MARK in state;
}
