/** Fingers, wheel and double clicks on a stage become a view of the picture on it; a swipe turns the page, or puts it away. */

import { useEffect, useRef, useState, type PointerEvent, type RefObject } from "react";
import { kept, moved, WHOLE, zoomed, type View } from "./zoom.ts";

export const ZOOM_STEP = 1.5;
const DOUBLE_CLICK = 2.5;
// A finger that travels this far sideways means the next picture.
const SWIPE_PX = 60;
// Downwards it means the end, which wants more: a hand that holds the phone slips sooner in that direction.
const PULL_PX = 90;

export interface Zoom {
  readonly view: View;
  /** How far a finger pulls the whole picture down, in CSS pixels. */
  readonly pulled: number;
  readonly zoomBy: (factor: number) => void;
  readonly panBy: (dx: number, dy: number) => void;
  readonly reset: () => void;
  readonly handlers: {
    onPointerDown: (event: PointerEvent) => void;
    onPointerMove: (event: PointerEvent) => void;
    onPointerUp: (event: PointerEvent) => void;
    onPointerCancel: (event: PointerEvent) => void;
    onDoubleClick: (event: React.MouseEvent) => void;
  };
}

export function useZoom(
  stage: RefObject<HTMLElement | null>,
  picture: RefObject<HTMLElement | null>,
  onSwipe: (to: -1 | 1) => void,
  onPulledAway: () => void,
): Zoom {
  const [view, setView] = useState(WHOLE);
  const fingers = useRef(new Map<number, { x: number; y: number }>());
  const swipe = useRef({ x: 0, y: 0 });
  const [pulled, setPulled] = useState(0);

  const change = (to: (view: View) => View): void => {
    setView((before) => {
      const after = to(before);
      const box = stage.current;
      const shown = picture.current;
      if (box === null || shown === null) return after;
      // `offset…`: as laid out, without the enlargement.
      const size = { width: shown.offsetWidth, height: shown.offsetHeight };
      return kept(after, size, { width: box.clientWidth, height: box.clientHeight });
    });
  };
  const fromMiddle = (x: number, y: number): [number, number] => {
    const box = stage.current!.getBoundingClientRect();
    return [x - box.left - box.width / 2, y - box.top - box.height / 2];
  };

  useEffect(() => {
    const box = stage.current!;
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      change((before) => zoomed(before, Math.exp(-event.deltaY / 300), ...fromMiddle(event.clientX, event.clientY)));
    };
    // React's own listener is passive, and the page would scroll or zoom along.
    box.addEventListener("wheel", wheel, { passive: false });
    return () => box.removeEventListener("wheel", wheel);
    // oxlint-disable-next-line react/exhaustive-deps -- what it uses never changes
  }, []);

  function move(event: PointerEvent): void {
    const before = fingers.current.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
    fingers.current.set(event.pointerId, now);
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    if (other !== undefined) {
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      const middle = fromMiddle((now.x + other.x) / 2, (now.y + other.y) / 2);
      change((shown) => moved(zoomed(shown, factor, ...middle), dx / 2, dy / 2));
    } else if (view.scale > 1) {
      change((shown) => moved(shown, dx, dy));
    } else if (event.pointerType === "touch") {
      swipe.current = { x: swipe.current.x + dx, y: swipe.current.y + dy };
      setPulled(isDown(swipe.current) ? swipe.current.y : 0);
    }
  }

  function endSwipe(): void {
    swipe.current = { x: 0, y: 0 };
    setPulled(0);
  }

  function lift(event: PointerEvent): void {
    fingers.current.delete(event.pointerId);
    if (fingers.current.size > 0) return;
    const { x, y } = swipe.current;
    endSwipe();
    if (view.scale > 1 || event.type === "pointercancel") return;
    if (isDown({ x, y })) {
      if (y > PULL_PX) onPulledAway();
    } else if (Math.abs(x) > SWIPE_PX) {
      onSwipe(x > 0 ? -1 : 1);
    }
  }

  return {
    view,
    pulled,
    zoomBy: (factor) => change((before) => zoomed(before, factor, 0, 0)),
    panBy: (dx, dy) => change((before) => moved(before, dx, dy)),
    reset: () => setView(WHOLE),
    handlers: {
      onPointerDown: (event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture?.(event.pointerId);
        fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
        if (fingers.current.size > 1) endSwipe();
      },
      onPointerMove: move,
      onPointerUp: lift,
      onPointerCancel: lift,
      onDoubleClick: (event) => {
        const at = fromMiddle(event.clientX, event.clientY);
        change((before) => (before.scale > 1 ? WHOLE : zoomed(before, DOUBLE_CLICK, ...at)));
      },
    },
  };
}

function isDown({ x, y }: { x: number; y: number }): boolean {
  return y > Math.abs(x);
}

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
