/** How a conversation looks: nothing is cut off on small screens, axe finds nothing, and German fits as well. */

import { axe, expect, screenshots, type Page, type Person, type ScriptedAgent, type Server } from "./harness.ts";
import {
  articles,
  backdate,
  choose,
  DAY,
  dialog,
  field,
  fill,
  log,
  newest,
  openMenu,
  readAll,
  said,
  saying,
  sidewaysOverflow,
  test,
} from "./conversation-scene.ts";

const LONG_NAME = "The Harbour Master of Sankt Peter-Ording and all of its Sandbanks";
const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
] as const;

/** One of everything that can stand in a list. */
async function furnish(server: Server, alice: Person, agent: ScriptedAgent, id: string): Promise<void> {
  const first = await said(alice, id, "When is high water?");
  const { message_id: noon } = await agent.send(id, "At **noon**, give or take.", { reply_to: first.message_id });
  await agent.edit(noon, "At **ten past noon**.");
  backdate(server, first.message_id, DAY);
  const { message_id: regret } = await agent.send(id, "Or not.");
  await agent.remove(regret);
  const connection = alice.connect();
  const { attachment_id } = await alice.rest.upload(new File(["high, low"], "a table of the tides of the whole year.csv", { type: "text/csv" }));
  await connection.send("message", { conversation_id: id, content: "Is that so? I have this table:", reply_to: noon, attachment_ids: [attachment_id] });
  await connection.send("react", { message_id: noon, emoji: "🎉", on: true });
  await connection.close();
  await agent.react(noon, "🎉");
  await agent.react(noon, "⛵");
  await readAll(alice, id);
  const run = await agent.run(id);
  await run.say("## Tides\n\n| Port | High water | Low water |\n| --- | --- | --- |\n| Husum | 12:10 | 18:20 |\n\n```\nhigh = 12.10\n```\n\nThat is all.");
  await run.finish();
  await agent.send(id, "Anything else?");
}

async function everySize(page: Page, look: (what: string) => Promise<void>): Promise<void> {
  for (const viewport of SIZES) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // What fades has less contrast for a moment, such as the day above the list.
      await expect.poll(() => page.evaluate(() => document.getAnimations().length)).toBe(0);
      await look(`${viewport.width} ${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: null });
}

test("axe finds nothing in a conversation with everything in it, wide and on a phone, light and dark", async ({ person, agents, server }) => {
  const alice = await person("Alice");
  const agent = await agents.scripted("Harbour Master", { name: LONG_NAME });
  const { conversation_id: id } = await alice.rest.createConversation(agent.id);
  await furnish(server, alice, agent, id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await expect(newest(page)).toContainText("Anything else?");
  await everySize(page, async (what) => {
    expect.soft(await axe(page), what).toEqual([]);
    expect.soft(await sidewaysOverflow(page), what).toBe(0);
  });
  await page.mouse.move(0, 0);
  await screenshots(page, "conversation-all");
  await openMenu(page, saying(page, "ten past noon").first());
  await screenshots(page, "conversation-menu");
  await page.keyboard.press("Escape");
  await choose(page, saying(page, "Is that so?"), "Reply");
  await screenshots(page, "conversation-reply");
});

test("axe finds nothing in an empty conversation, nor where there is none", async ({ chatWith, allow }) => {
  allow(/404/);
  const { page } = await chatWith({ card: { name: "Coder" } });
  await expect(log(page)).toContainText("This is the beginning of your chat with Coder.");
  await everySize(page, async (what) => expect.soft(await axe(page), what).toEqual([]));
  await screenshots(page, "conversation-empty");
  await page.goto("/c/conv_01a214e2006a7f82af44f91d2a7d0926");
  await expect(page.getByText(/does not exist|not found|is not here/i).first()).toBeVisible();
  await everySize(page, async (what) => expect.soft(await axe(page), what).toEqual([]));
  await screenshots(page, "conversation-gone");
});

test("axe finds nothing in the dialogs, and they fit on a phone", async ({ person, agents }) => {
  const alice = await person("Alice", { viewport: { width: 390, height: 844 } });
  const agent = await agents.scripted("Coder", { name: LONG_NAME, description: "Knows the tides. ".repeat(12), model: "tidal-7b" });
  const { conversation_id: id } = await alice.rest.createConversation(agent.id);
  const { message_id: text } = await agent.send(id, "At noon.");
  await agent.edit(text, "At ten past noon.");
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await expect(newest(page)).toContainText("ten past");
  const look = async (name: string): Promise<void> => {
    await expect(dialog(page)).toBeVisible();
    // Nothing is on its way; notices have their place in every dialog.
    await expect(dialog(page).getByRole("status").and(page.locator(":not([aria-label])"))).toHaveCount(0);
    expect.soft(await axe(page), name).toEqual([]);
    expect.soft(await sidewaysOverflow(page), name).toBe(0);
    const box = (await dialog(page).boundingBox())!;
    expect.soft(box.x >= 0 && box.x + box.width <= 390, name).toBe(true);
    await screenshots(page, `conversation-${name}`);
    await page.keyboard.press("Escape");
    await expect(dialog(page)).toHaveCount(0);
  };
  for (const [item, name] of [
    [/^About/, "about"],
    ["Files …", "files"],
    [/^New chat/, "another"],
    ["Rename …", "rename"],
    ["Mute …", "mute"],
    ["Tags …", "tags"],
    ["Export …", "export"],
    ["Delete chat …", "delete"],
  ] as const) {
    await page.getByRole("button", { name: "Options of this chat" }).click();
    await page.getByRole("menuitem", { name: item }).click();
    await look(name);
  }
  await newest(page).getByRole("button", { name: /^Edited/ }).click();
  await look("edits");
  await choose(page, newest(page), "Details");
  await look("details");
  await choose(page, newest(page), "Delete");
  await look("remove");
});

for (const width of [320, 360]) {
  test(`at ${width} px everything is there and nothing lies beside the screen`, async ({ person, agents, server }) => {
    const alice = await person("Alice", { viewport: { width, height: 640 }, hasTouch: true, isMobile: true });
    const agent = await agents.scripted("Harbour Master", { name: LONG_NAME });
    const { conversation_id: id } = await alice.rest.createConversation(agent.id);
    await furnish(server, alice, agent, id);
    const page = await alice.signIn();
    await page.goto(`/c/${id}`);
    await expect(newest(page)).toContainText("Anything else?");
    expect(await sidewaysOverflow(page)).toBe(0);
    for (const each of await articles(page).all()) {
      const box = (await each.boundingBox())!;
      expect(box.x + box.width).toBeLessThanOrEqual(width);
    }
    for (const name of ["Back to all chats", "Options of this chat"]) {
      const control = page.getByRole("link", { name }).or(page.getByRole("button", { name }));
      await expect(control).toBeInViewport({ ratio: 1 });
      const box = (await control.boundingBox())!;
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(43.9);
    }
    await expect(field(page)).toBeInViewport({ ratio: 1 });
    // Or phones would zoom in.
    expect(await field(page).evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize))).toBeGreaterThanOrEqual(16);
    await page.screenshot({ path: `test-results/screens/conversation-${width}.png` });
    await page.getByRole("link", { name: "Back to all chats" }).tap();
    await expect(page.getByRole("navigation").getByRole("link", { name: /Harbour Master/ })).toBeVisible();
    await expect(log(page)).toBeHidden();
  });
}

test("in German nothing of it is cut off, and the menus fit", async ({ person, agents }) => {
  const alice = await person("Alice", { locale: "de-DE", viewport: { width: 390, height: 844 } });
  const agent = await agents.scripted("Lotse");
  const { conversation_id: id } = await alice.rest.createConversation(agent.id);
  await fill(agent, id, 3);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await expect(log(page).getByRole("separator", { name: "Neue Nachrichten" })).toHaveCount(1);
  await expect(log(page).getByRole("separator", { name: "Heute" })).toHaveCount(1);
  await page.getByRole("button", { name: "Optionen dieses Chats" }).click();
  const menu = page.getByRole("menu", { name: "Optionen dieses Chats" });
  await expect(menu.getByRole("menuitem", { name: "Neuer Chat mit Lotse …" })).toBeVisible();
  const lines = await menu.getByRole("menuitem").evaluateAll((all) => all.filter((each) => each.clientHeight > 50).length);
  expect(lines).toBe(0);
  await screenshots(page, "conversation-german-menu");
  await menu.getByRole("menuitem", { name: "Verschlüsselung …" }).click();
  await expect(dialog(page)).toBeVisible();
  expect(await axe(page)).toEqual([]);
  await screenshots(page, "conversation-german-encryption");
});

test("with reduced motion nothing in the list moves by itself", async ({ person, agents }) => {
  const alice = await person("Alice", { reducedMotion: "reduce" });
  const agent = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(agent.id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await expect(page.getByText("online", { exact: true })).toBeVisible();
  agent.typing(id);
  await expect(log(page).getByRole("img", { name: "Coder is writing" })).toBeVisible();
  await expect.poll(() => page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === "running").length)).toBe(0);
});
