/** The edge between list and view: drag it, or move it with the arrows. Remembered on this device. */

import { useLayoutEffect, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useWords } from "../i18n/words.ts";
import styles from "./pane-edge.module.css";
import { words } from "./words.ts";

const KEY = "amtrio.list-width";
const LEAST_PX = 260;
const MOST_PX = 440;
const USUAL_PX = 320;
const STEP_PX = 16;

export function PaneEdge() {
  const t = useWords(words);
  const [width, setWidth] = useState(stored);

  useLayoutEffect(() => {
    document.documentElement.style.setProperty("--list-width", `${width}px`);
    if (width === USUAL_PX) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, String(width));
  }, [width]);

  function key(event: KeyboardEvent): void {
    const next = { ArrowLeft: width - STEP_PX, ArrowRight: width + STEP_PX, Home: LEAST_PX, End: MOST_PX }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setWidth(within(next));
  }

  return (
    <div
      className={styles["edge"]}
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={t("resize")}
      aria-valuemin={LEAST_PX}
      aria-valuemax={MOST_PX}
      aria-valuenow={width}
      onKeyDown={key}
      onDoubleClick={() => setWidth(USUAL_PX)}
      onPointerDown={(event: PointerEvent<HTMLElement>) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event: PointerEvent<HTMLElement>) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) setWidth(within(event.clientX));
      }}
    />
  );
}

function stored(): number {
  return within(Number(localStorage.getItem(KEY) ?? USUAL_PX) || USUAL_PX);
}

function within(width: number): number {
  return Math.round(Math.min(MOST_PX, Math.max(LEAST_PX, width)));
}
