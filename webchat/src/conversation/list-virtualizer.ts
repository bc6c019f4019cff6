/**
 * Which rows are drawn, and what keeps them where they are while others come, go and change their height.
 *
 * The library anchors by key, so whatever happens above does not move what is being read. It does not know which of a
 * row's edges moved, and it is not asked to stay at the end: `following.ts` does that.
 */

import { defaultRangeExtractor, useVirtualizer, type ReactVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import { useRef, type RefObject } from "react";
import type { Position } from "./positions.ts";
import type { Row } from "./rows.ts";

export type ListVirtualizer = ReactVirtualizer<HTMLDivElement, HTMLDivElement>;

// Enough for the frames between two scroll events of a fling; each more costs nodes.
const OVERSCAN_ROWS = 4;

interface ListOptions {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly rows: readonly Row[];
  /** Stays drawn wherever one scrolls, since it may have the focus. */
  readonly activeIndex: number;
  readonly position: Position | undefined;
  readonly onChange: () => void;
}

export function useListVirtualizer({ scroller, rows, activeIndex, position, onChange }: ListOptions): ListVirtualizer {
  const tops = useRef(new Map<string, string>());
  const virtualizer: ListVirtualizer = useVirtualizer<HTMLDivElement, HTMLDivElement>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => rows[index]!.key,
    estimateSize: (index) => estimatedHeight(rows[index]!),
    anchorTo: "end",
    scrollEndThreshold: -1,
    overscan: OVERSCAN_ROWS,
    // Scrolling and growing answers move rows without drawing the list again.
    directDomUpdates: true,
    directDomUpdatesMode: "position",
    initialMeasurementsCache: position?.measurements ?? [],
    onChange,
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      if (activeIndex < 0 || activeIndex >= range.count || indexes.includes(activeIndex)) return indexes;
      return [...indexes, activeIndex].sort((one, other) => one - other);
    },
  });
  virtualizer.shouldAdjustScrollPositionOnItemSizeChange = (item, _delta, { scrollOffset, scrollDirection }) => {
    const row = rows[item.index];
    const top = row === undefined ? "" : topOf(row);
    const before = tops.current.get(item.key as string);
    tops.current.set(item.key as string, top);
    const offset = scrollOffset ?? 0;
    // Measured for the first time, or changed above its words: as when older messages take the day off it.
    if (before !== top) return item.start < offset;
    return item.end <= offset && scrollDirection !== "backward";
  };
  return virtualizer;
}

/** How far it is to the end of the list, in pixels. */
export function gapToEnd(element: HTMLElement): number {
  return element.scrollHeight - element.scrollTop - element.clientHeight;
}

export function itemAt(virtualizer: ListVirtualizer, index: number): VirtualItem | undefined {
  return virtualizer.measurementsCache[index];
}

/** Changes when what stands above the words of a row does. */
function topOf({ day, isFirstUnread, startsGroup }: Row): string {
  return `${String(day)} ${String(isFirstUnread)} ${String(startsGroup)}`;
}

// Guesses of a pane of ordinary width; each is corrected as soon as its row is drawn.
const LINE_PX = 24;
const LETTERS_PER_LINE = 68;

function estimatedHeight(row: Row): number {
  const above = (row.day === undefined ? 0 : 44) + (row.isFirstUnread ? 32 : 0) + (row.startsGroup ? 34 : 2);
  switch (row.kind) {
    case "message":
      return above + 20 + LINE_PX * Math.ceil((row.message.content.length + 10) / LETTERS_PER_LINE);
    case "outgoing":
      return above + 20 + LINE_PX * Math.ceil((row.outgoing.content.length + 10) / LETTERS_PER_LINE);
    case "beginning":
      return 240;
    default:
      return above + 38;
  }
}
