/** A finger that stays asks for the menu, as the right button of a mouse does. */

import { useRef, type PointerEvent } from "react";

// As long as the systems take. A finger that scrolls has moved further by then.
const LONG_MS = 500;
const STILL_PX = 10;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Handlers for an element; the click that ends a long press is swallowed. */
export function useLongPress(pressed: (at: Point) => void) {
  const press = useRef<{ at: Point; timer: ReturnType<typeof setTimeout>; isLong: boolean } | undefined>(undefined);
  const end = (): void => clearTimeout(press.current?.timer);
  return {
    onPointerDown(event: PointerEvent) {
      end();
      press.current = undefined;
      if (event.pointerType !== "touch") return;
      const at = { x: event.clientX, y: event.clientY };
      const timer = setTimeout(() => {
        press.current!.isLong = true;
        pressed(at);
      }, LONG_MS);
      press.current = { at, timer, isLong: false };
    },
    onPointerMove(event: PointerEvent) {
      const from = press.current?.at;
      if (from !== undefined && Math.hypot(event.clientX - from.x, event.clientY - from.y) > STILL_PX) end();
    },
    onPointerUp: end,
    onPointerCancel: end,
    onClickCapture(event: { preventDefault(): void; stopPropagation(): void }) {
      if (press.current?.isLong !== true) return;
      press.current = undefined;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
