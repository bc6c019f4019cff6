/** A view as everybody has it: wide and light, narrow and dark. What is wrong with it, and pictures of it. */

import { axe, type Page } from "./harness.ts";

// The narrowest phone that WCAG asks for (1.4.10), and so what is left of a window at 400 %.
const LOOKS = [
  { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { viewport: { width: 320, height: 720 }, colorScheme: "dark" },
] as const;

/** What axe finds, and by how much the page can be moved sideways; empty if all is well. Leaves two pictures, for people. */
export async function faultsOf(page: Page, name: string): Promise<string[]> {
  const before = page.viewportSize();
  const faults: string[] = [];
  for (const { viewport, colorScheme } of LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    // What stands elsewhere in a narrow window is drawn anew, and may have to be fetched.
    await page.evaluate(settled);
    await page.locator("h1").first().waitFor({ state: "attached" });
    await page.evaluate(settled);
    const found = [...(await axe(page)), ...(await tooWide(page))];
    faults.push(...found.map((fault) => `${viewport.width} px, ${colorScheme}: ${fault}`));
    const path = `test-results/screens/${name}-${colorScheme}-${viewport.width}.png`;
    await page.screenshot({ path, animations: "disabled" });
  }
  await page.emulateMedia({ colorScheme: null });
  if (before !== null) await page.setViewportSize(before);
  return faults;
}

/** Colours on their way from light to dark are neither. */
async function settled(): Promise<void> {
  const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));
  await frame();
  await frame();
  const ending = document.getAnimations().filter((each) => each.effect?.getComputedTiming().iterations !== Infinity);
  await Promise.all(ending.map((each) => each.finished.catch(() => undefined)));
}

/** By how much the page, or a pane of it, can be moved sideways; what is meant to be (code, a row of filters or of files) apart. */
export async function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const all = [...document.querySelectorAll<HTMLElement>("html, main, nav, main *, dialog, dialog *")];
    const panes = all.filter((each) => each.tagName === "HTML" || /auto|scroll/.test(getComputedStyle(each).overflowY));
    return panes
      .filter((each) => !each.matches("pre, textarea, [class*=filters], [class*=tray]") && each.scrollWidth > each.clientWidth)
      .map((each) => `${each.scrollWidth - each.clientWidth} px too wide: ${each.outerHTML.slice(0, 80)}`);
  });
}
