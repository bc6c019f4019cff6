/** The header of a conversation, its menu, and the dialogs that this opens. */

import { readFile } from "node:fs/promises";
import { axe, expect, type Page } from "./harness.ts";
import { chooseOption, dialog, field, fill, HOUR, log, newest, notice, said, saying, test, write } from "./conversation-scene.ts";

const row = (page: Page, name: string | RegExp) => page.getByRole("navigation").getByRole("link", { name });
const heading = (page: Page) => page.getByRole("region", { name: /^Chat with/ }).getByRole("heading", { level: 1 });
const button = (page: Page, name: string) => dialog(page).getByRole("button", { name, exact: true });

test("the header says whom one talks with and how they are, as that changes", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const header = page.getByRole("region", { name: "Chat with Coder" }).getByRole("banner").or(page.locator("header").filter({ has: page.getByRole("heading", { name: "Coder" }) }));
  await expect(header).toContainText("online");
  coder.status("busy", "compiling");
  await expect(header).toContainText("busy: compiling");
  coder.typing(id);
  await expect(header).toContainText("is writing …");
  await expect(log(page).getByRole("img", { name: "Coder is writing" })).toBeVisible();
  await coder.send(id, "Done");
  await expect(header).toContainText("busy: compiling");
  await expect(log(page).getByRole("img", { name: "Coder is writing" })).toHaveCount(0);
  await coder.close();
  await expect(header).toContainText("last seen");
});

test("a conversation gets a title, and loses it again, in the header and in the list, on all devices", async ({ chatWith }) => {
  const { alice, page, id } = await chatWith();
  const other = await alice.device();
  await other.goto(`/c/${id}`);
  await chooseOption(page, "Rename …");
  await dialog(page).getByRole("textbox", { name: "Title" }).fill("Tide tables");
  await page.keyboard.press("Enter");
  await expect(dialog(page)).toBeHidden();
  for (const each of [page, other]) {
    await expect(heading(each)).toHaveText("Tide tables");
    await expect(row(each, /Tide tables/)).toBeVisible();
  }
  await expect(page.getByText("Coder · online")).toBeVisible();
  await chooseOption(page, "Rename …");
  await expect(dialog(page).getByRole("textbox", { name: "Title" })).toHaveValue("Tide tables");
  await dialog(page).getByRole("textbox", { name: "Title" }).fill("");
  await button(page, "Save").click();
  for (const each of [page, other]) await expect(heading(each)).toHaveText("Coder");
});

test("it is pinned, muted and archived, and all of that can be taken back", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  await coder.send(id, "Hello");
  await chooseOption(page, "Pin");
  await expect(row(page, /Coder.*pinned/i)).toBeVisible();
  await chooseOption(page, "Unpin");
  await expect(row(page, /Coder.*pinned/i)).toHaveCount(0);

  await chooseOption(page, "Mute …");
  await button(page, "For 8 hours").click();
  await expect(page.getByRole("img", { name: "Muted" })).toBeVisible();
  const hours = async (): Promise<number> => {
    const [conversation] = (await alice.rest.snapshot()).conversations;
    return Math.round((Date.parse(conversation!.muted_until ?? "") - Date.now()) / HOUR);
  };
  await expect.poll(hours).toBe(8);
  await chooseOption(page, "Unmute");
  await expect(page.getByRole("img", { name: "Muted" })).toHaveCount(0);
  await chooseOption(page, "Mute …");
  await button(page, "Until I turn it on again").click();
  await expect(page.getByRole("img", { name: "Muted" })).toBeVisible();

  await chooseOption(page, "Archive");
  await expect(row(page, /Coder/)).toHaveCount(0);
  await expect(newest(page)).toContainText("Hello");
  await chooseOption(page, "Take out of the archive");
  await expect(row(page, /Coder/)).toBeVisible();
});

test("tags are added, suggested and removed", async ({ chatWith }) => {
  const { alice, coder, page } = await chatWith();
  const { conversation_id: another } = await alice.rest.createConversation(coder.id, "Another one");
  await alice.rest.call("PUT", `/conversations/${another}/tags/harbour`);
  await chooseOption(page, "Tags …");
  await expect(dialog(page)).toContainText("No tags yet");
  await expect(dialog(page).getByRole("textbox", { name: "Add a tag" })).toBeFocused();
  await page.keyboard.type("tides, and more");
  await page.keyboard.press("Enter");
  await expect(dialog(page).getByRole("button", { name: "Remove the tag tides, and more" })).toBeVisible();
  await dialog(page).getByRole("button", { name: /^harbour/ }).click();
  await expect(dialog(page).getByRole("button", { name: "Remove the tag harbour" })).toBeVisible();
  expect(await axe(page)).toEqual([]);
  await dialog(page).getByRole("button", { name: "Remove the tag tides, and more" }).click();
  await expect(dialog(page).getByRole("button", { name: /Remove the tag/ })).toHaveCount(1);
  const { tags } = (await alice.rest.conversations()).find((each) => each.conversation_id !== another)!;
  expect(tags).toEqual(["harbour"]);
});

test("another conversation with the same agent has a title and a life of its own", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(id, "In the first");
  await chooseOption(page, "New chat with Coder …");
  await dialog(page).getByRole("textbox", { name: "Title" }).fill("Second thoughts");
  await button(page, "Begin").click();
  await expect(heading(page)).toHaveText("Second thoughts");
  await expect(page).not.toHaveURL(new RegExp(id));
  await expect(log(page)).not.toContainText("In the first");
  await write(page, "Here");
  expect((await coder.nextMessage()).conversation_id).not.toBe(id);
  await expect(row(page, /Second thoughts/)).toBeVisible();
});

test("the files of a conversation are in one place, and are saved from there", async ({ chatWith }) => {
  const { alice, page, id } = await chatWith();
  await chooseOption(page, "Files …");
  await expect(dialog(page)).toContainText("There are no files in this chat.");
  await page.keyboard.press("Escape");
  const connection = alice.connect();
  for (const name of ["tides.csv", "harbour.txt"]) {
    const { attachment_id } = await alice.rest.upload(new File(["high, low"], name, { type: "text/plain" }));
    await connection.send("message", { conversation_id: id, content: `Here is ${name}`, attachment_ids: [attachment_id] });
  }
  await expect(newest(page)).toContainText("harbour.txt");
  await chooseOption(page, "Files …");
  await expect(dialog(page)).toContainText("harbour.txt");
  await expect(dialog(page)).toContainText("tides.csv");
  const saving = page.waitForEvent("download");
  await dialog(page).getByRole("button", { name: "Download tides.csv" }).click();
  expect((await saving).suggestedFilename()).toBe("tides.csv");
  expect(await readFile(await (await saving).path(), "utf8")).toBe("high, low");
});

test("all of it is exported as Markdown and as JSON, also what is not on the screen", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  await said(alice, id, "The **first** question");
  await fill(coder, id, 210);
  const { message_id: gone } = await coder.send(id, "Regretted");
  await coder.remove(gone);
  await alice.rest.call("PATCH", `/conversations/${id}`, { body: { title: "Tides: high & low" } });
  await expect(heading(page)).toHaveText("Tides: high & low");
  async function exported(kind: string): Promise<{ name: string; text: string }> {
    await chooseOption(page, "Export …");
    const saving = page.waitForEvent("download");
    await dialog(page).getByRole("button", { name: kind }).click();
    const file = await saving;
    await expect(notice(page, "212 messages were exported").last()).toBeVisible();
    await expect(dialog(page)).toBeHidden();
    return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
  }
  const markdown = await exported("Markdown, to read");
  expect(markdown.name).toBe("Tides-high-low.md");
  expect(markdown.text).toMatch(/^# Tides: high & low\n\n## \w+, \w+ \d+, \d{4}\n\n\*\*You\*\*, \d\d:\d\d [AP]M\n\nThe \*\*first\*\* question\n/u);
  expect(markdown.text.match(/Word number/g)).toHaveLength(210);
  expect(markdown.text).not.toContain("Regretted");

  const json = await exported("JSON, for programs");
  expect(json.name).toBe("Tides-high-low.json");
  const { conversation, messages } = JSON.parse(json.text) as { conversation: object; messages: { content: string }[] };
  expect(conversation).toMatchObject({ conversation_id: id, agent_id: coder.id, title: "Tides: high & low" });
  expect(messages).toHaveLength(212);
  expect(messages[0]!.content).toBe("The **first** question");
  expect(messages[210]!.content).toContain("Word number 210 ");
});

test("what an agent says of itself is shown, and its description where nothing was said yet", async ({ chatWith }) => {
  const { page } = await chatWith({
    card: {
      name: "Coder",
      description: "Writes programs, and mends them.",
      model: "tidal-7b",
      specialty: "Tide tables",
      capabilities: ["programs", "tests"],
      commands: [{ name: "review", arguments: "PATH", description: "Looks at a file" }],
      supports: ["stop", "attachments"],
    },
  });
  await expect(log(page)).toContainText("Writes programs, and mends them.");
  await page.getByRole("button", { name: "Coder", exact: true }).click();
  await expect(dialog(page).getByRole("heading", { name: "About Coder" })).toBeVisible();
  for (const text of ["Writes programs", "tidal-7b", "Tide tables", "programs, tests", "/review PATH", "Looks at a file", "being stopped, files"]) {
    await expect(dialog(page)).toContainText(text);
  }
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Coder", exact: true })).toBeFocused();
});

test("deleting a conversation asks, offers an export before, and then it is gone everywhere", async ({ chatWith, allow }) => {
  allow(/404/);
  const { alice, coder, page, id } = await chatWith();
  const other = await alice.device();
  await other.goto(`/c/${id}`);
  await coder.send(id, "Soon forgotten");
  await expect(saying(other, "Soon forgotten")).toBeVisible();
  await chooseOption(page, "Delete chat …");
  await expect(dialog(page)).toContainText("cannot be undone");
  await dialog(page).getByRole("button", { name: "To keep a copy, export it first." }).click();
  await expect(dialog(page).getByRole("heading", { name: "Export chat" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog(page)).toBeHidden();
  await expect(saying(page, "Soon forgotten")).toBeVisible();

  await chooseOption(page, "Delete chat …");
  await button(page, "Delete for both sides").click();
  await expect(page).toHaveURL(/\/$/);
  for (const each of [page, other]) await expect(row(each, /Coder/)).toHaveCount(0);
  await expect(other.getByRole("log")).toHaveCount(0);
  await expect(field(other)).toHaveCount(0);
  await coder.wait("conversation_deleted", ({ conversation_id }) => conversation_id === id);
  expect(await alice.rest.conversations()).toEqual([]);
});
