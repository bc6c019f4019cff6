/** The moment in which an answer is finished: whoever reads it, selects in it or has stopped it loses nothing. */

import { expect, type Locator, type Page } from "./harness.ts";
import { newest, stopButton, test } from "./answers-scene.ts";

// The colours of code come later.
test.use({ serviceWorkers: "allow" });

const PARAGRAPH = "The harbour is **calm** this morning, and the `tide` is [low](https://example.com/tides) until noon. ";
const ANSWER = [
  "# How it is",
  PARAGRAPH.repeat(4),
  "1. first\n2. second, *with* emphasis\n3. third",
  "```python\nfor boat in harbour:\n    print(boat.name)\n```",
  "| Port | Tide |\n| --- | ---: |\n| Husum | 12:10 |\n| Tönning | 12:55 |",
  "> Quoted, and **strongly** so.",
  PARAGRAPH.repeat(3),
  "- the one\n- the other",
].join("\n\n");

for (const width of [1440, 390]) {
  test(`no line of an answer breaks anew when it is finished, ${width} px wide`, async ({ chatWith }) => {
    const { coder, page, id } = await chatWith({ viewport: { width, height: 900 } });
    const run = await coder.run(id);
    await run.plan({ text: "look", state: "done" });
    await run.say(ANSWER);
    await expect(newest(page).getByText("the other")).toBeVisible();
    const before = await widths(page);
    await run.finish();
    await expect(stopButton(page)).toBeHidden();
    await expect(newest(page).getByRole("button", { name: "More about this message" })).toHaveCount(1);
    expect(await widths(page)).toEqual(before);
  });
}

for (const place of ["p strong", "ol > li:last-child", "pre code", "td", "ul > li:last-child"]) {
  test(`what was selected in an answer stays selected when it is finished: ${place}`, async ({ chatWith }) => {
    const { coder, page, id } = await chatWith();
    const run = await coder.run(id);
    await run.say(ANSWER, { everyMs: 2 });
    await expect(newest(page).getByText("the other")).toBeVisible();
    await expect(newest(page).locator("pre code span").first()).toBeVisible();
    const chosen = await selectWords(newest(page).locator(place).first());
    expect(chosen).not.toBe("");
    await run.finish();
    await expect(stopButton(page)).toBeHidden();
    await expect(newest(page)).toHaveAttribute("aria-busy", "false");
    expect(await selected(page)).toBe(chosen);
  });
}

for (const hasClipboard of [true, false]) {
  test(`an answer is copied by one click, as Markdown and formatted, ${hasClipboard ? "by the clipboard" : "also over plain HTTP, where there is none"}`, async ({ chatWith }) => {
    const { coder, page, id } = await chatWith({ permissions: ["clipboard-read", "clipboard-write"] });
    const run = await coder.run(id);
    await run.think("Not to be copied");
    await run.say(ANSWER);
    await expect(newest(page).getByText("the other")).toBeVisible();
    await expect(copyButton(page)).toHaveCount(0);
    await run.finish();
    if (!hasClipboard) await page.evaluate(() => Object.assign(Clipboard.prototype, { write: undefined, writeText: undefined }));
    await newest(page).hover();
    await copyButton(page).click();
    await expect(newest(page).getByRole("button", { name: "Copied" })).toBeVisible();
    const [text, html] = await page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      return Promise.all(["text/plain", "text/html"].map(async (type) => (await item!.getType(type)).text()));
    });
    expect(text).toBe(ANSWER);
    expect(html).toContain("How it is</h3>");
    expect(html).toContain("Tönning</td>");
    expect(html).not.toMatch(/<button|Not to be copied|python</);
  });
}

test("the button that copies an answer is always there for a finger, and for a mouse that points at the answer", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  const phone = await alice.device({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await phone.goto(`/c/${id}`);
  const run = await coder.run(id);
  await run.say("Short.");
  await run.finish();
  await expect(copyButton(phone)).toHaveCSS("opacity", "1");
  await page.mouse.move(0, 0);
  await expect(copyButton(page)).toHaveCSS("opacity", "0");
  await newest(page).hover();
  await expect(copyButton(page)).toHaveCSS("opacity", "1");
});

const copyButton = (page: Page): Locator => newest(page).getByRole("button", { name: "Copy answer" });

/** Of all that stands in the newest answer, from top to bottom. */
async function widths(page: Page): Promise<number[]> {
  return newest(page).locator("h3, p, li, figure, table, blockquote").evaluateAll((all) => all.map((each) => each.getBoundingClientRect().width));
}

/** From the first sign of an element to its last; what is selected then. */
async function selectWords(element: Locator): Promise<string> {
  await element.evaluate((within) => {
    const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
    const first = walker.nextNode() as Text;
    let last = first;
    while (walker.nextNode()) last = walker.currentNode as Text;
    getSelection()!.setBaseAndExtent(first, 0, last, last.length);
  });
  return selected(element.page());
}

async function selected(page: Page): Promise<string> {
  return page.evaluate(() => getSelection()!.toString());
}
