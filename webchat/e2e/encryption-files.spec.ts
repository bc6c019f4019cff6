/** Files in a conversation that the server cannot read: both ways, shown again, and known when they were changed. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { field, log, newest, write } from "./answers-scene.ts";
import { chip, choose, CLIPBOARD, pasteText, png, sendButton, text, throttle, tray, wav } from "./attachments-scene.ts";
import { axe, expect, historySettled, test as base, type Page, type Person, type Server } from "./harness.ts";
import type { BrowserContextOptions } from "@playwright/test";

interface SecretChat {
  readonly alice: Person;
  readonly page: Page;
  /** Of the conversation. */
  readonly id: string;
  /** All that went over the wire. */
  readonly wire: string[];
}

/** Alice and the demo agent, with encryption turned on. */
const test = base.extend<{ secretChat: (options?: BrowserContextOptions) => Promise<SecretChat> }>({
  secretChat: async ({ person, agents, allow }, give) =>
    give(async (options) => {
      // Whether somebody has published keys is found out by asking.
      allow(/keys\/bundles/);
      const alice = await person("Alice", options);
      const demo = await agents.demo("Demo", 0);
      const page = await alice.signIn();
      const wire: string[] = [];
      page.on("websocket", (socket) => {
        socket.on("framesent", ({ payload }) => wire.push(String(payload)));
        socket.on("framereceived", ({ payload }) => wire.push(String(payload)));
      });
      page.on("request", (request) => wire.push(request.url(), request.postDataBuffer()?.toString("latin1") ?? ""));
      const { conversation_id: id } = await alice.rest.createConversation(demo.id);
      await page.goto(`/c/${id}`);
      await encrypt(page, true);
      return { alice, page, id, wire };
    }),
});

async function encrypt(page: Page, on: boolean): Promise<void> {
  await page.getByRole("button", { name: "Options of this chat" }).click();
  await page.getByRole("menuitem", { name: /^Encryption/ }).click();
  const dialog = page.getByRole("dialog", { name: "End-to-end encryption" });
  await dialog.getByRole("switch").click();
  await expect(dialog.getByRole("switch")).toBeChecked({ checked: on });
  await dialog.getByRole("button", { name: "Close" }).first().click();
}

/** Everything that the server has written. */
async function storedBy(server: Server): Promise<string> {
  const entries = await readdir(server.folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  return (await Promise.all(files.map((path) => readFile(path, "latin1")))).join("\n");
}

const widthOf = (page: Page, name: string) =>
  log(page).getByRole("button", { name: `Open ${name}` }).locator("img").evaluate((each: HTMLImageElement) => each.naturalWidth);

test("a picture and a text reach the agent, and nothing of them is on the wire or on the server's disk", async ({ secretChat, server }) => {
  const { page, wire } = await secretChat();
  const photo = png("rhubarb.png", 200, 150);
  await choose(page, photo, text("rhubarb notes.txt", "rhubarb and custard\nfor two"));
  await expect(tray(page).getByRole("listitem")).toHaveCount(2);
  await expect(chip(page, "rhubarb notes.txt")).toContainText("27 bytes");
  await write(page, "two of them");
  await expect(newest(page)).toContainText("I received 2 files");
  await expect(log(page)).toContainText("rhubarb.png (image/png");
  await expect(log(page)).toContainText("200 x 150 pixels");

  await choose(page, text("rhubarb alone.txt", "rhubarb crumble\nfor two"));
  await sendButton(page).click();
  await expect(log(page)).toContainText("It begins with rhubarb crumble", { timeout: 20_000 });
  await expect.poll(() => widthOf(page, "rhubarb.png")).toBe(200);
  expect(await axe(page)).toEqual([]);

  await page.reload();
  await expect.poll(() => widthOf(page, "rhubarb.png")).toBe(200);
  await page.getByRole("button", { name: "Open rhubarb.png" }).click();
  await expect(page.getByRole("dialog", { name: "Picture 1 of 1: rhubarb.png" }).getByRole("img")).toBeVisible();
  await page.keyboard.press("Escape");
  await log(page).getByRole("button", { name: "Look into rhubarb notes.txt" }).click();
  await expect(page.getByRole("dialog", { name: "rhubarb notes.txt" })).toContainText("rhubarb and custard");
  await page.keyboard.press("Escape");

  expect(wire.some((each) => each.includes("attachment_ids"))).toBe(true);
  const pixels = photo.bytes.subarray(40, 80).toString("latin1");
  for (const said of [wire.join("\n"), await storedBy(server)]) {
    expect(said).toContain("amtrio-1");
    expect(said).not.toContain("rhubarb");
    expect(said).not.toContain("PNG\r\n");
    expect(said).not.toContain(pixels);
  }
});

test("a file of the agent is looked into, saved under its name, and in the list of files", async ({ secretChat, server }) => {
  const { page } = await secretChat();
  await write(page, "/file rhubarb pie");
  const row = log(page).getByRole("group", { name: "demo.txt" });
  await expect(row).toContainText("12 bytes", { timeout: 20_000 });
  await expect(log(page)).toContainText("Here is your file.");
  await row.getByRole("button", { name: "Look into demo.txt" }).click();
  await expect(page.getByRole("dialog", { name: "demo.txt" })).toContainText("rhubarb pie");
  await page.keyboard.press("Escape");
  await historySettled(page);

  await page.reload();
  const saved = page.waitForEvent("download");
  await row.getByRole("button", { name: "Download demo.txt" }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe("demo.txt");
  expect(await readFile(await download.path(), "utf8")).toBe("rhubarb pie\n");

  await page.getByRole("button", { name: "Options of this chat" }).click();
  await page.getByRole("menuitem", { name: /^Files/ }).click();
  await expect(page.getByRole("dialog").getByRole("group", { name: "demo.txt" })).toContainText("12 bytes");
  expect(await storedBy(server)).not.toContain("rhubarb");
});

test("a file that was changed on its way says so, and is not shown", async ({ secretChat }) => {
  const { page } = await secretChat();
  await choose(page, png("garden.png", 200, 150), wav("birds.wav", 2), text("plan.txt", "dig here"));
  await write(page, "keep these");
  await expect(newest(page)).toContainText("I received 3 files", { timeout: 20_000 });
  await page.route(/\/attachments\/att_[^/]+$/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.body();
    body[20]! ^= 1;
    await route.fulfill({ response: answer, body });
  });
  await page.reload();
  await expect(log(page)).toContainText("garden.png was changed on its way, or is not the file that was sent");
  await expect(log(page)).toContainText("birds.wav was changed on its way, or is not the file that was sent");
  await log(page).getByRole("button", { name: "Look into plan.txt" }).click();
  await expect(page.getByRole("dialog", { name: "plan.txt" })).toContainText("plan.txt was changed on its way");
  await page.keyboard.press("Escape");
  await log(page).getByRole("button", { name: "Download plan.txt" }).click();
  await expect(page.getByText("This file was changed on its way, or is not the one that was sent.")).toBeVisible();

  await page.unroute(/\/attachments\/att_[^/]+$/);
  await log(page).getByRole("group", { name: "birds.wav" }).getByRole("button", { name: /Try again/ }).click();
  await expect(log(page).getByRole("group", { name: "birds.wav" })).toContainText("0:02");
});

test.describe("a server of its own", () => {
  test.use({ ownServer: true });

  test("what waited when the page was closed is sent with its files, once there is a server again", async ({ secretChat, server }) => {
    const { alice, page, id } = await secretChat();
    await choose(page, text("later.txt", "rhubarb tart"));
    await expect(chip(page, "later.txt")).toContainText("12 bytes");
    await server.stop();
    await write(page, "in a moment");
    await expect(log(page).getByRole("group", { name: "later.txt" })).toBeVisible();
    await expect(newest(page).getByLabel("Waiting for a connection")).toBeVisible();
    await page.close();
    await server.start();
    const again = await alice.tab();
    await again.goto(`/c/${id}`);
    await expect(log(again)).toContainText("It begins with rhubarb tart", { timeout: 30_000 });
  });
});

test("encryption that is turned on meanwhile also holds for what is in the tray", async ({ secretChat, server }) => {
  const { page, wire } = await secretChat();
  await encrypt(page, false);
  await choose(page, text("beets.txt", "beetroot"));
  await expect(chip(page, "beets.txt")).toContainText("8 bytes");
  expect(await storedBy(server)).toContain("beetroot");
  await encrypt(page, true);
  await expect(chip(page, "beets.txt")).toContainText("8 bytes");
  await write(page, "now");
  await expect(log(page)).toContainText("It begins with beetroot", { timeout: 20_000 });
  await expect(log(page).getByLabel("Encrypted")).toHaveCount(2);
  expect(wire.filter((each) => each.includes("encrypted_message")).join("")).toContain("attachment_ids");
  // What had been in the clear is taken back.
  await expect.poll(() => storedBy(server)).not.toContain("beetroot");
});

test("a long paste becomes an encrypted file, and an upload can be cancelled", async ({ secretChat }) => {
  const { page } = await secretChat(CLIPBOARD);
  await field(page).focus();
  await pasteText(page, "all work and no play\n".repeat(600));
  await expect(tray(page).getByRole("listitem")).toHaveCount(1);
  await expect(tray(page)).toContainText("13 kB");
  const fast = await throttle(page, 50_000);
  await choose(page, { name: "film.bin", type: "", bytes: Buffer.alloc(3_000_000, 7) });
  const progress = page.getByRole("progressbar", { name: "Uploading film.bin" });
  await expect.poll(async () => Number(await progress.getAttribute("aria-valuenow"))).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Cancel film.bin" }).click();
  await fast();
  await sendButton(page).click();
  await expect(log(page)).toContainText("It begins with all work and no play", { timeout: 20_000 });
});

test("a voice note is heard by the agent, and again after a reload", async ({ secretChat, server }) => {
  const { page } = await secretChat({ permissions: ["microphone"] });
  await page.getByRole("button", { name: "Record a voice note" }).click();
  const recording = page.getByRole("group", { name: "Recording" });
  await expect(recording.getByRole("timer")).toHaveText(/0:0[2-9]/);
  await recording.getByRole("button", { name: "Send" }).click();
  await expect(log(page)).toContainText(/I received Voice note .* \(audio\//, { timeout: 20_000 });
  await page.reload();
  const player = log(page).getByRole("group", { name: /^Voice note/ });
  await expect(player).toContainText(/0:00 \/ 0:0[1-9]/);
  await player.getByRole("button", { name: /^Play/ }).click();
  await expect(player.getByRole("button", { name: /^Pause/ })).toBeVisible();
  expect(await storedBy(server)).not.toContain("Voice note");
});
