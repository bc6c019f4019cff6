/**
 * Marks what was looked for where it stands in the chat that was opened from a hit.
 *
 * By ranges that the browser paints (CSS Custom Highlight API, `::highlight(found)` in design/base.css): the messages stay
 * as those who draw them made them. Older browsers show the message without marks.
 */

import { useEffect, type RefObject } from "react";
import { placesOf, saysAny, termsOf } from "./snippet.ts";

const NAME = "found";
// What stands in a message without having been said.
const NOT_SAID = "button, time, [aria-hidden=true], .visually-hidden";

/** As long as it is there; also in messages that come into view later. */
export function useMarks(within: RefObject<HTMLElement | null>, query: string): void {
  useEffect(() => {
    const terms = termsOf(query);
    const marks = "highlights" in CSS ? CSS.highlights : undefined;
    const element = within.current;
    if (terms.length === 0 || marks === undefined || element === null) return undefined;
    let frame = 0;
    const draw = (): void => void marks.set(NAME, new Highlight(...rangesIn(element, terms)));
    const watch = new MutationObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(draw);
    });
    watch.observe(element, { childList: true, characterData: true, subtree: true });
    draw();
    return () => {
      watch.disconnect();
      cancelAnimationFrame(frame);
      marks.delete(NAME);
    };
  }, [within, query]);
}

/** Where the terms stand in the messages below an element. A word that is written in two ways at once is not seen. */
export function rangesIn(element: Element, terms: readonly string[]): Range[] {
  const ranges: Range[] = [];
  for (const article of element.querySelectorAll("article")) {
    const texts = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const text = node.nodeValue!;
      if (!saysAny(text, terms) || node.parentElement?.closest(NOT_SAID)) continue;
      for (const [start, end] of placesOf(text, terms)) {
        const range = document.createRange();
        range.setStart(node, start);
        range.setEnd(node, end);
        ranges.push(range);
      }
    }
  }
  return ranges;
}
