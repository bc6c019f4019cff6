/** Files that have arrived: pictures and a closer look at them, sound, texts, and everything to save. */

import { readFile } from "node:fs/promises";
import { log, newest, test } from "./answers-scene.ts";
import { png, sendFiles, text, wav } from "./attachments-scene.ts";
import { axe, expect, type Page } from "./harness.ts";
import { faultsOf } from "./looking.ts";

const lightbox = (page: Page) => page.getByRole("dialog", { name: /^Picture / });
/** How much the picture is enlarged. */
const scale = (page: Page) =>
  lightbox(page).getByRole("img").evaluate((each) => new DOMMatrix(getComputedStyle(each).transform).a);

test("pictures are a grid, and over the whole window they are turned, enlarged, moved and left by keyboard", async ({ chatWith, server }) => {
  const { coder, page, id } = await chatWith();
  await sendFiles(coder, server, id, "Three views", png("one.png", 900, 600), png("two.png", 400, 800), png("three.png", 300, 300));
  const opener = newest(page).getByRole("button", { name: "Open two.png" });
  await expect.poll(() => opener.locator("img").evaluate((each: HTMLImageElement) => each.naturalWidth)).toBeGreaterThan(0);
  expect(await faultsOf(page, "attachments-grid")).toEqual([]);

  await opener.press("Enter");
  await expect(lightbox(page)).toHaveAccessibleName("Picture 2 of 3: two.png");
  await expect(lightbox(page).getByRole("img", { name: "two.png" })).toBeVisible();
  expect(await faultsOf(page, "attachments-lightbox")).toEqual([]);
  await page.keyboard.press("ArrowRight");
  await expect(lightbox(page)).toHaveAccessibleName("Picture 3 of 3: three.png");
  await expect(page.getByRole("button", { name: "Next picture" })).toBeHidden();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await expect(lightbox(page)).toHaveAccessibleName("Picture 1 of 3: one.png");
  await expect(lightbox(page).getByRole("img")).toBeVisible();

  expect(await scale(page)).toBe(1);
  for (let times = 0; times < 3; times++) await page.keyboard.press("+");
  await expect.poll(() => scale(page)).toBeGreaterThan(3);
  const before = (await lightbox(page).getByRole("img").boundingBox())!;
  await page.keyboard.press("ArrowRight");
  await expect.poll(async () => (await lightbox(page).getByRole("img").boundingBox())!.x).toBeLessThan(before.x);
  await expect(lightbox(page)).toHaveAccessibleName("Picture 1 of 3: one.png");
  await page.keyboard.press("0");
  await expect.poll(() => scale(page)).toBe(1);
  await page.keyboard.press("Escape");
  await expect(lightbox(page)).toBeHidden();
  await expect(opener).toBeFocused();
});

test("with a mouse the wheel and a double click enlarge a picture, and it is dragged", async ({ chatWith, server }) => {
  const { coder, page, id } = await chatWith();
  await sendFiles(coder, server, id, "", png("view.png", 900, 600));
  await newest(page).getByRole("button", { name: "Open view.png" }).click();
  const picture = lightbox(page).getByRole("img");
  await picture.dblclick();
  await expect.poll(() => scale(page)).toBe(2.5);
  const before = (await picture.boundingBox())!;
  await page.mouse.move(640, 400);
  await page.mouse.down();
  await page.mouse.move(740, 430, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => Math.round((await picture.boundingBox())!.x - before.x)).toBe(100);
  await page.mouse.wheel(0, 120);
  await expect.poll(() => scale(page)).toBeLessThan(2);
  await page.getByRole("button", { name: "Whole picture" }).click();
  await expect.poll(() => scale(page)).toBe(1);
  const saved = page.waitForEvent("download");
  await lightbox(page).getByRole("button", { name: "Download view.png" }).click();
  expect((await saved).suggestedFilename()).toBe("view.png");
  await page.getByRole("button", { name: "Close" }).click();
  await expect(lightbox(page)).toBeHidden();
});

test("fingers spread a picture, and a swipe turns to the next one", async ({ chatWith, server }) => {
  const { coder, page, id } = await chatWith({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await sendFiles(coder, server, id, "", png("one.png", 600, 600), png("two.png", 600, 600));
  await newest(page).getByRole("button", { name: "Open one.png" }).tap();
  await expect(lightbox(page).getByRole("img", { name: "one.png" })).toBeVisible();
  const debug = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...xs: number[]) =>
    debug.send("Input.dispatchTouchEvent", { type, touchPoints: xs.map((x, at) => ({ x, y: 420, id: at })) });
  await touch("touchStart", 180, 210);
  for (const by of [30, 60, 90]) await touch("touchMove", 180 - by, 210 + by);
  await touch("touchEnd");
  await expect.poll(() => scale(page)).toBeGreaterThan(2);
  await page.getByRole("button", { name: "Whole picture" }).tap();
  await touch("touchStart", 300);
  for (const x of [240, 180, 120]) await touch("touchMove", x);
  await touch("touchEnd");
  await expect(lightbox(page)).toHaveAccessibleName("Picture 2 of 2: two.png");
});

test("sound is played in place, sought, and listened to faster; one at a time", async ({ chatWith, server }) => {
  const { coder, page, id } = await chatWith();
  await sendFiles(coder, server, id, "Listen", wav("first.wav", 30), wav("second.wav", 20));
  const player = (name: string) => newest(page).getByRole("group", { name });
  const position = (name: string) => player(name).getByRole("slider", { name: `Position in ${name}` });
  await expect(player("first.wav")).toContainText("0:00 / 0:30");
  await expect(player("second.wav")).toContainText("0:00 / 0:20");
  expect(await faultsOf(page, "attachments-audio")).toEqual([]);

  await player("first.wav").getByRole("button", { name: "Play first.wav" }).press("Enter");
  await expect.poll(async () => Number(await position("first.wav").inputValue())).toBeGreaterThan(0);
  await player("second.wav").getByRole("button", { name: "Play second.wav" }).click();
  await expect(player("first.wav").getByRole("button", { name: "Play first.wav" })).toBeVisible();
  await player("second.wav").getByRole("button", { name: "Pause second.wav" }).click();
  await expect(player("second.wav").getByRole("button", { name: "Play second.wav" })).toBeVisible();

  await position("first.wav").fill("15");
  await expect(player("first.wav")).toContainText("0:15 / 0:30");
  const speed = player("first.wav").getByRole("button", { name: /^Speed/ });
  await expect(speed).toHaveAccessibleName("Speed: 1×");
  await speed.click();
  await expect(speed).toHaveAccessibleName("Speed: 1.5×");
  await player("first.wav").getByRole("button", { name: "Play first.wav" }).click();
  expect(await player("first.wav").locator("audio").evaluate((each: HTMLAudioElement) => each.playbackRate)).toBe(1.5);
});

test("a text can be looked into, and every file is saved under its name as it was", async ({ chatWith, server }) => {
  const { coder, page, id } = await chatWith();
  const code = "print('<b>hello</b>')\n".repeat(40);
  await sendFiles(coder, server, id, "", text("hello.py", code), { ...text("a very long name of a file that nobody would ever call short.zip", "PK"), type: "application/zip" });
  const row = newest(page).getByRole("group", { name: "hello.py" });
  await expect(row).toContainText("880 bytes");
  expect(await faultsOf(page, "attachments-files")).toEqual([]);
  await row.getByRole("button", { name: "Look into hello.py" }).click();
  const dialog = page.getByRole("dialog", { name: "hello.py" });
  await expect(dialog.locator("pre")).toHaveText(code);
  expect(await faultsOf(page, "attachments-text")).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  const saved = page.waitForEvent("download");
  await row.getByRole("button", { name: "Download hello.py" }).click();
  const file = await saved;
  expect(file.suggestedFilename()).toBe("hello.py");
  expect(await readFile(await file.path(), "utf8")).toBe(code);
  await expect(newest(page).getByRole("button", { name: /^Look into a very/ })).toBeHidden();
});

for (const width of [320, 360]) {
  test(`at ${width} pixels nothing of files lies beside the screen`, async ({ chatWith, server }) => {
    const { coder, page, id } = await chatWith({ viewport: { width, height: 640 }, locale: "de-DE" });
    const long = "ein-wirklich-sehr-langer-name-ohne-jede-luecke-zum-umbrechen.txt";
    await sendFiles(coder, server, id, "Alles", png("bild.png", 900, 300), wav("ton.wav", 3), text(long, "Hallo"));
    await expect(newest(page).getByRole("group", { name: "ton.wav" })).toContainText("0:03");
    const beside = await log(page).evaluate((list) => {
      const all = [...list.querySelectorAll("*")].filter((each) => each.checkVisibility() && each.closest(".visually-hidden") === null);
      return all.filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5).map((each) => each.outerHTML.slice(0, 120));
    });
    expect(beside).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    expect(await axe(page)).toEqual([]);
  });
}

test("the demo agent says what it received", async ({ agents, person }) => {
  const alice = await person("Alice");
  const demo = await agents.demo("Demo", 0);
  const page = await alice.signIn();
  const { conversation_id: id } = await alice.rest.createConversation(demo.id);
  await page.goto(`/c/${id}`);
  const asked = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Attach files" }).click();
  await (await asked).setFiles({ name: "garden.png", mimeType: "image/png", buffer: png("", 64, 48).bytes });
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(newest(page)).toContainText(/I received garden\.png \(image\/png, .*64 x 48 pixels\)/);
});
