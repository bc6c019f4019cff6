/**
 * Which rows are drawn, and what keeps them where they are while others come, go and change their height.
 *
 * The library anchors by key, so whatever happens above does not move what is being read. It does not know which of a
 * row's edges moved, and it is not asked to stay at the end: `following.ts` does that.
 */

import {
  defaultRangeExtractor,
  measureElement,
  observeElementOffset,
  useVirtualizer,
  type ReactVirtualizer,
  type VirtualItem,
} from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, type RefObject } from "react";
import type { Position } from "./positions.ts";
import type { Row } from "./rows.ts";

export type ListVirtualizer = ReactVirtualizer<HTMLDivElement, HTMLDivElement>;

// Enough for the frames between two scroll events of a fling; each more costs nodes.
const OVERSCAN_ROWS = 4;

/** What is scrolled to has a little of what came before above it. */
const CONTEXT_PX = 80;

interface ListOptions {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly rows: readonly Row[];
  /** Stays drawn wherever one scrolls, since it may have the focus. */
  readonly activeIndex: number;
  readonly position: Position | undefined;
  /** All rows are drawn. */
  readonly isWhole: boolean;
  readonly onChange: () => void;
  /** The list is moved by what is said, not by the reader. The same function every time. */
  readonly isFollowing: () => boolean;
}

export function useListVirtualizer({ scroller, rows, activeIndex, position, isWhole, onChange, isFollowing }: ListOptions): ListVirtualizer {
  const tops = useRef(new Map<string, string>());
  const hasOtherTop = useRef(false);
  const isOtherTop = (row: Row | undefined): boolean => {
    const before = row === undefined ? undefined : tops.current.get(row.key);
    return before !== undefined && before !== topOf(row!);
  };
  const virtualizer: ListVirtualizer = useVirtualizer<HTMLDivElement, HTMLDivElement>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => rows[index]!.key,
    estimateSize: (index) => estimatedHeight(rows[index]!),
    anchorTo: "end",
    scrollEndThreshold: -1,
    overscan: OVERSCAN_ROWS,
    scrollPaddingStart: CONTEXT_PX,
    // Scrolling and growing answers move rows without drawing the list again.
    directDomUpdates: true,
    directDomUpdatesMode: "position",
    initialMeasurementsCache: position?.measurements ?? [],
    onChange,
    // Going along with an answer is no scrolling: the list would be drawn twice for each of its lines.
    observeElementOffset: (instance, tell) =>
      observeElementOffset(instance, (offset, isScrolling) => tell(offset, isScrolling && !isFollowing())),
    // Called for each row right before the library asks below whether to make up for its new height.
    measureElement: (element, entry, instance) => {
      const row = rows[instance.indexFromElement(element)];
      hasOtherTop.current = isOtherTop(row);
      if (row !== undefined) tops.current.set(row.key, topOf(row));
      // Without an entry the library is content with what it knew.
      return hasOtherTop.current && entry === undefined ? element.offsetHeight : measureElement(element, entry, instance);
    },
    rangeExtractor: (range) => {
      if (isWhole) return Array.from({ length: range.count }, (_, index) => index);
      const indexes = defaultRangeExtractor(range);
      if (activeIndex < 0 || activeIndex >= range.count || indexes.includes(activeIndex)) return indexes;
      return [...indexes, activeIndex].sort((one, other) => one - other);
    },
  });
  virtualizer.shouldAdjustScrollPositionOnItemSizeChange = (item, _delta, { scrollOffset, scrollDirection, itemSizeCache }) => {
    const offset = scrollOffset ?? 0;
    // It changed above its words, as when older messages take the day off it: the words stay.
    if (hasOtherTop.current) return item.start <= offset;
    if (!itemSizeCache.has(item.key)) return item.start < offset;
    return item.end <= offset && scrollDirection !== "backward";
  };
  const firstKey = rows[0]?.key;
  const first = useRef(firstKey);
  useLayoutEffect(() => {
    const isLonger = first.current !== undefined && rows.findIndex(({ key }) => key === first.current) > 0;
    first.current = firstKey;
    // It corrects itself for some frames by the number of the row, which is another row's now.
    if (isLonger) virtualizer.cancelScroll();
  }, [virtualizer, rows, firstKey]);
  // At once, not when the browser gets to it, nor, as the library has it, after scrolling: until then the list would
  // stand askew.
  useLayoutEffect(() => {
    const drawn = [...virtualizer.elementsCache.values()].map((element) => ({ element, index: virtualizer.indexFromElement(element) }));
    if (!drawn.some(({ index }) => isOtherTop(rows[index]))) return;
    // From above: only then does a row know whether what came before it is out of sight.
    for (const { element, index } of drawn.sort((one, other) => one.index - other.index)) {
      const row = rows[index];
      if (row === undefined || (virtualizer.itemSizeCache.has(row.key) && !isOtherTop(row))) continue;
      virtualizer.resizeItem(index, virtualizer.options.measureElement(element, undefined, virtualizer));
    }
    // With the rows of this drawing, which are all that it reads.
  }, [virtualizer, rows]);
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
