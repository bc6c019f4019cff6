/** Back on a phone, where it is the way out of everything: of what lies on top first, of the view only then. */

import type { CDPSession } from "@playwright/test";
import { png, sendFiles } from "./attachments-scene.ts";
import { chooseOption, dialog, newest, test, write } from "./conversation-scene.ts";
import { expect, type Page } from "./harness.ts";
import { begun, list, row } from "./shell-scene.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;
const lightbox = (page: Page) => page.getByRole("dialog", { name: /^Picture / });

/** In the chat as people get there: from the list. */
async function fromList(page: Page): Promise<void> {
  await page.goto("/");
  await row(page, "Coder").tap();
  await expect(page.getByRole("log")).toBeVisible();
}

test("Back closes a picture, then leaves the chat", async ({ chatWith, server }) => {
  const { coder, page, id } = await chatWith(PHONE);
  await sendFiles(coder, server, id, "", png("one.png", 600, 600));
  await fromList(page);
  await newest(page).getByRole("button", { name: "Open one.png" }).tap();
  await expect(lightbox(page)).toBeVisible();
  await page.goBack();
  await expect(lightbox(page)).toBeHidden();
  await expect(page).toHaveURL(new RegExp(`/c/${id}$`));
  await expect(page.getByRole("log")).toBeVisible();
  await page.goBack();
  await expect(list(page)).toBeVisible();
  await expect(page).toHaveURL(/\/$/);
});

test("of a picture over a dialog Back closes the picture only, of the menu only the menu", async ({ chatWith, server }) => {
  const { coder, page, id } = await chatWith(PHONE);
  await sendFiles(coder, server, id, "", png("one.png", 600, 600));
  await fromList(page);
  await page.getByRole("button", { name: /^Options of this/ }).tap();
  await expect(page.getByRole("menu")).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("menu")).toBeHidden();

  await chooseOption(page, "Files");
  await dialog(page).getByRole("button", { name: "Open one.png" }).tap();
  await expect(lightbox(page)).toBeVisible();
  await page.goBack();
  await expect(lightbox(page)).toBeHidden();
  await expect(dialog(page)).toHaveAccessibleName("Files");
  await page.goBack();
  await expect(dialog(page)).toBeHidden();
  await expect(page).toHaveURL(new RegExp(`/c/${id}$`));
  await page.goForward();
  await expect(page.getByRole("log")).toBeVisible();
  await expect(dialog(page)).toBeHidden();
  await page.goBack();
  await expect(page).toHaveURL(/\/$/);
});

test("what was closed in another way, or loaded again, costs no further Back", async ({ chatWith }) => {
  const { page, id } = await chatWith(PHONE);
  await fromList(page);
  await chooseOption(page, "Rename …");
  await dialog(page).getByRole("button", { name: "Close" }).tap();
  await expect(dialog(page)).toBeHidden();
  await page.waitForFunction(() => history.state === null);
  await page.goBack();
  await expect(page).toHaveURL(/\/$/);

  await page.goForward();
  await chooseOption(page, "Rename …");
  await expect(dialog(page)).toBeVisible();
  await page.waitForFunction(() => history.state !== null);
  await page.reload();
  await expect(page.getByRole("log")).toBeVisible();
  await page.waitForFunction(() => history.state === null);
  await expect(page).toHaveURL(new RegExp(`/c/${id}$`));
  await page.goBack();
  await expect(page).toHaveURL(/\/$/);
});

test("a chat that is opened from the palette follows the one below it, by one Back", async ({ chatWith, agents }) => {
  const { alice, page, id } = await chatWith({});
  const other = await begun(alice, await agents.scripted("Berta"));
  await write(page, "Here");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await page.keyboard.type("Berta");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/c/${other}$`));
  await page.goBack();
  await expect(page).toHaveURL(new RegExp(`/c/${id}$`));
  await expect(dialog(page)).toBeHidden();
  await page.goForward();
  await expect(page).toHaveURL(new RegExp(`/c/${other}$`));
});

test("a picture that is pulled down goes away, and stays for a finger that slips", async ({ chatWith, server }) => {
  const { coder, page, id } = await chatWith(PHONE);
  await sendFiles(coder, server, id, "", png("one.png", 600, 600), png("two.png", 600, 600));
  await newest(page).getByRole("button", { name: "Open one.png" }).tap();
  await expect(lightbox(page).getByRole("img", { name: "one.png" })).toBeVisible();
  const debug = await page.context().newCDPSession(page);
  await pull(debug, 50);
  await expect(lightbox(page).getByRole("img", { name: "one.png" })).toBeVisible();
  await pull(debug, -200);
  await expect(lightbox(page)).toHaveAccessibleName("Picture 1 of 2: one.png");
  await pull(debug, 200);
  await expect(lightbox(page)).toBeHidden();
  await expect(page).toHaveURL(new RegExp(`/c/${id}$`));
});

async function pull(debug: CDPSession, by: number): Promise<void> {
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...ys: number[]) =>
    debug.send("Input.dispatchTouchEvent", { type, touchPoints: ys.map((y) => ({ x: 200 + (y - 420) / 8, y })) });
  await touch("touchStart", 420);
  for (const part of [0.25, 0.5, 0.75, 1]) await touch("touchMove", 420 + by * part);
  await touch("touchEnd");
}
