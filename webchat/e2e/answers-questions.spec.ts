/** What agents ask: answered by mouse or keyboard, on every device the same. */

import type { OpenQuestion } from "@amtrio/client";
import { axe, expect, screenshots, type Page } from "./harness.ts";
import { field, newest, sidewaysOverflow, test } from "./answers-scene.ts";

const YES_OR_NO: OpenQuestion = {
  options: [
    { id: "yes", label: "Delete it", style: "danger", description: "It cannot be undone" },
    { id: "no", label: "Keep it", style: "primary" },
  ],
};

const choice = (page: Page, name: string) => newest(page).getByRole("button", { name });

test("a question is answered by one click: the agent hears it, and another device shows it within a second", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  const phone = await alice.device({ viewport: { width: 390, height: 844 } });
  await phone.goto(`/c/${id}`);
  const asked = await coder.ask(id, "Delete the branch `old`?", YES_OR_NO);
  for (const each of [page, phone]) await expect(choice(each, "Delete it")).toBeVisible();
  await expect(choice(page, "Delete it")).toHaveAccessibleDescription("It cannot be undone");
  await choice(page, "Delete it").click();
  await expect(newest(phone)).toContainText("Answered by you", { timeout: 1000 });
  for (const each of [page, phone]) {
    await expect(newest(each)).toContainText("Answered by you");
    await expect(newest(each).getByRole("listitem")).toHaveText(["Delete it, chosen", "Keep it"]);
    await expect(choice(each, "Delete it")).toHaveCount(0);
  }
  const { question } = await coder.answerTo(asked);
  expect(question.answer).toMatchObject({ option_ids: ["yes"], answered_by: alice.userId });
});

test("a question is answered by the keyboard alone, and the focus stays at it", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const asked = await coder.ask(id, "Delete the branch `old`?", YES_OR_NO);
  await newest(page).focus();
  const keep = choice(page, "Keep it");
  for (let at = 0; at < 6 && !(await keep.evaluate((each) => each === document.activeElement)); at += 1) await page.keyboard.press("Tab");
  await expect(keep).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(newest(page)).toContainText("Answered by you");
  const { question } = await coder.answerTo(asked);
  expect(question.answer?.option_ids).toEqual(["no"]);
  expect(await newest(page).evaluate((article) => article.contains(document.activeElement))).toBe(true);
});

test("several may be chosen, with words of one's own", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const options = ["Husum", "Tönning", "Büsum"].map((label, at) => ({ id: `o${at}`, label }));
  const asked = await coder.ask(id, "Where to?", { options, multiple: true, free_text: true });
  const send = newest(page).getByRole("button", { name: "Send" });
  await expect(send).toBeDisabled();
  await newest(page).getByRole("checkbox", { name: "Husum" }).check();
  await newest(page).getByRole("checkbox", { name: "Büsum" }).focus();
  await page.keyboard.press("Space");
  await newest(page).getByRole("textbox", { name: "Something to add" }).fill("But not on a Sunday");
  await send.click();
  await expect(newest(page)).toContainText("But not on a Sunday");
  await expect(newest(page)).toContainText("Answered by you");
  const { question } = await coder.answerTo(asked);
  expect(question.answer).toMatchObject({ option_ids: ["o0", "o2"], text: "But not on a Sunday" });
});

test("an answer in words alone is sent by Enter, and Shift+Enter breaks its line", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const asked = await coder.ask(id, "What is the ship called?", { options: [{ id: "none", label: "It has no name" }], free_text: true });
  const words = newest(page).getByRole("textbox", { name: "In your own words" });
  await words.pressSequentially("Anna");
  await words.press("Shift+Enter");
  await words.pressSequentially("of Husum");
  await words.press("Enter");
  await expect(newest(page)).toContainText("Answered by you");
  expect((await coder.answerTo(asked)).question.answer?.text).toBe("Anna\nof Husum");
});

test("while an answer runs, what is written below answers its question, unless one says otherwise", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  await run.say("Working");
  const options = [{ id: "none", label: "It has no name" }];
  const first = await coder.ask(id, "What is the ship called?", { options, free_text: true });
  const below = page.getByRole("textbox", { name: "Answer Coder’s question" });
  await below.fill("Anna");
  await below.press("Enter");
  expect((await coder.answerTo(first)).question.answer).toMatchObject({ option_ids: [], text: "Anna" });
  await expect(field(page)).toHaveValue("");

  const second = await coder.ask(id, "And the harbour?", { options, free_text: true });
  await page.getByRole("button", { name: "Write a message" }).click();
  await expect(field(page)).toBeFocused();
  await field(page).fill("in French");
  await field(page).press("Enter");
  expect(await run.control()).toMatchObject({ action: "steer", text: "in French" });
  await page.getByRole("button", { name: "Answer it" }).click();
  await below.fill("Husum");
  expect(await axe(page)).toEqual([]);
  await below.press("Enter");
  expect((await coder.answerTo(second)).question.answer?.text).toBe("Husum");
  await run.finish();
});

test("two devices answer at the same time: one answer counts, and both show that one", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  const phone = await alice.device();
  await phone.goto(`/c/${id}`);
  const asked = await coder.ask(id, "Delete the branch `old`?", YES_OR_NO);
  for (const each of [page, phone]) await expect(choice(each, "Delete it")).toBeVisible();
  // Not as Playwright clicks: whoever is slower may find the button gone while it still waits for it to stand still.
  const buttons = [await choice(page, "Delete it").elementHandle(), await choice(phone, "Keep it").elementHandle()];
  await Promise.all(buttons.map((button) => button!.evaluate((each) => (each as HTMLElement).click())));
  const { question } = await coder.answerTo(asked);
  const chosen = question.answer!.option_ids[0] === "yes" ? "Delete it, chosen" : "Keep it, chosen";
  for (const each of [page, phone]) {
    await expect(newest(each).getByRole("listitem").filter({ hasText: "chosen" })).toHaveText(chosen);
    // Whoever was slower sees what counts; that is no mistake of theirs.
    await expect(each.getByRole("status", { name: "Notices" })).toBeEmpty();
  }
});

test("a question that has expired, and one that the agent has closed, take no answer and say so", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.ask(id, "Quick, left or right?", { ...YES_OR_NO, expires_in_s: 1 });
  await expect(newest(page)).toContainText("Expired without an answer");
  await expect(newest(page).getByRole("button", { name: /it$/ })).toHaveCount(0);
  const asked = await coder.ask(id, "Still needed?", { ...YES_OR_NO, expires_in_s: 3600 });
  await expect(newest(page)).toContainText(/Expires in (59|60) min/);
  await coder.connection.send("question_close", { message_id: asked.message_id });
  await expect(newest(page)).toContainText("No answer is needed any more");
  await expect(newest(page).getByRole("button", { name: /it$/ })).toHaveCount(0);
});

test("questions are good to look at and to hear, open and answered, in light and dark, wide and on a phone, in German", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ locale: "de-DE" });
  await coder.ask(id, "Soll der Zweig `alt` gelöscht werden?", {
    options: [
      { id: "yes", label: "Löschen", style: "danger", description: "Das lässt sich nicht rückgängig machen" },
      { id: "no", label: "Behalten und in einem halben Jahr noch einmal danach fragen", style: "primary" },
      { id: "later", label: "Später" },
    ],
    free_text: true,
    expires_in_s: 3600,
  });
  await choice(page, "Später").click();
  await expect(newest(page)).toContainText("Beantwortet von dir");
  const several = { options: ["Husum", "Tönning"].map((label, at) => ({ id: `o${at}`, label, description: "mit Liegeplätzen für Gäste" })), multiple: true };
  await coder.ask(id, "Wohin?", { ...several, free_text: true, expires_in_s: 3600 });
  await coder.ask(id, "Welchen Weg?", { ...YES_OR_NO, expires_in_s: 3600 });
  await expect(choice(page, "Keep it")).toBeVisible();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await axe(page)).toEqual([]);
  }
  await screenshots(page, "answers-questions");
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await sidewaysOverflow(page)).toBe(0);
  expect(await axe(page)).toEqual([]);
});

test("a question of the answer that is being made is one's turn: the list and the head of the chat say so until it is answered", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  await run.say("Let me see.");
  const chats = page.getByRole("list", { name: "Chats" });
  await expect(chats).toContainText("is answering…");
  const asked = await coder.ask(id, "Delete the branch `old`?", YES_OR_NO);
  await expect(chats).toContainText("asks you something");
  await expect(page.locator("header").filter({ has: page.getByRole("heading", { level: 1 }) })).toContainText("asks you something");
  await page.getByRole("button", { name: "Keep it" }).click();
  await coder.answerTo(asked);
  await expect(chats).toContainText("is answering…");
  await expect(page.getByText("asks you something")).toHaveCount(0);
  await run.finish();
});
