/** Files on their way to an agent: how they come into the composer, how far they are, and what is not taken. */

import { articles, field, log, newest, test, write } from "./answers-scene.ts";
import { chip, choose, CLIPBOARD, drag, noise, pastePicture, pasteText, png, restOf, sendButton, text, throttle, tray } from "./attachments-scene.ts";
import { expect, type Page } from "./harness.ts";
import { faultsOf } from "./looking.ts";

// Parts that come later are there without a network, too.
test.use({ serviceWorkers: "allow" });

const attachButton = (page: Page) => page.getByRole("button", { name: /^Attach files/ });

test("three dropped files are three chips with picture and progress, one is cancelled, the agent gets the others", async ({ chatWith, server }, info) => {
  const { coder, page } = await chatWith();
  const [photo, notes, film] = [png("photo.png", 200, 150), text("notes.txt", "remember the milk"), noise("film.bin", 8_000_000)];
  const fast = await throttle(page, 100_000);
  await drag(page, info, log(page), [photo, notes, film], false);
  await expect(page.getByText("Drop files to attach them")).toBeVisible();
  await drag(page, info, log(page), [photo, notes, film]);
  await expect(field(page)).toBeFocused();
  await expect(page.getByText("Drop files to attach them")).toBeHidden();
  await expect(tray(page).getByRole("listitem")).toHaveCount(3);
  await expect.poll(() => chip(page, "photo.png").locator("img").evaluate((each: HTMLImageElement) => each.naturalWidth)).toBe(200);

  const progress = page.getByRole("progressbar", { name: "Uploading film.bin" });
  await expect.poll(async () => Number(await progress.getAttribute("aria-valuenow"))).toBeGreaterThan(0);
  expect(await faultsOf(page, "attachments-tray")).toEqual([]);
  await page.getByRole("button", { name: "Cancel film.bin" }).click();
  await expect(tray(page).getByRole("listitem")).toHaveCount(2);
  await fast();

  await expect(chip(page, "notes.txt")).toContainText("17 bytes");
  await expect(chip(page, "photo.png").getByRole("progressbar")).toBeHidden();
  await write(page, "two of three");
  const message = await coder.nextMessage();
  expect(message.content).toBe("two of three");
  expect(message.attachments!.map((each) => each.filename)).toEqual(["photo.png", "notes.txt"]);
  const received = await restOf(coder, server).download(message.attachments![1]!.url);
  expect(await received.text()).toBe("remember the milk");
  await expect(tray(page)).toBeHidden();
  await expect(newest(page).getByRole("button", { name: "Open photo.png" })).toBeVisible();
  await expect(newest(page).getByRole("group", { name: "notes.txt" })).toBeVisible();
});

test("files let fall beside the chat are neither attached nor opened", async ({ chatWith }, info) => {
  const { page } = await chatWith();
  const opened: string[] = [];
  page.context().on("page", (other) => opened.push(other.url()));
  await drag(page, info, page.getByRole("navigation").first(), [text("notes.txt", "hello")]);
  // Another one, so that the first had its time.
  await drag(page, info, log(page), [text("more.txt", "hello")]);
  await expect(chip(page, "more.txt")).toContainText("5 bytes");
  await expect(tray(page).getByRole("listitem")).toHaveCount(1);
  expect(opened).toEqual([]);
});

test("a pasted picture is attached, and goes without words", async ({ chatWith }) => {
  const { coder, page } = await chatWith(CLIPBOARD);
  await pastePicture(page, png("ignored", 64, 48));
  await expect(tray(page).getByRole("listitem")).toHaveCount(1);
  await expect(tray(page).locator("img")).toBeVisible();
  await field(page).press("Enter");
  const message = await coder.nextMessage();
  expect(message.content).toBe("");
  expect(message.attachments![0]).toMatchObject({ content_type: "image/png", width: 64, height: 48 });
  await expect(newest(page).getByRole("button", { name: /^Open / })).toBeVisible();
});

test("what is sent before its file is there waits for it, and can be held back", async ({ chatWith }) => {
  const { coder, page } = await chatWith();
  const fast = await throttle(page, 60_000);
  await choose(page, noise("data.bin", 600_000));
  await expect(page.getByRole("progressbar")).toBeVisible();
  await write(page, "with data");
  const waiting = page.getByRole("status").filter({ hasText: "Sent as soon as the files are uploaded" });
  await expect(waiting).toBeVisible();
  await expect(field(page)).toHaveAttribute("readonly");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(waiting).toBeHidden();
  await expect(field(page)).toHaveValue("with data");
  await field(page).press("Enter");
  await expect(waiting).toBeVisible();
  await fast();
  const message = await coder.nextMessage();
  expect(message.content).toBe("with data");
  expect(message.attachments).toHaveLength(1);
  await expect(field(page)).toHaveValue("");
  await expect(waiting).toBeHidden();
  expect(coder.received).toHaveLength(1);
});

test("uploads go on while one looks at another chat, and what waits for them is sent from there", async ({ chatWith, agents }) => {
  const { alice, coder, page } = await chatWith();
  const other = await agents.scripted("Baker");
  await alice.rest.createConversation(other.id);
  const fast = await throttle(page, 100_000);
  await choose(page, noise("data.bin", 300_000));
  await write(page, "sent from afar");
  await page.getByRole("navigation").getByRole("link", { name: /Baker/ }).click();
  await expect(field(page)).toHaveAccessibleName("Message Baker");
  await expect(tray(page)).toBeHidden();
  await fast();
  const message = await coder.nextMessage();
  expect([message.content, message.attachments![0]!.filename]).toEqual(["sent from afar", "data.bin"]);
  await page.getByRole("navigation").getByRole("link", { name: /Coder/ }).click();
  await expect(field(page)).toHaveValue("");
  await expect(newest(page)).toContainText("sent from afar");
});

test("a file that is cut off waits for a connection and goes on by itself", async ({ chatWith }) => {
  const { alice, coder, page } = await chatWith();
  const fast = await throttle(page, 60_000);
  await choose(page, noise("data.bin", 300_000));
  await expect(page.getByRole("progressbar")).toBeVisible();
  await alice.context.setOffline(true);
  await expect(chip(page, "data.bin")).toContainText("Waiting for a connection");
  await write(page, "when you can");
  await fast();
  await alice.context.setOffline(false);
  const message = await coder.nextMessage();
  expect(message.attachments).toHaveLength(1);
  expect(coder.received).toHaveLength(1);
});

test("an upload that fails while the rest is connected says so and goes on by itself", async ({ chatWith, allow }) => {
  allow(/ERR_FAILED.*\/attachments\?/);
  const { coder, page } = await chatWith();
  let isBroken = true;
  await page.context().route(/\/attachments(\?|$)/, (route) => (isBroken && route.request().method() === "POST" ? route.abort() : route.fallback()));
  await choose(page, text("notes.txt", "hello"));
  await expect(chip(page, "notes.txt")).toContainText("The upload failed. Trying again");
  await write(page, "when you can");
  isBroken = false;
  expect((await coder.nextMessage()).attachments).toHaveLength(1);
});

test("every file of a full tray can be reached, and a notice lies over none of them", async ({ chatWith }) => {
  const { page } = await chatWith({ ...CLIPBOARD, viewport: { width: 1440, height: 900 } });
  await choose(page, ...[1, 2, 3, 4, 5].map((at) => text(`notes-${at}.txt`, "hello")));
  await expect(tray(page).getByRole("listitem")).toHaveCount(5);
  for (const each of [1, 2, 3, 4, 5]) await expect(chip(page, `notes-${each}.txt`)).toBeInViewport({ ratio: 1 });
  await pasteText(page, "line\n".repeat(150));
  await expect(page.getByRole("button", { name: "Paste as text" })).toBeVisible();
  for (const each of [1, 2, 3, 4, 5]) await page.getByRole("button", { name: `Remove notes-${each}.txt` }).click({ timeout: 2000 });
  await expect(page.getByRole("button", { name: "Paste as text" })).toBeVisible();
  await expect(tray(page).getByRole("listitem")).toHaveCount(1);
});

test("a long paste becomes a file, which can be had as text again", async ({ chatWith }) => {
  const { coder, page } = await chatWith(CLIPBOARD);
  const poem = Array.from({ length: 150 }, (_, at) => `line ${at} of a long poem`).join("\n");
  await page.keyboard.type("see ");
  await pasteText(page, poem);
  await expect(chip(page, "Pasted text.txt")).toBeVisible();
  await expect(field(page)).toHaveValue("see ");
  await page.getByRole("button", { name: "Paste as text" }).click();
  await expect(tray(page)).toBeHidden();
  await expect(field(page)).toHaveValue(`see ${poem}`);
  await page.keyboard.press("Control+z");
  await expect(field(page)).toHaveValue("see ");

  await pasteText(page, poem);
  await expect(chip(page, "Pasted text.txt")).toBeVisible();
  await field(page).press("Enter");
  const message = await coder.nextMessage();
  expect(message.content).toBe("see");
  expect(message.attachments![0]!.filename).toBe("Pasted text.txt");
  await pasteText(page, "short");
  await expect(field(page)).toHaveValue("short");
});

test("a message that is too long is not sent, says by how much, and can go as a file", async ({ chatWith }) => {
  const { coder, page } = await chatWith();
  await field(page).fill("a".repeat(60_000));
  await expect(page.getByText(/left$/)).toBeVisible();
  await field(page).fill(`${"ä".repeat(40_000)} end`);
  await expect(page.getByRole("alert")).toHaveText(/Too long: at most 65 kB/);
  await expect(page.getByText(/15(\.\d)? kB too much/)).toBeVisible();
  await expect(sendButton(page)).toBeDisabled();
  await field(page).press("Enter");
  await page.getByRole("button", { name: "Attach as file" }).click();
  await expect(field(page)).toHaveValue("");
  await expect(chip(page, "Message.txt")).toContainText("80 kB");
  await write(page, "read this");
  const message = await coder.nextMessage();
  expect([message.content, message.attachments![0]!.size]).toEqual(["read this", 80_004]);
});

test("an agent that takes no files says so, and nothing is attached", async ({ chatWith }, info) => {
  const { page } = await chatWith({ card: { supports: ["stop"] }, ...CLIPBOARD });
  await expect(attachButton(page)).toHaveAccessibleName("Attach files: This agent does not take files");
  // It counts as disabled, and yet says why.
  await attachButton(page).click({ force: true });
  await expect(page.getByRole("status", { name: "Notices" })).toContainText("does not take files");
  await drag(page, info, log(page), [text("notes.txt", "hello")], false);
  await expect(page.getByRole("main").getByText("This agent does not take files")).toBeVisible();
  await drag(page, info, page.getByRole("navigation").first(), [], false);
  await expect(page.getByRole("main").getByText("This agent does not take files")).toBeHidden();
  await field(page).focus();
  await pastePicture(page, png("ignored", 8, 8));
  await expect(page.getByRole("alert")).toContainText("This agent does not take files");
  await expect(tray(page)).toBeHidden();
  const long = "words ".repeat(2000);
  await field(page).focus();
  await pasteText(page, long);
  await expect(field(page)).toHaveValue(long);
});

test.describe("a server with little room", () => {
  test.use({ ownServer: { env: { MAX_UPLOAD_SIZE: "200000", AMTRIO_LIMITS_UPLOAD_QUOTA_BYTES: "300000" } } });

  test("what is too large is refused before it travels, with the limit named; what the server refuses can be tried again", async ({ chatWith, allow }) => {
    allow(/ 413 | 507 |insufficient/i);
    const { alice, coder, page } = await chatWith();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST") asked.push(new URL(request.url()).pathname);
    });
    await choose(page, noise("huge.bin", 250_000), text("small.txt", "fits"));
    await expect(page.getByRole("alert")).toContainText("huge.bin is too large (250 kB): at most 200 kB");
    await expect(chip(page, "small.txt")).toBeVisible();
    await expect(chip(page, "huge.bin")).toBeHidden();
    await expect.poll(() => asked.filter((path) => path === "/attachments")).toHaveLength(1);
    expect(await faultsOf(page, "attachments-refused")).toEqual([]);
    await page.getByRole("button", { name: "Dismiss" }).click();
    await expect(page.getByRole("alert")).toBeHidden();

    // The room was used up elsewhere in the meantime.
    const elsewhere = await alice.rest.upload(new File([new Uint8Array(180_000)], "other.bin"));
    await choose(page, noise("second.bin", 150_000));
    await expect(page.getByRole("button", { name: "Retry second.bin" })).toBeVisible();
    await write(page, "both");
    await expect(sendButton(page)).toBeDisabled();
    await expect(field(page)).toHaveValue("both");
    expect(await faultsOf(page, "attachments-failed")).toEqual([]);
    await alice.rest.call("DELETE", `/attachments/${elsewhere.attachment_id}`);
    await page.getByRole("button", { name: "Retry second.bin" }).click();
    await expect(chip(page, "second.bin")).toContainText("150 kB");
    await field(page).press("Enter");
    const message = await coder.nextMessage();
    expect(message.attachments!.map((each) => each.filename)).toEqual(["small.txt", "second.bin"]);

    await choose(page, noise("third.bin", 190_000));
    await expect(page.getByRole("alert").or(page.getByRole("button", { name: "Retry third.bin" }))).toBeVisible();
    await expect(articles(page)).toHaveCount(1);
  });

  test("more files than one message takes are left out, and it says so", async ({ chatWith }) => {
    const { page } = await chatWith();
    await choose(page, ...Array.from({ length: 12 }, (_, at) => text(`note-${at}.txt`, "x")));
    await expect(tray(page).getByRole("listitem")).toHaveCount(10);
    await expect(page.getByRole("alert")).toContainText("At most 10 files fit into one message");
    await expect(tray(page).getByText("1 byte")).toHaveCount(10);
  });
});

test("in an encrypted conversation files are attached in every way that they are elsewhere", async ({ agents, person, allow }, info) => {
  // Whether somebody has published keys is found out by asking.
  allow(/keys\/bundles/);
  const alice = await person("Alice", CLIPBOARD);
  const demo = await agents.demo("Demo", 0);
  const page = await alice.signIn();
  const { conversation_id: id } = await alice.rest.createConversation(demo.id);
  await page.goto(`/c/${id}`);
  await page.getByRole("button", { name: "Options of this chat" }).click();
  await page.getByRole("menuitem", { name: /^Encryption/ }).click();
  await page.getByRole("dialog").getByRole("switch").click();
  await expect(page.getByRole("dialog").getByRole("switch")).toBeChecked();
  await page.keyboard.press("Escape");
  await choose(page, text("chosen.txt", "rhubarb"));
  await drag(page, info, log(page), [text("dropped.txt", "rhubarb")]);
  await field(page).focus();
  await pastePicture(page, png("ignored", 8, 8));
  await pasteText(page, "words ".repeat(2000));
  await expect(tray(page).getByRole("listitem")).toHaveCount(4);
  await expect(tray(page).getByRole("progressbar")).toHaveCount(0);
  await write(page, "all of them");
  await expect(newest(page)).toContainText("I received 4 files", { timeout: 20_000 });
  for (const name of ["chosen.txt", "dropped.txt", "image.png", "Pasted text.txt"]) await expect(newest(page)).toContainText(name);
  await expect(log(page).getByLabel("Encrypted")).toHaveCount(2);
});
