/** Looking for what was said: on this device at once, on the server after; and the way to the place. */

import { axe, expect, screenshots, test, type Page } from "./harness.ts";
import { begun, expectNoOverflow, log, row } from "./shell-scene.ts";

const box = (page: Page) => page.getByRole("searchbox", { name: "Search" });
const hits = (page: Page) => page.getByRole("list", { name: "Messages that were found" }).getByRole("link");
const summary = (page: Page) => page.getByRole("main").getByRole("status").first();

/** What the browser paints over the messages. */
const marked = (page: Page): Promise<string[]> =>
  page.evaluate(() => [...(CSS.highlights.get("found") ?? [])].map((range) => range.toString()));

/** So many messages that the place is not in what is loaded first. */
const MANY = 80;

test("a hit opens the place in the past with the word marked, and Back leads to the same hits", async ({ person, agents }) => {
  const alice = await person("Alice");
  const agent = await agents.scripted("Coder");
  const page = await alice.signIn();
  const id = await begun(alice, agent, "The **lighthouse** keeper came first");
  for (let at = 0; at < MANY; at += 1) await agent.send(id, `Wave ${at}`);
  await expect(row(page, "Coder")).toContainText(`Wave ${MANY - 1}`);

  await page.keyboard.press("/");
  await expect(box(page)).toBeFocused();
  await page.keyboard.type("lighthouse kee");
  await expect(hits(page)).toHaveCount(1);
  await expect(hits(page).locator("mark")).toHaveText(["lighthouse", "keeper"]);
  await expect(summary(page)).toHaveText("1 message");
  await page.keyboard.press("ArrowDown");
  await expect(hits(page)).toBeFocused();
  await page.keyboard.press("Enter");

  const message = log(page).getByRole("article").filter({ hasText: "came first" });
  await expect(message).toBeInViewport();
  await expect(message).toBeFocused();
  await expect.poll(() => marked(page)).toEqual(["lighthouse", "kee"]);
  await page.goBack();
  await expect(box(page)).toHaveValue("lighthouse kee");
  await expect(hits(page)).toHaveCount(1);
  expect(await marked(page)).toEqual([]);
});

test("all chats are looked through, newest first, and phrases stand as they are", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  const [one, two] = [await agents.scripted("Anna"), await agents.scripted("Berta")];
  await begun(alice, one, "High tide at noon");
  await begun(alice, two, "The tide is high");
  await begun(alice, two, "Nothing of that");
  await page.goto("/find");

  await box(page).fill("TIDE high");
  await expect(hits(page)).toHaveCount(2);
  await expect(hits(page).first()).toContainText("Berta");
  await expect(hits(page).last()).toContainText("Anna");
  await box(page).fill("“high tide”");
  await expect(hits(page)).toHaveCount(1);
  await expect(hits(page)).toContainText("Anna");
  await box(page).fill("unicorn");
  await expect(summary(page)).toHaveText("Nothing was found.");
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(box(page)).toBeFocused();
  await expect(page.getByRole("heading", { name: "Find anything that was said" })).toBeVisible();
});

test("filters by agent, chat, tag, day and files hold, stand in the address, and can all be taken away", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  const [one, two] = [await agents.scripted("Anna"), await agents.scripted("Berta")];
  const first = await begun(alice, one, "tide with Anna");
  const titled = await begun(alice, one, "tide about harbours", "Harbours");
  await begun(alice, two, "tide with Berta");
  await alice.rest.updateConversation(titled, { tags: ["work"] });
  const file = await alice.rest.upload(new File(["tides"], "tides.txt"), { conversationId: first });
  await alice.connect().send("message", { conversation_id: first, content: "tide table", attachment_ids: [file.attachment_id] });
  await page.goto("/find?q=tide");
  await expect(hits(page)).toHaveCount(4);

  await page.getByRole("button", { name: "Filters" }).click();
  await page.getByRole("combobox", { name: "Agent" }).selectOption("Anna");
  await expect(hits(page)).toHaveCount(3);
  await page.getByRole("combobox", { name: "Tag" }).selectOption("#work");
  await expect(hits(page)).toHaveText([/tide about harbours/]);
  await expect(page).toHaveURL(/[?&]t=work/);
  await page.reload();
  await expect(page.getByRole("button", { name: "Filters (on)" })).toBeVisible();
  await expect(hits(page)).toHaveText([/tide about harbours/]);
  await page.getByRole("button", { name: "Without filters" }).click();
  await expect(hits(page)).toHaveCount(4);
  await page.getByRole("combobox", { name: "Chat" }).selectOption("Harbours");
  await expect(hits(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Without filters" }).click();
  await page.getByRole("checkbox", { name: "Only with files" }).check();
  await expect(hits(page)).toHaveText([/tide table/]);
  await page.getByRole("checkbox", { name: "Only with files" }).uncheck();
  await page.getByLabel("Until").fill("2020-01-01");
  await expect(summary(page)).toHaveText("Nothing was found with these filters.");
  await page.getByLabel("Until").fill("");
  await page.getByLabel("From").fill("2020-01-01");
  await expect(hits(page)).toHaveCount(4);

  expect(await axe(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await axe(page)).toEqual([]);
  await page.setViewportSize({ width: 320, height: 640 });
  await expectNoOverflow(page);
  await screenshots(page, "finding");
});

test("without a connection this device alone answers, and says so", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  await begun(alice, await agents.scripted("Anna"), "High tide at noon");
  await row(page, "Anna").click();
  await expect(log(page)).toContainText("High tide");
  await page.keyboard.press("ControlOrMeta+Shift+f");
  await alice.context.setOffline(true);
  await expect(page.getByRole("region", { name: "Connection" })).toBeVisible();

  await box(page).fill("tide");
  await expect(hits(page)).toHaveCount(1);
  await expect(page.getByText("Without a connection only what is stored on this device is found.")).toBeVisible();
  await alice.context.setOffline(false);
  await expect(page.getByText("Without a connection only")).toBeHidden();
  await expect(hits(page)).toHaveCount(1);
});

test("a server that does not answer is named, and can be asked again", async ({ person, agents, allow }) => {
  allow(/503/);
  const alice = await person("Alice");
  const page = await alice.signIn();
  await begun(alice, await agents.scripted("Anna"), "High tide at noon");
  await expect(row(page, "Anna")).toBeVisible();
  await page.route("**/search?*", (route) => route.fulfill({ status: 503, json: { error: "too busy" } }), { times: 1 });
  await page.goto("/find?q=tide");
  await expect(page.getByRole("alert")).toContainText("The server could not be asked");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("alert")).toBeHidden();
  await expect(hits(page)).toHaveCount(1);
});

test("of ten thousand messages on this device those that fit are there within a tenth of a second", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  const id = await begun(alice, await agents.scripted("Anna"), "High tide at noon");
  await page.goto(`/c/${id}`);
  await expect(log(page)).toContainText("High tide");
  await page.evaluate(storeMany, id);
  await page.goto("/find");
  await expect(box(page)).toBeFocused();
  await alice.context.setOffline(true);
  await box(page).fill("tide");
  await expect(hits(page)).toHaveCount(1);

  const times: number[] = [];
  for (const word of ["needle7", "needle77", "needle777"]) times.push(await page.evaluate(timeToHit, word));
  expect(Math.min(...times)).toBeLessThan(100);
});

/** Ten thousand more messages like the one that is stored. Runs in the page. */
async function storeMany(conversationId: string): Promise<void> {
  const name = (await indexedDB.databases()).map((each) => each.name!).find((each) => each.startsWith("amtrio"));
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(name!);
    opening.addEventListener("success", () => resolve(opening.result));
    opening.addEventListener("error", () => reject(opening.error!));
  });
  const change = database.transaction("messages", "readwrite");
  const messages = change.objectStore("messages");
  const [like] = await new Promise<Record<string, unknown>[]>((resolve) => {
    const all = messages.getAll();
    all.addEventListener("success", () => resolve(all.result));
  });
  for (let at = 0; at < 10_000; at += 1) {
    const content = `A longer sentence about nothing in particular, with needle${at} somewhere in it`;
    messages.put({ ...like, conversation_id: conversationId, message_id: `msg_more_${at}`, conversation_seq: 100 + at, content });
  }
  await new Promise((resolve) => change.addEventListener("complete", resolve));
  database.close();
}

/** Milliseconds from a word in the field to what was found of it. Runs in the page. */
async function timeToHit(word: string): Promise<number> {
  const input = document.querySelector<HTMLInputElement>("input[type=search]")!;
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")!.set!;
  const start = performance.now();
  const shown = new Promise<number>((resolve) => {
    const look = (): void => {
      const marks = [...document.querySelectorAll("main ol mark")];
      if (marks.length > 0 && marks.every((mark) => mark.textContent === word)) resolve(performance.now() - start);
      else requestAnimationFrame(look);
    };
    look();
  });
  set.call(input, word);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  return shown;
}
