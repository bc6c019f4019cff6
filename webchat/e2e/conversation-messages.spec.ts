/** What can be done with one message, and what the other side and other devices see of it. */

import { expect, gapToEnd, type Page } from "./harness.ts";
import {
  articles,
  choose,
  dialog,
  field,
  fill,
  log,
  messageMenu,
  newest,
  notice,
  openMenu,
  readAll,
  said,
  saying,
  test,
  write,
} from "./conversation-scene.ts";

// Parts that come later are there without a network, too.
test.use({ serviceWorkers: "allow" });

const quote = (page: Page, text: string) => newest(page).getByRole("button", { name: text });

/** Animations in the list, by name, in the order in which they begin. */
async function watchAnimations(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const begun: string[] = [];
    Object.assign(globalThis, { begun });
    document.addEventListener("animationstart", ({ target, animationName }) => {
      const article = (target as Element).closest("article");
      if (article !== null) begun.push(`${animationName.split("_").find((part) => part === "flash") ?? animationName}: ${article.innerText}`);
    });
  });
  return () => page.evaluate(() => (globalThis as unknown as { begun: string[] }).begun);
}

test.describe("how far an own message has come", () => {
  test("is said in words: sent, delivered, read", async ({ person, agents }) => {
    const alice = await person("Alice");
    const away = await agents.registered("Away");
    const coder = await agents.scripted("Coder");
    const { conversation_id: id } = await alice.rest.createConversation(coder.id);
    const { conversation_id: lonely } = await alice.rest.createConversation(away.id);
    const page = await alice.signIn();
    await page.goto(`/c/${lonely}`);
    await write(page, "Anybody there?");
    await expect(newest(page).getByLabel("Sent", { exact: true })).toBeVisible();

    await page.goto(`/c/${id}`);
    await write(page, "Hello");
    await expect(newest(page).getByLabel("Delivered", { exact: true })).toBeVisible();
    await coder.read(await coder.nextMessage());
    await expect(newest(page).getByLabel("Read", { exact: true })).toBeVisible();

    await choose(page, newest(page), "Details");
    await expect(dialog(page)).toContainText("Read by Coder");
    await page.keyboard.press("Escape");
    await expect(newest(page).getByRole("button", { name: "More about this message" })).toBeFocused();
  });

  test("waits while there is no network, and is sent when there is one again", async ({ chatWith }) => {
    const { alice, coder, page } = await chatWith();
    await alice.context.setOffline(true);
    await write(page, "For later");
    await expect(newest(page).getByLabel("Waiting for a connection")).toBeVisible();
    await alice.context.setOffline(false);
    expect((await coder.nextMessage()).content).toBe("For later");
    await expect(newest(page).getByLabel("Delivered", { exact: true })).toBeVisible();
    expect(coder.received).toHaveLength(1);
  });

  test("what the server refuses says why, and can be tried again or discarded", async ({ chatWith, server }) => {
    const { coder, page } = await chatWith();
    const vanish = (state: string): void => server.change("UPDATE attachment SET state = ?", state);
    const attach = async (name: string): Promise<void> => {
      const uploaded = page.waitForResponse((response) => response.url().includes("/attachments?"));
      await page.locator("input[type=file]").first().setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from("1, 2, 3") });
      await uploaded;
      await expect(page.getByRole("progressbar")).toHaveCount(0);
    };
    await attach("list.txt");
    await expect(page.getByText("list.txt")).toBeVisible();
    vanish("uploading");
    await write(page, "With a file");
    await expect(newest(page)).toContainText("attachment not found");
    await expect(newest(page).getByLabel("Not sent", { exact: true })).toBeVisible();
    vanish("stored");
    await newest(page).getByRole("button", { name: "Try again" }).click();
    await expect(newest(page).getByLabel("Delivered", { exact: true })).toBeVisible();
    expect((await coder.nextMessage()).content).toBe("With a file");

    await attach("other.txt");
    vanish("uploading");
    await write(page, "Never to be seen");
    await newest(page).getByRole("button", { name: "Discard" }).click();
    await expect(saying(page, "Never to be seen")).toHaveCount(0);
    vanish("stored");
    await page.reload();
    await expect(saying(page, "With a file")).toBeVisible();
    await expect(saying(page, "Never to be seen")).toHaveCount(0);
    expect(coder.received).toHaveLength(1);
  });
});

test("a message that was edited says so, and shows what it said before", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await write(page, "The tide is at nine");
  const message = await coder.nextMessage();
  await choose(page, newest(page), "Edit");
  await expect(field(page)).toHaveValue("The tide is at nine");
  await field(page).fill("The tide is at **ten**");
  await field(page).press("Enter");
  await expect(newest(page)).toContainText("The tide is at ten");
  await coder.wait("message_edited", ({ message_id }) => message_id === message.message_id);

  await newest(page).getByRole("button", { name: "Edited. Show what it said before" }).click();
  await expect(dialog(page).getByRole("listitem")).toHaveText([/Now.*The tide is at ten/s, /until .*The tide is at nine/s]);
  await page.keyboard.press("Escape");
  await expect(newest(page).getByRole("button", { name: /^Edited/ })).toBeFocused();

  const { message_id: mine } = await coder.send(id, "High water at noon");
  await coder.edit(mine, "High water at one");
  await expect(newest(page)).toContainText("High water at one");
  await newest(page).getByRole("button", { name: /^Edited/ }).click();
  await expect(dialog(page).getByRole("listitem")).toHaveText([/Now.*at one/s, /until .*at noon/s]);
});

test("a reply shows what it answers, over the composer and in the bubble, and a click leads there and points at it", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(id, "Which harbour do you mean?");
  await fill(coder, id, 30);
  await newest(page).focus();
  await page.keyboard.press("Home");
  await choose(page, saying(page, "Which harbour"), "Reply");
  await expect(page.getByText("Replying to Coder")).toBeVisible();
  await expect(field(page)).toBeFocused();
  await write(page, "Husum");
  await expect(page.getByText("Replying to Coder")).toBeHidden();
  const message = await coder.nextMessage();
  expect((await coder.wait("message", (data) => data.content === "Which harbour do you mean?")).message_id).toBe(message.reply_to);

  await expect(quote(page, "Which harbour do you mean?")).toContainText("Coder");
  await expect(saying(page, "Which harbour do you mean?").first()).not.toBeInViewport();
  const animations = await watchAnimations(page);
  await quote(page, "Which harbour do you mean?").click();
  const asked = articles(page).filter({ hasText: "Which harbour" }).first();
  await expect(asked).toBeInViewport({ ratio: 1 });
  await expect(asked).toBeFocused();
  await expect.poll(animations).toContainEqual(expect.stringMatching(/^flash: [^]*Which harbour/));
  await expect(asked).not.toHaveAttribute("data-flashing");
});

test("a reply to something far back leads there, too, and under reduced motion nothing flashes", async ({ person, agents }) => {
  const alice = await person("Alice", { reducedMotion: "reduce" });
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  const { message_id: far } = await coder.send(id, "The very first word");
  await fill(coder, id, 150);
  await coder.send(id, "As I said", { reply_to: far });
  await readAll(alice, id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  const animations = await watchAnimations(page);
  await expect(page.getByText("The very first word")).toHaveCount(1);
  await expect(newest(page)).toBeInViewport({ ratio: 1 });
  await expect.poll(() => gapToEnd(page)).toBeLessThan(2);
  await quote(page, "Coder The very first word").click();
  await expect(saying(page, "The very first word")).toBeFocused();
  await expect(saying(page, "The very first word")).toBeInViewport({ ratio: 1 });
  await expect(saying(page, "The very first word")).not.toHaveAttribute("data-flashing");
  expect(await animations()).toEqual([]);

  await page.getByRole("button", { name: "Jump to latest" }).click();
  await expect(newest(page)).toContainText("As I said");
  await expect(newest(page)).toBeInViewport({ ratio: 1 });
});

test("what a notice says goes with whoever signs out", async ({ chatWith }) => {
  const { page } = await chatWith();
  await write(page, "A slip of the tongue");
  await choose(page, newest(page), "Delete");
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("button", { name: "Undo" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to anything" }).fill("sign out");
  await page.keyboard.press("Enter");
  await dialog(page).getByRole("button", { name: /^Sign out/ }).click();
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Undo" })).toHaveCount(0);
});

test("deleting asks, and can be undone for five seconds; then it is gone for both sides", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  const phone = await alice.device();
  await phone.goto(`/c/${id}`);
  await write(page, "A slip of the tongue");
  const message = await coder.nextMessage();
  const isTold = (): boolean => coder.events.some(({ type }) => type === "message_deleted");

  await choose(page, newest(page), "Delete");
  await expect(dialog(page)).toContainText("for you and for Coder");
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  await expect(saying(page, "A slip").getByRole("button", { name: "More about this message" })).toBeFocused();

  await saying(page, "A slip").focus();
  await page.keyboard.press("Delete");
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await expect(notice(page, "Message deleted")).toBeVisible();
  await expect(saying(page, "A slip")).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(saying(page, "A slip")).toBeVisible();
  await expect(notice(page, "Message deleted")).toBeHidden();
  expect(isTold()).toBe(false);

  await choose(page, newest(page), "Delete");
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await expect(newest(page)).toHaveAccessibleName("This message was deleted");
  await expect(saying(phone, "A slip")).toBeVisible();
  await coder.wait("message_deleted", ({ message_id }) => message_id === message.message_id);
  await expect(notice(page, "Message deleted")).toBeHidden();
  for (const each of [page, phone]) await expect(newest(each)).toHaveAccessibleName("This message was deleted");
});

test("whoever closes the page after deleting meant it", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  await coder.send(id, "Not for long");
  await choose(page, saying(page, "Not for long"), "Delete");
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await expect(notice(page, "Message deleted")).toBeVisible();
  await page.close();
  await expect.poll(async () => (await alice.rest.history(id)).messages[0]?.deleted).toBe(true);
});

test("reactions come from the row of the menu, from all emoji and from the agent, and are on every device", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  const phone = await alice.device({ viewport: { width: 390, height: 844 } });
  await phone.goto(`/c/${id}`);
  const { message_id: message } = await coder.send(id, "The boat is in");
  const chip = (of: Page, name: string) => newest(of).getByRole("group", { name: "Reactions" }).getByRole("button", { name });

  await (await openMenu(page, newest(page))).getByRole("menuitemcheckbox", { name: "React with 🎉" }).click();
  for (const each of [page, phone]) await expect(chip(each, "🎉 1: you")).toHaveAttribute("aria-pressed", "true");
  await coder.wait("reaction_added", ({ message_id, emoji }) => message_id === message && emoji === "🎉");
  await coder.react(message, "🎉");
  for (const each of [page, phone]) await expect(chip(each, "🎉 2: you and Coder")).toBeVisible();

  await chip(phone, "🎉 2: you and Coder").click();
  for (const each of [page, phone]) await expect(chip(each, "🎉 1: Coder")).toHaveAttribute("aria-pressed", "false");

  await newest(page).focus();
  await page.keyboard.press("+");
  const search = page.getByRole("searchbox", { name: "Search emoji" });
  await search.fill("sailboat");
  await expect(page.getByRole("gridcell").first()).toContainText("⛵");
  await search.press("Enter");
  for (const each of [page, phone]) await expect(chip(each, "⛵ 1: you")).toBeVisible();
  await expect(newest(page)).toBeFocused();
  await expect((await openMenu(page, newest(page))).getByRole("menuitemcheckbox", { checked: true })).toHaveCount(0);
  await page.keyboard.press("Escape");
  await coder.react(message, "🎉", false);
  for (const each of [page, phone]) await expect(chip(each, "🎉 1: Coder")).toHaveCount(0);
});

test("a thumb of all emoji is one reaction, here and as the server has it, and choosing it again takes it off", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  const { message_id: message } = await coder.send(id, "The boat is in");
  const thumb = page.getByRole("button", { name: /^👍/ });
  const pickThumb = async (): Promise<void> => {
    await newest(page).focus();
    await page.keyboard.press("+");
    const search = page.getByRole("searchbox", { name: "Search emoji" });
    await search.fill("thumb");
    await expect(page.getByRole("gridcell", { selected: true })).toHaveText("👍");
    await search.press("Enter");
  };
  await pickThumb();
  await coder.wait("reaction_added", ({ message_id, emoji }) => message_id === message && emoji === "👍");
  await expect(thumb).toHaveCount(1);
  const stored = (await alice.rest.history(id)).messages.find((each) => each.message_id === message)!;
  expect(stored.reactions!.map((each) => each.emoji)).toEqual(["👍"]);
  await pickThumb();
  await coder.wait("reaction_removed", ({ message_id, emoji }) => message_id === message && emoji === "👍");
  await expect(thumb).toHaveCount(0);
});

test("text and link of a message are copied, and the link leads to the message from a cold start", async ({ person, agents }) => {
  const alice = await person("Alice", { permissions: ["clipboard-read", "clipboard-write"] });
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  await fill(coder, id, 50);
  await said(alice, id, "Remember **this** one");
  await fill(coder, id, 90, 51);
  await readAll(alice, id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}?m=${(await alice.rest.history(id, { after: 50, limit: 1 })).messages[0]!.message_id}`);
  const message = saying(page, "Remember this one");
  await expect(message).toBeInViewport({ ratio: 1 });
  await expect(message).toBeFocused();
  const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

  await choose(page, message, "Copy text");
  await expect(notice(page, "Copied")).toBeVisible();
  expect(await clipboard()).toBe("Remember **this** one");
  await choose(page, message, "Copy link");
  await expect.poll(clipboard).toMatch(/^http.*\/c\/conv_\w+\?m=msg_\w+$/);

  const tab = await alice.tab();
  await tab.goto(await clipboard());
  await expect(saying(tab, "Remember this one")).toBeInViewport({ ratio: 1 });
  await expect(saying(tab, "Remember this one")).toBeFocused();
  await tab.getByRole("button", { name: "Jump to latest" }).click();
  await expect(newest(tab)).toContainText("Word number 140 ");
});

test("a link to a message that is gone says so, and the conversation is there all the same", async ({ chatWith, allow }) => {
  allow(/404/);
  const { coder, page, id } = await chatWith();
  await coder.send(id, "Still here");
  await page.goto(`/c/${id}?m=msg_01a214e2006a7f82af44f91d2a7d0926`);
  await expect(notice(page, /not found/)).toBeVisible();
  await expect(saying(page, "Still here")).toBeVisible();
  await expect(messageMenu(page)).toBeHidden();
  await expect(log(page)).toHaveAttribute("aria-busy", "false");
});
