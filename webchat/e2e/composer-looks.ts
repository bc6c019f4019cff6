/** A view as everybody has it: wide and on a phone, light and dark. */

import { axe, screenshots, type Page } from "./harness.ts";

const PHONE = { width: 390, height: 844 };

/** What is wrong with what is shown now, one line each. Leaves pictures under `name`. */
export async function faultsOf(page: Page, name: string): Promise<string[]> {
  const before = page.viewportSize()!;
  const faults: string[] = [];
  for (const viewport of [before, PHONE]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(settled);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const found = [...(await axe(page)), ...(over > 0 ? [`${over} px too wide`] : [])];
      faults.push(...found.map((fault) => `${viewport.width} px, ${colorScheme}: ${fault}`));
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(before);
  await screenshots(page, name);
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
