/** What one writes about a message: an answer that quotes it, or what it shall say instead. */

import { articles, field, log, newest, test, write } from "./answers-scene.ts";
import { expect, type Locator, type Page } from "./harness.ts";
import { faultsOf } from "./looking.ts";

const composer = (page: Page): Locator => page.getByRole("region", { name: "Write a message" });

async function chooseOf(page: Page, message: Locator, command: string): Promise<void> {
  await message.click({ button: "right" });
  await page.getByRole("menuitem", { name: command }).click();
}

test("Up in the empty field edits the last own message; it says edited, and shows what it said before", async ({ chatWith }) => {
  const { coder, page } = await chatWith();
  await write(page, "first line\nsecnd line");
  await write(page, "the last one");
  await coder.nextMessage();
  await coder.send(await coder.nextMessage(), "I heard you");
  await expect(newest(page)).toContainText("I heard you");

  await field(page).press("ArrowUp");
  await expect(composer(page)).toContainText("Editing your message");
  await expect(field(page)).toHaveValue("the last one");
  await page.keyboard.press("Escape");
  await expect(composer(page)).not.toContainText("Editing");
  await expect(field(page)).toHaveValue("");
  await expect(field(page)).toBeFocused();

  await chooseOf(page, articles(page).first(), "Edit");
  await expect(field(page)).toBeFocused();
  await expect(field(page)).toHaveValue("first line\nsecnd line");
  expect(await faultsOf(page, "composer-editing")).toEqual([]);
  await field(page).fill("first line\nsecond line");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(articles(page).first()).toContainText("second line");
  const edited = await coder.wait("message_edited");
  expect(edited.content).toBe("first line\nsecond line");

  await articles(page).first().getByRole("button", { name: /^Edited/ }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("secnd line");
  await expect(dialog).toContainText("second line");
});

test("a draft is not lost to an edit, and Up in a field with text edits nothing", async ({ chatWith }) => {
  const { page } = await chatWith();
  await write(page, "said");
  await expect(newest(page).getByLabel("Sent", { exact: true }).or(newest(page).getByLabel("Delivered"))).toBeVisible();
  await field(page).fill("a draft");
  await field(page).press("ArrowUp");
  await expect(composer(page)).not.toContainText("Editing");
  await chooseOf(page, newest(page), "Edit");
  await expect(field(page)).toHaveValue("said");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(field(page)).toHaveValue("a draft");
});

test("an answer shows what it answers over the field and in the bubble, which leads there and flashes it", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(id, "What is your **favourite** colour?");
  for (let at = 0; at < 12; at++) await coder.send(id, `no ${at}: ${"and so on ".repeat(30)}`);
  await expect(newest(page)).toContainText("no 11");
  const asked = log(page).getByRole("article", { name: /^Coder/ }).filter({ hasText: "favourite" });
  await log(page).press("Home");
  await expect(asked).toBeInViewport();
  await asked.focus();
  await page.keyboard.press("r");
  await expect(composer(page)).toContainText("Replying to Coder");
  await expect(composer(page)).toContainText("favourite");
  await expect(field(page)).toBeFocused();
  expect(await faultsOf(page, "composer-reply")).toEqual([]);
  await write(page, "Green");
  const answer = await coder.nextMessage();
  expect(answer.content).toBe("Green");
  expect(answer.reply_to).toBeTruthy();
  await expect(composer(page)).not.toContainText("Replying");

  const quote = newest(page).getByRole("button", { name: /Coder.*favourite/ });
  await expect(quote).toBeVisible();
  await expect(asked).not.toBeInViewport();
  await quote.click();
  await expect(asked).toBeInViewport();
  await expect(asked).toHaveAttribute("data-flashing");
  await expect(asked).not.toHaveAttribute("data-flashing");
});

test("under reduced motion what was jumped to is marked, but nothing moves", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ reducedMotion: "reduce" });
  await coder.send(id, "The first");
  await expect(newest(page)).toContainText("The first");
  await chooseOf(page, newest(page), "Reply");
  await write(page, "Yes");
  await newest(page).getByRole("button", { name: /The first/ }).click();
  await expect(articles(page).first()).toHaveAttribute("data-flashing");
  // Transitions are so short then that nobody sees them.
  const longest = await articles(page).first().evaluate((each) =>
    Math.max(0, ...each.getAnimations({ subtree: true }).map((one) => Number(one.effect?.getComputedTiming().duration))),
  );
  expect(longest).toBeLessThan(1);
});

test("Esc gives up an answer, what was written stays", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(id, "Well?");
  await expect(newest(page)).toContainText("Well?");
  await chooseOf(page, newest(page), "Reply");
  await page.keyboard.type("half an answer");
  await page.keyboard.press("Escape");
  await expect(composer(page)).not.toContainText("Replying");
  await expect(field(page)).toHaveValue("half an answer");
  await page.keyboard.press("Enter");
  expect((await coder.nextMessage()).reply_to ?? null).toBeNull();
});

test("what is answered is shown over the field as it is by now, and its words go with it when it is deleted", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  const asked = await coder.send(id, "The first words");
  await expect(newest(page)).toContainText("The first words");
  await chooseOf(page, newest(page), "Reply");
  await coder.edit(asked.message_id, "The second words");
  await expect(composer(page)).toContainText("The second words");
  await coder.remove(asked.message_id);
  await expect(composer(page)).toContainText("This message was deleted");
  // Nor does anything say them to a screen reader.
  await expect(page.getByRole("main")).not.toContainText("words");
  expect(await faultsOf(page, "composer-reply-deleted")).toEqual([]);
  await write(page, "mine");
  const answer = await coder.nextMessage();
  expect(answer.reply_to).toBe(asked.message_id);

  // Its own message is edited here, and deleted on another device.
  await field(page).press("ArrowUp");
  await field(page).fill("mine, and more");
  await alice.connect().send("delete", { message_id: answer.message_id });
  await expect(composer(page)).toContainText("This message was deleted");
  await expect(field(page)).toHaveValue("mine, and more");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status", { name: "Notices" })).toContainText("it has been deleted meanwhile");
  await expect(composer(page)).not.toContainText("Editing");
  await expect(field(page)).toHaveValue("mine, and more");
});
