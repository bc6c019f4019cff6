/** Keys in the list: from message to message, and what can be done with the one that has the focus. */

import { useCallback, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type RefObject } from "react";
import { canEdit, useMessageCommands } from "./message-commands.ts";
import { openDialog, openMenu } from "./opened.ts";
import { messageIn, type Row } from "./rows.ts";

/** How much of the screen a message that is higher than it moves per key. */
const STRIDE = 0.8;

/** Which row Tab leads to: the one that had the focus last, at first the newest. */
export function useActiveRow(rows: readonly Row[]): { readonly index: number; activate(key: string): void } {
  const [key, activate] = useState<string>();
  const index = useMemo(() => {
    const found = key === undefined ? -1 : rows.findIndex((row) => row.key === key);
    return found < 0 ? rows.findLastIndex(isWalkable) : found;
  }, [rows, key]);
  return useMemo(() => ({ index, activate }), [index]);
}

interface WalkingOptions {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly rows: readonly Row[];
  readonly active: ReturnType<typeof useActiveRow>;
  /** Bring a row onto the screen, as little as it takes. */
  readonly scrollToRow: (index: number) => void;
  /** Be at the newest message. */
  readonly toLatest: () => void;
}

export interface Walking {
  /** The row may come to be drawn only now. */
  focus(key: string): void;
  onKeyDown(event: KeyboardEvent): void;
}

export function useWalking({ scroller, rows, active, scrollToRow, toLatest }: WalkingOptions): Walking {
  const commands = useMessageCommands();
  const wanted = useRef<string>(undefined);
  const focusWanted = useCallback((): void => {
    if (wanted.current === undefined) return;
    const element = rowElement(scroller.current, wanted.current);
    if (element === null) return;
    wanted.current = undefined;
    element.focus({ preventScroll: true });
  }, [scroller]);
  useLayoutEffect(focusWanted);

  const { activate } = active;
  const focus = useCallback(
    (key: string): void => {
      wanted.current = key;
      activate(key);
      focusWanted();
    },
    [activate, focusWanted],
  );

  function walk(from: number, step: 1 | -1): void {
    let index = from + step;
    while (rows[index] !== undefined && !isWalkable(rows[index]!)) index += step;
    const row = rows[index];
    if (row === undefined) return;
    focus(row.key);
    scrollToRow(index);
  }

  function toTop(): void {
    walk(-1, 1);
    scrollToRow(0);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const { key, target, altKey, ctrlKey, metaKey, shiftKey } = event;
    if (!(target instanceof HTMLElement) || altKey || ctrlKey || metaKey) return;
    const article = target.closest<HTMLElement>("[data-row]");
    const index = article === null ? -1 : rows.findIndex((row) => row.key === article.dataset["row"]);
    const message = messageIn(rows[index]);
    const isMenuKey = key === "ContextMenu" || (key === "F10" && shiftKey);
    if (isMenuKey && message !== undefined) openMenu(message, target);
    // Everything else is for whoever stands on a message, not on something in it.
    else if (target !== article && target !== scroller.current) return;
    else if (key === "End") toLatest();
    else if (index < 0) return;
    else if (key === "Home") toTop();
    else if (key === "ArrowUp" || key === "ArrowDown") {
      const step = key === "ArrowUp" ? -1 : 1;
      if (!strode(scroller.current!, article!, step)) walk(index, step);
    } else if (message === undefined) return;
    else if (key === "r") commands.reply(message);
    else if (key === "e" && canEdit(message)) commands.edit(message);
    else if (key === "+") openMenu(message, article!, undefined, true);
    else if (key === "Delete" || key === "Backspace") openDialog({ kind: "remove", message });
    else return;
    event.preventDefault();
  }

  return { focus, onKeyDown };
}

function isWalkable(row: Row): boolean {
  return row.kind !== "beginning" && row.kind !== "typing";
}

function rowElement(within: HTMLElement | null, key: string): HTMLElement | null {
  return within?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`) ?? null;
}

/** Through a message that is higher than the screen, before on to the next. */
function strode(scroller: HTMLElement, article: HTMLElement, step: 1 | -1): boolean {
  const frame = scroller.getBoundingClientRect();
  const row = article.getBoundingClientRect();
  const hidden = step > 0 ? row.bottom - frame.bottom : frame.top - row.top;
  if (hidden <= 1) return false;
  scroller.scrollTop += step * Math.min(hidden, frame.height * STRIDE);
  return true;
}
