/** The menus of messages and of the conversation, by every way to ask for them; and the list for those who listen. */

import type { CDPSession } from "@playwright/test";
import { axe, expect, type Locator, type Page } from "./harness.ts";
import {
  articles,
  chooseOption,
  dialog,
  expectInWindow,
  field,
  fill,
  messageMenu,
  newest,
  openMenu,
  saying,
  test,
  write,
} from "./conversation-scene.ts";

const PHONE = { viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true } as const;
const items = (page: Page): Locator => messageMenu(page).getByRole("menuitem");

/** A finger that stays until something has come of it. */
async function longPress(session: CDPSession, { x, y }: { x: number; y: number }, until: () => Promise<void>): Promise<void> {
  await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
  await until();
  await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}

test("asked for by a right click, the menu of a message opens inside the window at every corner, and gives the focus back", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ viewport: { width: 800, height: 600 } });
  await fill(coder, id, 12);
  await expect(newest(page)).toContainText("Word number 12 ");
  await write(page, "Right at the end, and own");
  await expect(newest(page).getByLabel("Delivered")).toBeVisible();
  const list = (await page.getByRole("log").boundingBox())!;
  const [left, right] = [list.x + 40, list.x + list.width - 40];
  const [top, bottom] = [list.y + 60, list.y + list.height - 30];
  for (const [x, y] of [
    [left, top],
    [right - 250, top],
    [left, bottom - 90],
    [right, bottom],
  ] as const) {
    await page.mouse.click(x, y, { button: "right" });
    await expect(messageMenu(page)).toBeVisible();
    await expectInWindow(page, messageMenu(page));
    const opener = articles(page).filter({ hasText: (await page.evaluate(([a, b]) => document.elementsFromPoint(a, b).find((each) => each.matches("article"))!.textContent, [x, y] as const)) });
    await page.keyboard.press("Escape");
    await expect(messageMenu(page)).toBeHidden();
    await expect(opener).toBeFocused();
  }
});

test("another right click on the same message moves its menu there, and a click beside it closes it", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(id, "Somewhere to click\n\nand more\n\nand more");
  const box = (await newest(page).boundingBox())!;
  const [x, y] = [box.x + 60, box.y + box.height - 20];
  await page.mouse.click(x, y, { button: "right" });
  await expect(messageMenu(page)).toBeVisible();
  const before = (await messageMenu(page).boundingBox())!;
  await page.mouse.click(x + 300, y - 10, { button: "right" });
  await expect.poll(async () => (await messageMenu(page).boundingBox())?.x).toBeCloseTo(before.x + 300, 0);
  await page.mouse.click(x, y);
  await expect(messageMenu(page)).toBeHidden();
});

test("the menu opens by Shift+F10, by its key and by its button, and arrows walk through all of it", async ({ chatWith }) => {
  const { page } = await chatWith();
  await write(page, "Mine");
  await expect(newest(page).getByLabel("Delivered")).toBeVisible();
  await newest(page).focus();
  await page.keyboard.press("Shift+F10");
  await expect(items(page)).toHaveText(["", "Reply", "Ask again", "Copy text", "Edit", "Copy link", "Details", "Delete"]);
  await expect(messageMenu(page).getByRole("menuitemcheckbox", { name: "React with 👍" })).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await expect(messageMenu(page).getByRole("menuitemcheckbox", { name: "React with ❤️" })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(items(page).filter({ hasText: "Reply" })).toBeFocused();
  await page.keyboard.press("End");
  await page.keyboard.press("d");
  await expect(items(page).filter({ hasText: /^De/ }).and(page.locator(":focus"))).toHaveCount(1);
  await page.keyboard.press("Escape");
  await expect(newest(page)).toBeFocused();

  await page.keyboard.press("ContextMenu");
  await expect(messageMenu(page)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(newest(page)).toBeFocused();

  await page.keyboard.press("Tab");
  const more = newest(page).getByRole("button", { name: "More about this message" });
  await expect(more).toBeFocused();
  await expect(more).toHaveAttribute("aria-expanded", "false");
  await page.keyboard.press("Enter");
  await expect(messageMenu(page)).toBeVisible();
  await expect(more).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("Escape");
  await expect(more).toBeFocused();
  await more.click();
  await expect(messageMenu(page)).toBeVisible();
  await more.click();
  await expect(messageMenu(page)).toBeHidden();
  await more.click();
  await field(page).click();
  await expect(messageMenu(page)).toBeHidden();
});

test("on a phone a long press opens the menu inside the screen, a short one does not, and targets are big enough", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith(PHONE);
  await fill(coder, id, 12);
  await expect(newest(page)).toContainText("Word number 12 ");
  const session = await page.context().newCDPSession(page);
  const list = (await page.getByRole("log").boundingBox())!;
  for (const y of [list.y + 40, list.y + list.height - 40]) {
    await longPress(session, { x: 60, y }, () => expect(messageMenu(page)).toBeVisible());
    await expect(messageMenu(page)).toBeVisible();
    await expectInWindow(page, messageMenu(page));
    for (const item of await messageMenu(page).getByRole("menuitem").all()) {
      expect((await item.boundingBox())!.height).toBeGreaterThanOrEqual(43.9);
    }
    // Beside it, on the same message: that closes it.
    await page.touchscreen.tap(380, y);
    await expect(messageMenu(page)).toBeHidden();
  }
  await page.touchscreen.tap(60, list.y + list.height - 40);
  await expect(messageMenu(page)).toBeHidden();

  await page.getByRole("button", { name: "Options of this chat" }).tap();
  const options = page.getByRole("menu", { name: "Options of this chat" });
  await expect(options.getByRole("menuitem")).toHaveCount(11);
  await expectInWindow(page, options);
  await options.getByRole("menuitem", { name: "About Coder" }).tap();
  await expect(dialog(page)).toBeVisible();
  await expectInWindow(page, dialog(page));
});

test("the menu of the conversation opens inside the window, starts at its first item, and gives the focus back", async ({ chatWith }) => {
  const { page } = await chatWith({ viewport: { width: 800, height: 480 } });
  const button = page.getByRole("button", { name: "Options of this chat" });
  await button.focus();
  await page.keyboard.press("Enter");
  const menu = page.getByRole("menu", { name: "Options of this chat" });
  await expect(menu.getByRole("menuitem").first()).toBeFocused();
  await expectInWindow(page, menu);
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(button).toBeFocused();
  await chooseOption(page, "Rename …");
  await expect(dialog(page).getByRole("textbox", { name: "Title" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(button).toBeFocused();
});

test("arrow keys walk from message to message, keys do what the menu does, and Tab leads to one message only", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await fill(coder, id, 30);
  await write(page, "My own");
  await expect(newest(page).getByLabel("Delivered")).toBeVisible();
  await field(page).focus();
  // Backwards from the composer: the button of the newest message, then the message.
  await expect(async () => {
    await page.keyboard.press("Shift+Tab");
    await expect(newest(page)).toBeFocused({ timeout: 100 });
  }).toPass();
  await page.keyboard.press("ArrowUp");
  await expect(saying(page, "Word number 30 ")).toBeFocused();
  await expect(saying(page, "Word number 30 ")).toHaveAccessibleName(/^Coder, \d/);
  for (let number = 29; number >= 10; number -= 1) await page.keyboard.press("ArrowUp");
  await expect(saying(page, "Word number 10 ")).toBeFocused();
  await expect(saying(page, "Word number 10 ")).toBeInViewport({ ratio: 1 });
  await page.keyboard.press("ArrowDown");
  await expect(saying(page, "Word number 11 ")).toBeFocused();

  await page.keyboard.press("r");
  await expect(page.getByText("Replying to Coder")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText("Replying to Coder")).toBeHidden();
  await page.getByRole("button", { name: "Jump to latest" }).click();
  await expect(saying(page, "My own")).toBeFocused();
  await page.keyboard.press("e");
  await expect(field(page)).toHaveValue("My own");
  await page.keyboard.press("Escape");
  await expect(field(page)).toHaveValue("");
});

test("what arrives is said once by a polite region, and not again by the log", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  // What comes while the list is still being opened is part of what one finds there.
  await expect(page.getByRole("log")).toContainText("This is the beginning");
  await coder.send(id, "Ahoy **there**");
  const region = page.locator("[aria-live=polite]").filter({ hasText: "Coder: Ahoy there" });
  await expect(region).toHaveCount(1);
  await expect(page.getByRole("log")).toHaveAttribute("aria-live", "off");
  await write(page, "Ahoy yourself");
  await expect(newest(page).getByLabel("Delivered")).toBeVisible();
  await expect(page.locator("[aria-live=polite]").filter({ hasText: "Ahoy yourself" })).toHaveCount(0);
});

test("axe finds nothing in menus and in the choice of emoji", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(id, "Ahoy");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const menu = await openMenu(page, newest(page));
    await expect(menu).toBeVisible();
    expect(await axe(page)).toEqual([]);
    await menu.getByRole("menuitem", { name: "More emoji" }).click();
    await expect(page.getByRole("searchbox", { name: "Search emoji" })).toBeFocused();
    await expect(page.getByRole("gridcell").first()).toBeVisible();
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("searchbox", { name: "Search emoji" })).toBeHidden();
  }
});
