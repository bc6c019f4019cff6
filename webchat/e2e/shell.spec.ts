/** The list beside every view: what its rows say, in which order, and what can be done with them. */

import { expect, test, type Page } from "./harness.ts";
import { begun, expectOrder, field, list, log, row, write } from "./shell-scene.ts";

const menu = (page: Page) => page.getByRole("menu");
const item = (page: Page, name: string) => menu(page).getByRole("menuitem", { name });
const filter = (page: Page, name: string) => page.getByRole("group", { name: "Which chats are shown" }).getByRole("button", { name });

test("rows stand in the order of what moved last, and say by whom and what in plain text", async ({ person, agents }) => {
  const alice = await person("Alice");
  const [one, two, three] = [await agents.scripted("Anna"), await agents.scripted("Berta"), await agents.scripted("Clara")];
  const page = await alice.signIn();
  await begun(alice, one, "I was **first**, see [here](https://example.org)");
  await begun(alice, two, "# Second");
  await begun(alice, three, "```\nthird\n```");

  await expectOrder(page, ["Clara", "Berta", "Anna"]);
  await expect(row(page, "Anna")).toContainText("I was first, see here");
  await expect(row(page, "Berta")).toContainText(/Second/);
  await expect(row(page, "Berta")).not.toContainText("#");
  await expect(row(page, "Clara")).toContainText("third");
  await expect(row(page, "Anna").getByRole("time")).toBeVisible();
  await expect(row(page, "Anna")).toContainText("1 unread message");

  await row(page, "Anna").click();
  await write(page, "then _me_");
  await expectOrder(page, ["Anna", "Clara", "Berta"]);
  await expect(row(page, "Anna")).toContainText("You: then me");
  await expect(row(page, "Anna")).toHaveAttribute("aria-current", "page");
});

test("a row says that its agent writes, then that it answers, then what came of it; and who is there", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const page = await alice.signIn();
  const id = await begun(alice, coder);
  await expect(row(page, "Coder")).toContainText(", online");

  coder.typing(id);
  await expect(row(page, "Coder")).toContainText("is writing…");
  coder.typing(id, false);
  await expect(row(page, "Coder")).not.toContainText("is writing…");
  const run = await coder.run(id);
  await run.say("The answer");
  await expect(row(page, "Coder")).toContainText("is answering…");
  await run.finish();
  await expect(row(page, "Coder")).toContainText("The answer");
  coder.status("busy", "compiling");
  await expect(row(page, "Coder")).toContainText(", busy");
  await coder.close();
  await expect(row(page, "Coder")).toContainText(", offline");
});

test("what is written and not sent stands in its row, and only there", async ({ person, agents }) => {
  const alice = await person("Alice");
  const [one, two] = [await agents.scripted("Anna"), await agents.scripted("Berta")];
  const page = await alice.signIn();
  await begun(alice, one);
  await begun(alice, two);
  await row(page, "Anna").click();
  await field(page).fill("half a thought");
  await expect(row(page, "Anna")).toContainText("Hello");
  await row(page, "Berta").click();

  await expect(row(page, "Anna")).toContainText("Draft: half a thought");
  await expect(field(page)).toHaveValue("");
  await page.reload();
  await expect(row(page, "Anna")).toContainText("Draft: half a thought");
  await row(page, "Anna").click();
  await expect(field(page)).toHaveValue("half a thought");
});

test("the filters show what is unread, archived or tagged, and say so when that is nothing", async ({ person, agents }) => {
  const alice = await person("Alice");
  const [one, two, three] = [await agents.scripted("Anna"), await agents.scripted("Berta"), await agents.scripted("Clara")];
  const page = await alice.signIn();
  const first = await begun(alice, one);
  const second = await begun(alice, two);
  await begun(alice, three);
  await alice.rest.updateConversation(first, { archived: true });
  await alice.rest.updateConversation(second, { tags: ["travel"] });
  await expectOrder(page, ["Clara", "Berta"]);

  await filter(page, "#travel").click();
  await expectOrder(page, ["Berta"]);
  await filter(page, "Archived").click();
  await expectOrder(page, ["Anna"]);
  await filter(page, "Unread").click();
  await expectOrder(page, ["Clara", "Berta"]);
  await expect(filter(page, "Unread")).toHaveAttribute("aria-pressed", "true");
  await row(page, "Clara").click();
  await expect(row(page, "Clara")).not.toContainText("unread");
  // The one that is open stays under the hand.
  await expectOrder(page, ["Clara", "Berta"]);
  await row(page, "Berta").click();
  await expectOrder(page, ["Berta"]);
  await filter(page, "All").click();
  await expectOrder(page, ["Clara", "Berta"]);
  await expect(row(page, "Berta")).not.toContainText("unread");
  await page.goto("/");
  await filter(page, "Unread").click();
  await expect(page.getByText("Everything has been read.")).toBeVisible();
});

test("the menu of a row opens where the mouse asks, wholly inside the window, and gives back the focus", async ({ person, agents }) => {
  const alice = await person("Alice");
  const names = Array.from({ length: 12 }, (_, at) => `Chat ${String(at).padStart(2, "0")}`);
  const agent = await agents.scripted("Coder");
  const page = await alice.signIn();
  for (const name of names) await alice.rest.createConversation(agent.id, name);
  await page.setViewportSize({ width: 800, height: 500 });
  await expect(row(page, "Chat 11")).toBeVisible();

  const rows = list(page).getByRole("link");
  const box = (await page.getByRole("navigation", { name: "Chats" }).boundingBox())!;
  for (const at of ["first", "last"] as const) {
    const place = at === "first" ? { x: 3, y: 3 } : { x: box.width - 30, y: 40 };
    const target = at === "first" ? rows.first() : rows.nth(4);
    await target.click({ button: "right", position: place });
    await expect(menu(page)).toBeVisible();
    const shown = (await menu(page).boundingBox())!;
    expect(shown.x).toBeGreaterThanOrEqual(0);
    expect(shown.y).toBeGreaterThanOrEqual(0);
    expect(shown.x + shown.width).toBeLessThanOrEqual(800);
    expect(shown.y + shown.height).toBeLessThanOrEqual(500);
    await page.keyboard.press("Escape");
    await expect(menu(page)).toBeHidden();
    await expect(target).toBeFocused();
  }
});

test("the menu of a row is there by the keyboard alone, and does what it says", async ({ person, agents }) => {
  const alice = await person("Alice");
  const [one, two] = [await agents.scripted("Anna"), await agents.scripted("Berta")];
  const page = await alice.signIn();
  await begun(alice, one);
  const second = await begun(alice, two);
  await expectOrder(page, ["Berta", "Anna"]);

  await row(page, "Berta").focus();
  await page.keyboard.press("ArrowDown");
  await expect(row(page, "Anna")).toBeFocused();
  await page.keyboard.press("Shift+F10");
  await expect(item(page, "Pin")).toBeFocused();
  await page.keyboard.press("Enter");
  await expectOrder(page, ["Anna", "Berta"]);
  await expect(row(page, "Anna")).toContainText("Pinned");
  await expect(row(page, "Anna")).toBeFocused();

  await page.keyboard.press("Shift+F10");
  await page.keyboard.press("ArrowDown");
  await expect(item(page, "Mark as read")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(row(page, "Anna")).not.toContainText("unread");

  await page.keyboard.press("ArrowDown");
  await expect(row(page, "Berta")).toBeFocused();
  await page.keyboard.press("Shift+F10");
  await item(page, "Mute for 8 hours").press("Enter");
  await expect(row(page, "Berta")).toContainText("Muted");
  await page.keyboard.press("Shift+F10");
  await item(page, "Unmute").press("Enter");
  await expect(row(page, "Berta")).not.toContainText("Muted");

  await page.keyboard.press("Shift+F10");
  await item(page, "Rename…").press("Enter");
  await expect(page.getByRole("textbox", { name: "Title" })).toBeFocused();
  await page.keyboard.type("Holiday");
  await page.keyboard.press("Enter");
  await expect(row(page, "Holiday")).toBeFocused();
  expect((await alice.rest.conversations()).find((each) => each.conversation_id === second)?.title).toBe("Holiday");
});

test("what is archived by mistake is back by one click; deleting asks first", async ({ person, agents }) => {
  const alice = await person("Alice");
  const agent = await agents.scripted("Coder");
  const page = await alice.signIn();
  const id = await begun(alice, agent);
  await row(page, "Coder").click();
  await expect(log(page)).toContainText("Hello");

  await row(page, "Coder").hover();
  await page.getByRole("button", { name: "More about Coder" }).click();
  await item(page, "Archive").click();
  await expect(row(page, "Coder")).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row(page, "Coder")).toBeVisible();

  await row(page, "Coder").click({ button: "right" });
  await item(page, "Delete…").click();
  const question = page.getByRole("dialog", { name: "Delete “Coder”?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(row(page, "Coder")).toBeFocused();
  await page.keyboard.press("Shift+F10");
  await item(page, "Delete…").press("Enter");
  await question.getByRole("button", { name: "Delete" }).click();
  await expect(row(page, "Coder")).toHaveCount(0);
  await expect(page).toHaveURL(/\/$/);
  expect((await alice.rest.conversations({ archived: "all" })).map((each) => each.conversation_id)).not.toContain(id);
});

test("a new chat: type a few letters of whom, or say what another one is about", async ({ person, agents }) => {
  const alice = await person("Alice");
  await agents.scripted("Anna", { description: "Knows the tides" });
  await agents.scripted("Berta");
  const page = await alice.signIn();
  const opener = page.getByRole("button", { name: "New chat" }).first();
  await opener.click();
  const dialog = page.getByRole("dialog", { name: "New chat" });
  await expect(dialog.getByRole("searchbox", { name: "Search agents" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(opener).toBeFocused();

  await page.keyboard.press("Enter");
  await page.keyboard.type("nobody at all");
  await expect(dialog.getByText("No agent is called “nobody at all”.")).toBeVisible();
  await dialog.getByRole("searchbox").fill("tide");
  await expect(dialog.getByRole("listitem")).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Anna" })).toBeVisible();

  await page.keyboard.press("Alt+n");
  await dialog.getByRole("button", { name: "New chat with Anna" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "New chat" })).toBeVisible();
  await expect(list(page).getByRole("link")).toHaveCount(2);
  await expect(row(page, "New chat")).toContainText(/Anna\s*No messages yet/);
});

test("a new chat is called by its first message, on every device, and keeps the name that somebody gives it", async ({ person, agents }) => {
  const alice = await person("Alice");
  const anna = await agents.scripted("Anna");
  const page = await alice.signIn();
  const desktop = await alice.device();
  await begun(alice, anna);
  await expect(row(page, "Anna")).toBeVisible();
  await page.keyboard.press("Alt+n");
  await page.getByRole("button", { name: "New chat with Anna" }).click();
  const title = page.getByRole("heading", { level: 1 });
  await expect(title).toHaveText("New chat");
  await write(page, "When is **high tide** in the harbour of Cuxhaven on Saturday?");
  await expect(title).toHaveText("When is high tide in the harbour of…");
  await expect(row(desktop, "When is high tide")).toContainText("Anna");
  await alice.rest.updateConversation(new URL(page.url()).pathname.split("/").at(-1)!, { title: "Tides" });
  await expect(title).toHaveText("Tides");
  await write(page, "And on Sunday?");
  await expect(row(page, "Tides")).toContainText("And on Sunday?");
  await expect(title).toHaveText("Tides");
});

test("what goes wrong in a dialog is said over it, where it can be pressed away", async ({ person, agents, allow }) => {
  allow(/ERR_INTERNET_DISCONNECTED|ERR_FAILED|WebSocket/);
  const alice = await person("Alice");
  await agents.scripted("Berta");
  const page = await alice.signIn();
  await page.getByRole("button", { name: "New chat" }).first().click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.locator("[data-agent]")).not.toHaveCount(0);
  await page.route("**/conversations", (route) => route.abort());
  await dialog.locator("[data-agent]").filter({ hasText: "Berta" }).first().click();
  const notice = page.getByRole("status", { name: "Notices" });
  await expect(notice.getByRole("button", { name: "Dismiss" })).toBeVisible();
  await notice.getByRole("button", { name: "Dismiss" }).click();
  await expect(notice.getByRole("button")).toHaveCount(0);
  await expect(dialog).toBeVisible();
});

test("arrows, Home and End walk the list, Enter opens, and of hundreds of rows only some are there", async ({ person, agents }) => {
  const alice = await person("Alice");
  const agent = await agents.scripted("Coder");
  const connection = alice.connect();
  for (let at = 0; at < 60; at += 1) await connection.send("create_conversation", { agent_id: agent.id, title: `Matter ${at}` });
  const page = await alice.signIn();
  await expect(row(page, "Matter 59")).toBeVisible();
  expect(await list(page).getByRole("link").count()).toBeLessThan(40);

  await row(page, "Matter 59").focus();
  await page.keyboard.press("ArrowDown");
  await expect(row(page, "Matter 58")).toBeFocused();
  await page.keyboard.press("End");
  await expect(row(page, /Matter 0\b/)).toBeFocused();
  await expect(row(page, /Matter 0\b/)).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Matter 0" })).toBeVisible();
  await row(page, /Matter 0\b/).focus();
  await page.keyboard.press("Home");
  await expect(row(page, "Matter 59")).toBeFocused();
});

test("places that are not there say so, and lead back", async ({ person, agents }) => {
  const alice = await person("Alice");
  const agent = await agents.scripted("Coder");
  const page = await alice.signIn();
  await begun(alice, agent);
  await expect(row(page, "Coder")).toBeVisible();
  await page.goto("/c/conv_of_somebody_else");
  await expect(page.getByRole("heading", { level: 1, name: "This chat is not here" })).toBeVisible();
  await page.getByRole("link", { name: "To your chats" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Pick up where you left off" })).toBeVisible();
  await page.goto("/c");
  await expect(page.getByRole("heading", { level: 1, name: "Nothing here" })).toBeVisible();
});
