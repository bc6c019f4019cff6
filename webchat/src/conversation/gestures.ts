/** Asking for the menu of a message: by the other button of a mouse, or by a finger that stays. */

import { useMemo, useRef, type MouseEvent, type PointerEvent, type RefObject } from "react";
import { closeMenu, openMenu } from "./opened.ts";
import { messageIn, type Row } from "./rows.ts";

/** As long as the systems of phones take. */
const LONG_PRESS_MS = 500;
/** A finger is never quite still. */
const STILL_PX = 10;

export interface Gestures {
  onContextMenu(event: MouseEvent): void;
  onPointerDown(event: PointerEvent): void;
  onPointerMove(event: PointerEvent): void;
  onPointerUp(): void;
  onPointerCancel(): void;
  onClickCapture(event: MouseEvent): void;
}

export function useGestures(rows: RefObject<readonly Row[]>): Gestures {
  const press = useRef<{ readonly timer: ReturnType<typeof setTimeout>; readonly x: number; readonly y: number }>(undefined);
  const wasLong = useRef(false);
  return useMemo(() => {
    const ask = (target: EventTarget, x: number, y: number): boolean => {
      const article = target instanceof Element ? target.closest<HTMLElement>("[data-row]") : null;
      const message = messageIn(rows.current.find((row) => row.key === article?.dataset["row"]));
      if (article === null || message === undefined) return false;
      openMenu(message, article, { x, y });
      return true;
    };
    const release = (): void => {
      clearTimeout(press.current?.timer);
      press.current = undefined;
    };
    return {
      onContextMenu(event) {
        // What was selected is to be copied, a link to be opened elsewhere: that is the browser's menu.
        const isForBrowser = event.target instanceof Element && event.target.closest("a[href], input, textarea, video, audio") !== null;
        if (isForBrowser || hasSelection()) return;
        if (wasLong.current || ask(event.target, event.clientX, event.clientY)) event.preventDefault();
      },
      onPointerDown({ pointerType, isPrimary, target, clientX: x, clientY: y }) {
        release();
        wasLong.current = false;
        // Also a press on the message that the menu belongs to, which the menu itself leaves alone: the finger that opened
        // it is still lifted there. A button of a menu knows by itself.
        if (target instanceof Element && target.closest("[aria-haspopup]") === null) closeMenu();
        if (pointerType !== "touch" || !isPrimary) return;
        const timer = setTimeout(() => {
          wasLong.current = ask(target, x, y);
        }, LONG_PRESS_MS);
        press.current = { timer, x, y };
      },
      onPointerMove({ clientX, clientY }) {
        const from = press.current;
        if (from !== undefined && Math.hypot(clientX - from.x, clientY - from.y) > STILL_PX) release();
      },
      onPointerUp: release,
      onPointerCancel: release,
      onClickCapture(event) {
        // The finger that opened the menu is lifted: that is no click on what is beneath.
        if (!wasLong.current) return;
        wasLong.current = false;
        event.preventDefault();
        event.stopPropagation();
      },
    };
  }, [rows]);
}

function hasSelection(): boolean {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && selection.toString().trim() !== "";
}
