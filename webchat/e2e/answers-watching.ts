/** What happens between two looks of a test: each frame that a page draws, each word that it says to screen readers. */

import type { Page } from "./harness.ts";

interface Watched {
  /** Different states in which the live answer was seen. */
  readonly states: number;
  /** Marks of Markdown that were shown as they were typed. */
  readonly rawMarks: string[];
  /** Finished blocks of the live answer that moved within it, changed their height or their text. */
  readonly moved: string[];
  /** Largest distance to the end of the list, in pixels. */
  readonly maxGap: number;
  /** By how many pixels the first message that was seen whole has moved on the screen at most. */
  readonly maxShift: number;
  /** What live regions said, in order. */
  readonly speech: string[];
}

declare global {
  // oxlint-disable-next-line no-var -- the only way to declare a global
  var watching: Watched | undefined;
}

/** Look at the list in every frame from now on. */
export async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const scroller = document.querySelector<HTMLElement>("[role=log]")!;
    const edge = scroller.getBoundingClientRect().top;
    const topOf = (element: Element): number => element.getBoundingClientRect().top;
    const read = [...scroller.querySelectorAll("article")].find((each) => topOf(each) >= edge);
    const from = read === undefined ? 0 : topOf(read);
    const seen = { states: 0, rawMarks: [] as string[], moved: [] as string[], maxGap: 0, maxShift: 0, speech: [] as string[] };
    globalThis.watching = seen;
    let text = "";
    let before = new Map<Element, string>();
    const look = (): void => {
      seen.maxGap = Math.max(seen.maxGap, scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight);
      if (read?.isConnected) seen.maxShift = Math.max(seen.maxShift, Math.abs(topOf(read) - from));
      const answer = scroller.querySelector<HTMLElement>("article[aria-busy=true]");
      if (answer !== null && answer.innerText !== text) {
        text = answer.innerText;
        seen.states += 1;
        const raw = /```|\*\*|\]\(|^#|\| ?-/m.exec(text);
        if (raw !== null) seen.rawMarks.push(text.slice(Math.max(0, raw.index - 30), raw.index + 30));
        const top = answer.getBoundingClientRect().top;
        const now = new Map<Element, string>();
        for (const block of [...answer.querySelectorAll<HTMLElement>("[data-live] > *")].slice(0, -1)) {
          const box = block.getBoundingClientRect();
          now.set(block, `${Math.round(box.top - top)} ${Math.round(box.height)} ${block.innerText}`);
        }
        for (const [block, state] of before) {
          if (now.get(block) !== state) seen.moved.push(`${state} → ${now.get(block) ?? "gone"}`);
        }
        before = now;
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

/** Listen as a screen reader does. */
export async function watchSpeech(page: Page): Promise<void> {
  await page.evaluate(() => {
    const speech: string[] = [];
    globalThis.watching = { states: 0, rawMarks: [], moved: [], maxGap: 0, maxShift: 0, speech };
    const regions = "[aria-live=polite], [aria-live=assertive], [role=status], [role=alert], [role=log]:not([aria-live=off])";
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const element = target instanceof Element ? target : target.parentElement;
        const region = element?.closest<HTMLElement>(regions);
        const text = region?.textContent?.trim() ?? "";
        if (text !== "" && speech.at(-1) !== text) speech.push(text);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

export async function watched(page: Page): Promise<Watched> {
  const seen = await page.evaluate(() => globalThis.watching);
  if (seen === undefined) throw new Error("nobody watches this page");
  return seen;
}
