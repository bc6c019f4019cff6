/** Voice notes, recorded from a microphone that beeps. */

import { field, newest, test } from "./answers-scene.ts";
import { restOf } from "./attachments-scene.ts";
import { expect, type Page } from "./harness.ts";
import { faultsOf } from "./looking.ts";

const MICROPHONE = { permissions: ["microphone"] };
const recordButton = (page: Page) => page.getByRole("button", { name: "Record a voice note" });
const recording = (page: Page) => page.getByRole("group", { name: "Recording" });
/** Heights of the bars, in percent. */
const levels = (page: Page) =>
  page.getByTestId("meter").locator("span").evaluateAll((bars) => bars.map((bar) => Number.parseFloat((bar as HTMLElement).style.blockSize)));

test("a tap records, the meter shows how loud, and what is sent is heard by the agent and can be played faster", async ({ chatWith, server }) => {
  const { coder, page } = await chatWith(MICROPHONE);
  await recordButton(page).click();
  await expect(recording(page)).toBeVisible();
  await expect(field(page)).toBeHidden();
  // It beeps once a second.
  await expect.poll(async () => Math.max(...(await levels(page)))).toBeGreaterThan(30);
  await expect(recording(page).getByRole("timer")).toHaveText(/0:0[2-9]/);
  await recording(page).getByRole("button", { name: "Send" }).click();
  const { content, attachments = [] } = await coder.nextMessage();
  expect(content).toBe("");
  expect(attachments).toHaveLength(1);
  expect(attachments[0]!.filename).toMatch(/^Voice note \d{4}-\d\d-\d\d \d\d\.\d\d\.(webm|m4a)$/);
  expect(attachments[0]!.content_type).toMatch(/^audio\//);
  const sound = await restOf(coder, server).download(attachments[0]!.url);
  expect(sound.size).toBe(attachments[0]!.size);
  expect(sound.size).toBeGreaterThan(1000);

  await expect(field(page)).toBeFocused();
  const player = newest(page).getByRole("group", { name: /^Voice note/ });
  await expect(player).toContainText(/0:00 \/ 0:0[1-9]/);
  const speed = player.getByRole("button", { name: /^Speed/ });
  await speed.click();
  await speed.click();
  await expect(speed).toHaveAccessibleName("Speed: 2×");
  await player.getByRole("button", { name: /^Play/ }).click();
  await expect(player.getByRole("button", { name: /^Pause/ })).toBeVisible();
  await expect(player.getByRole("button", { name: /^Play/ })).toBeVisible();
});

test("for as long as the button is held it records, and letting go sends", async ({ chatWith }) => {
  const { coder, page } = await chatWith(MICROPHONE);
  await recordButton(page).hover();
  await page.mouse.down();
  await expect(recording(page)).toContainText("Slide left to discard");
  await expect(recording(page).getByRole("timer")).toHaveText(/0:0[1-9]/);
  await page.mouse.up();
  expect((await coder.nextMessage()).attachments).toHaveLength(1);
  await expect(recording(page)).toBeHidden();
});

test("pulled to the left, with Esc, or by its button it is thrown away, and the microphone is let go of", async ({ chatWith }) => {
  const { coder, page } = await chatWith(MICROPHONE);
  await page.evaluate(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (what) => {
      const stream = await ask(what);
      Object.assign(globalThis, { tracks: [...((globalThis as { tracks?: unknown[] }).tracks ?? []), ...stream.getTracks()] });
      return stream;
    };
  });
  await recordButton(page).hover();
  await page.mouse.down();
  await expect(recording(page)).toContainText("Slide left");
  const { x, y } = (await recording(page).boundingBox())!;
  await page.mouse.move(x + 300, y + 20);
  await page.mouse.move(x + 150, y + 20, { steps: 5 });
  await expect(recording(page)).toBeHidden();
  await page.mouse.up();

  await recordButton(page).press("Enter");
  await expect(recording(page).getByRole("timer")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(recording(page)).toBeHidden();
  await expect(field(page)).toBeFocused();

  await recordButton(page).click();
  await expect(recording(page).getByRole("timer")).toBeVisible();
  expect(await faultsOf(page, "composer-voice")).toEqual([]);
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(recording(page)).toBeHidden();
  const states = await page.evaluate(() => (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.map((each) => each.readyState));
  expect(states).toEqual(["ended", "ended", "ended"]);
  expect(coder.received).toEqual([]);
  // With words in the field there is nothing to record.
  await field(page).fill("words");
  await expect(recordButton(page)).toBeHidden();
});

test("a microphone that is blocked is said to be, with what can be done", async ({ chatWith }) => {
  const { page } = await chatWith({ permissions: [] });
  await recordButton(page).click();
  await expect(page.getByRole("status", { name: "Notices" })).toContainText("The microphone is blocked");
  await expect(recording(page)).toBeHidden();
  await expect(field(page)).toBeVisible();
});
