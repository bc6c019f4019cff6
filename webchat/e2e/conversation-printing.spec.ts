/** A conversation on paper. */

import { expect, test } from "./harness.ts";

test("printed are all messages that are here, without the list of chats, the field and buttons; whatever the scheme, on white", async ({ person, agents }) => {
  const alice = await person("Alice", { colorScheme: "dark" });
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  const log = page.getByRole("log");
  for (let at = 1; at <= 40; at += 1) await coder.send(id, `Message ${at}. ${"Something that takes a line or two of the paper. ".repeat(4)}`);
  await expect(log.getByText("Message 40.")).toBeVisible();
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
