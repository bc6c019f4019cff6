/** Looking at a page: what axe finds, how far a list is from its end, pictures for people. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const SCREENS = fileURLToPath(new URL("../../test-results/screens", import.meta.url));
const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;

interface Result {
  violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** What axe finds wrong, one line each: `expect(await axe(page)).toEqual([])`. `within` is a CSS selector. */
export async function axe(page: Page, within?: string): Promise<string[]> {
  const isThere = await page.evaluate(() => "axe" in globalThis);
  if (!isThere) {
    // By the debugger, which no policy of the page holds back.
    const session = await page.context().newCDPSession(page);
    await session.send("Runtime.evaluate", { expression: AXE });
    await session.detach();
  }
  const { violations } = await page.evaluate(
    async ([selector, rules]) => {
      // Half way from light to dark nothing has the contrast that it will have.
      const passing = document.getAnimations().filter((each) => each.effect?.getComputedTiming().iterations !== Infinity);
      await Promise.allSettled(passing.map((each) => each.finished));
      const { axe: program } = globalThis as unknown as { axe: { run(what: unknown, how: object): Promise<Result> } };
      return program.run(selector ?? document, { runOnly: rules, resultTypes: ["violations"] });
    },
    [within, RULES] as const,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = "" }) => `${id}: ${help}: ${html.slice(0, 160)} ${failureSummary.replaceAll(/\s+/g, " ")}`),
  );
}

/** What was closed takes its entry of the history along. The browser would give up a reload for that. */
export async function historySettled(page: Page): Promise<void> {
  await page.waitForFunction(() => history.state === null);
}

/** Pixels between what is shown of the message list and its end. */
export async function gapToEnd(page: Page): Promise<number> {
  return page.getByRole("log").evaluate((log) => {
    const scrolls = (each: Element): boolean => /auto|scroll/.test(getComputedStyle(each).overflowY);
    let scroller: Element | null = log;
    while (scroller !== null && !scrolls(scroller)) scroller = scroller.parentElement;
    scroller ??= [...log.querySelectorAll("*")].find(scrolls) ?? log;
    return Math.round(scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight);
  });
}

/** Pictures in light and dark, wide and on a phone, for people to look at: `test-results/screens/NAME-dark-phone.png`. */
export async function screenshots(page: Page, name: string): Promise<void> {
  const before = page.viewportSize();
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(SCREENS, `${name}-${colorScheme}-${size}.png`), animations: "disabled" });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before !== null) await page.setViewportSize(before);
}
