/**
 * The rows, of which only those in view are there: a thousand conversations cost no more than twenty.
 *
 * One of them is reached by Tab; arrows, Home and End walk from there, Enter opens.
 */

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { ConversationRow, rowId } from "./conversation-row.tsx";
import styles from "./conversation-list.module.css";

interface ConversationListProps {
  /** Ids, as they stand. */
  readonly order: readonly string[];
  readonly openId: string | undefined;
  readonly label: string;
}

// Measured once they are there; this is what they come to with the fonts of most.
const ROW_PX = 66;
const BEYOND_ROWS = 8;

export function ConversationList({ order, openId, label }: ConversationListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [walkedTo, setWalkedTo] = useState<string>();
  const mayFocus = useRef(false);
  const tabStop = [walkedTo, openId].find((id) => id !== undefined && order.includes(id)) ?? order[0];
  const tabStopAt = tabStop === undefined ? -1 : order.indexOf(tabStop);

  const virtual = useVirtualizer({
    count: order.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: BEYOND_ROWS,
    getItemKey: (index) => order[index]!,
    // The row that has the focus stays, however far one scrolls.
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const shown = new Set(tabStopAt === -1 ? [] : [tabStopAt]);
      const end = Math.min(count - 1, endIndex + overscan);
      for (let index = Math.max(0, startIndex - overscan); index <= end; index += 1) shown.add(index);
      return [...shown].sort((a, b) => a - b);
    },
  });

  // What is opened by a shortcut or a notification comes into view; rows that move up later do not move the list.
  useEffect(() => {
    setWalkedTo(undefined);
    const at = openId === undefined ? -1 : order.indexOf(openId);
    if (at !== -1) virtual.scrollToIndex(at, { align: "auto" });
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [openId]);

  useLayoutEffect(() => {
    if (!mayFocus.current || walkedTo === undefined) return;
    mayFocus.current = false;
    document.getElementById(rowId(walkedTo))?.focus({ preventScroll: true });
  }, [walkedTo]);

  function walk(event: KeyboardEvent): void {
    const next = event.ctrlKey || event.metaKey || event.altKey ? undefined : stepOf(event.key, tabStopAt, order.length);
    const id = next === undefined ? undefined : order[next];
    if (id === undefined) return;
    event.preventDefault();
    if (id === tabStop) return void document.getElementById(rowId(id))?.focus();
    mayFocus.current = true;
    setWalkedTo(id);
    virtual.scrollToIndex(next!, { align: "auto" });
  }

  return (
    <div ref={scroller} className={styles["scroller"]} onKeyDown={walk}>
      <ul className={styles["rows"]} role="list" aria-label={label} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const id = order[index]!;
          return (
            <li
              key={id}
              ref={virtual.measureElement}
              className={styles["place"]}
              data-index={index}
              aria-setsize={order.length}
              aria-posinset={index + 1}
              style={{ transform: `translateY(${start}px)` }}
            >
              <ConversationRow id={id} isOpen={id === openId} isTabStop={id === tabStop} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function stepOf(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
      return Math.min(count - 1, at + 1);
    case "ArrowUp":
      return Math.max(0, at - 1);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
