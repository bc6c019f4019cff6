/** A conversation on paper, and in the colours of a system with high contrast. */

import { readAll } from "./conversation-scene.ts";
import { expect, test } from "./harness.ts";

test("printed are all messages that are here, without the list of chats, the field and buttons; whatever the scheme, on white", async ({ person, agents }) => {
  const alice = await person("Alice", { colorScheme: "dark" });
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  for (let at = 1; at <= 40; at += 1) await coder.send(id, `Message ${at}. ${"Something that takes a line or two of the paper. ".repeat(4)}`);
  // Otherwise it opens at the first unread one.
  await readAll(alice, id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  const log = page.getByRole("log");
  await expect(log.getByText("Message 40.")).toBeInViewport();
  await expect.poll(() => log.getByRole("article").count()).toBeLessThan(30);
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  await expect(log.getByRole("article")).toHaveCount(40);
  await expect(page.getByRole("navigation")).toBeHidden();
  await expect(page.getByRole("textbox")).toBeHidden();
  await expect(page.getByRole("heading", { level: 1, name: "Coder" })).toBeVisible();
  // Each below the one before, and the page as long as all of them.
  const tops = await log.getByRole("article").evaluateAll((all) => all.map((each) => each.getBoundingClientRect().top));
  expect(tops).toEqual(tops.toSorted((one, other) => one - other));
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeGreaterThan(tops.at(-1)! - tops[0]!);
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)");
  await expect(page.getByText("All of it is under Options, Export.")).toBeHidden();
  await page.emulateMedia({ media: "screen" });
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await expect.poll(() => log.getByRole("article").count()).toBeLessThan(30);
  await expect(log.getByText("Message 40.")).toBeInViewport();
  // As the browser does it.
  await page.emulateMedia({ media: null });
  const pages = (await page.pdf()).toString("latin1").match(/\/Type \/Page\b/g);
  expect(pages!.length).toBeGreaterThan(2);
});

test("with forced colours the open chat, a filter that is on, who is there and the focused field are told apart", async ({ person, agents }) => {
  const alice = await person("Alice", { forcedColors: "active" });
  const [coder, other] = [await agents.scripted("Coder"), await agents.scripted("Other")];
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  await alice.rest.createConversation(other.id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  const background = (name: "open" | "other") =>
    page.locator(name === "open" ? "nav a[aria-current=page]" : "nav li a:not([aria-current])").first().evaluate((row) => getComputedStyle(row).backgroundColor);
  expect(await background("open")).not.toBe(await background("other"));
  const chip = page.getByRole("button", { name: "Unread", exact: true });
  const off = await chip.evaluate((each) => getComputedStyle(each).backgroundColor);
  await chip.click();
  expect(await chip.evaluate((each) => getComputedStyle(each).backgroundColor)).not.toBe(off);
  const dot = page.locator("header [data-status=online]").first();
  const [inside, edge] = await dot.evaluate((each) => [getComputedStyle(each).backgroundColor, getComputedStyle(each).borderColor]);
  expect(inside).toBe(edge);
  await page.getByRole("textbox", { name: "Message Coder" }).focus();
  await expect(page.getByRole("textbox", { name: "Message Coder" })).toHaveCSS("outline-style", "solid");
});
