/** What is written from right to left runs that way, and what stands within it in another script does not. */

import type { Locator } from "@playwright/test";
import { expect, screenshots } from "./harness.ts";
import { articles, field, newest, saying, test, write } from "./conversation-scene.ts";

/** Where a piece of text stands: the left edge of it in pixels. */
function leftOf(within: Locator, piece: string): Promise<number> {
  return within.evaluate((element, wanted) => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const at = node.nodeValue!.indexOf(wanted);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      return range.getBoundingClientRect().left;
    }
    throw new Error(`there is no ${wanted}`);
  }, piece);
}

const ANSWER = "שלום!\n\n- ראשון\n- שני\n\nIn English, too.\n\n```\nlet a = 1;\n```\n\n| יום | שעה |\n| --- | --- |\n| שני | 12:10 |";

test("Hebrew runs from right to left with its marks, English and code within it from left to right", async ({ chatWith }) => {
  const { coder, id, page } = await chatWith();
  await field(page).fill("מה שלומך?");
  expect(await field(page).evaluate((element) => getComputedStyle(element).direction)).toBe("rtl");
  await write(page, "מה שלומך?");
  const own = saying(page, "מה שלומך");
  await expect(own.getByLabel("Delivered")).toBeVisible();
  expect(await leftOf(own, "?")).toBeLessThan(await leftOf(own, "מה"));

  await coder.send(id, ANSWER);
  await expect(articles(page)).toHaveCount(2);
  const answer = newest(page);
  expect(await leftOf(answer, "!")).toBeLessThan(await leftOf(answer, "של"));
  expect(await leftOf(answer, "too.")).toBeGreaterThan(await leftOf(answer, "In"));
  expect(await leftOf(answer, "1;")).toBeGreaterThan(await leftOf(answer, "let"));
  expect(await leftOf(answer, "יום")).toBeGreaterThan(await leftOf(answer, "שעה"));
  // Code begins at its left edge, lists have their marks at the right.
  const code = (await answer.locator("pre").boundingBox())!;
  expect((await leftOf(answer, "let")) - code.x).toBeLessThan(40);
  const list = (await answer.locator("ul").boundingBox())!;
  expect(list.x + list.width - (await leftOf(answer, "ראשון"))).toBeLessThan(120);
  await screenshots(page, "conversation-directions");
});
