/** An answer while it is being written: shown at once, without flicker, and at the end of the list as long as one reads there. */

import { expect, gapToEnd, type Page } from "./harness.ts";
import { articles, log, newest, stopButton, test, write } from "./answers-scene.ts";
import { watched, watchFrames, watchSpeech } from "./answers-watching.ts";

// Parts that come later are there without a network, too.
test.use({ serviceWorkers: "allow" });

const PARAGRAPH = "The harbour is **calm** this morning, and the `tide` is [low](https://example.com/tides) until noon. ";
const ANSWER = [
  "# How it is",
  PARAGRAPH.repeat(2),
  "1. first\n2. second, *with* emphasis\n3. third",
  "```python\nfor boat in harbour:\n    print(boat.name)\n```",
  "| Port | Tide |\n| --- | ---: |\n| Husum | 12:10 |\n| Tönning | 12:55 |",
  "> Quoted, and **strongly** so.",
  PARAGRAPH.repeat(3),
].join("\n\n");

test("an answer grows word by word at the end of the list: no raw marks, and nothing that is finished moves or changes", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  for (let at = 0; at < 12; at += 1) await coder.send(id, `An earlier message, number ${at}, so that there is something to scroll.`);
  await expect(newest(page)).toContainText("number 11");
  await watchFrames(page);

  const run = await coder.run(id);
  await run.say(ANSWER, { everyMs: 12 });
  await expect(newest(page)).toContainText("until noon. The harbour is calm");
  const seen = await watched(page);
  await run.finish();

  // Enough to mean something: the answer has been seen in many states.
  expect(seen.states).toBeGreaterThan(4);
  expect(seen.rawMarks).toEqual([]);
  expect(seen.moved).toEqual([]);
  expect(seen.maxGap).toBeLessThan(60);
  await expect(stopButton(page)).toBeHidden();
  await expect.poll(() => gapToEnd(page)).toBeLessThan(2);
  await expect(newest(page).getByRole("heading", { name: "How it is" })).toBeVisible();
  await expect(newest(page).getByRole("listitem")).toHaveText(["first", "second, with emphasis", "third"]);
  await expect(newest(page).getByRole("table")).toContainText("Tönning");
});

test("the end of an answer moves nothing of it: its message stands where its words stood", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  await run.say(ANSWER);
  await expect(newest(page).getByRole("table")).toContainText("Tönning");
  const heading = newest(page).getByRole("heading");
  const last = newest(page).getByText("The harbour is").last();
  const [top, bottom] = [await heading.boundingBox(), await last.boundingBox()];
  const gap = bottom!.y - top!.y;
  await run.finish();
  await expect(stopButton(page)).toBeHidden();
  await expect(newest(page).getByRole("button", { name: "More about this message" })).toHaveCount(1);
  expect((await last.boundingBox())!.y - (await heading.boundingBox())!.y).toBeCloseTo(gap, 0);
});

test("code is a block from its first line on, before its fence has an end", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  await run.say("Look:\n\n```python\nprint('ahoy')\nwhile tr");
  await expect(newest(page).getByRole("group", { name: "Code, python" })).toHaveText("print('ahoy')\nwhile tr");
  await expect(newest(page)).not.toContainText("```");
  await run.say("ue:\n    pass\n```\n\nThat **was");
  await expect(newest(page).locator("strong")).toHaveText("was");
  await expect(newest(page).getByRole("group", { name: "Code, python" })).toContainText("while true:");
  await run.finish();
});

test("whoever scrolls up while an answer is written stays where they are, and comes back by one press", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  for (let at = 0; at < 30; at += 1) await coder.send(id, `Earlier ${at}. ${PARAGRAPH.repeat(2)}`);
  await expect(newest(page)).toContainText("Earlier 29");
  const run = await coder.run(id);
  const saying = run.say(PARAGRAPH.repeat(20), { everyMs: 6 });
  await expect(stopButton(page)).toBeVisible();
  await log(page).hover();
  await page.mouse.wheel(0, -700);
  const before = await settledTop(page);
  await watchFrames(page);
  await saying;
  await run.finish();
  await expect(stopButton(page)).toBeHidden();
  expect((await watched(page)).maxShift).toBeLessThan(1);
  expect(await settledTop(page)).toEqual(before);
  await page.getByRole("button", { name: /Jump to latest|new message/ }).click();
  await expect.poll(() => gapToEnd(page)).toBeLessThan(2);
  await expect(newest(page)).toBeFocused();
});

test("a network that goes away in the middle of an answer leaves no hole and no double in it", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  const words = Array.from({ length: 90 }, (_, at) => `w${at}`);
  const run = await coder.run(id);
  await run.say(words.slice(0, 30).join(" "), { everyMs: 5 });
  await expect(newest(page)).toContainText("w29");
  await alice.context.setOffline(true);
  await run.say(` ${words.slice(30, 60).join(" ")}`, { everyMs: 5 });
  await expect(newest(page)).toContainText("w29");
  await expect(newest(page)).not.toContainText("w30");
  await alice.context.setOffline(false);
  await run.say(` ${words.slice(60).join(" ")}`, { everyMs: 5 });
  await run.finish();
  await expect(newest(page)).toContainText(words.join(" "));
  await expect(stopButton(page)).toBeHidden();
  await expect(articles(page)).toHaveCount(1);
});

test("a screen reader hears a finished answer once, its thoughts and pieces never; each message says who and when", async ({ chatWith }) => {
  const { coder, page } = await chatWith();
  await write(page, "How is the weather?");
  const asked = await coder.nextMessage();
  await watchSpeech(page);
  const run = await coder.run(asked);
  await run.think("secretly pondering", { everyMs: 10 });
  await run.say("It is going to be sunny and warm in all of the north", { everyMs: 15 });
  await expect(newest(page)).toContainText("of the north");
  await expect(newest(page)).toHaveAttribute("aria-busy", "true");
  await run.finish();
  await expect(stopButton(page)).toBeHidden();
  const speech = async (): Promise<string[]> => (await watched(page)).speech;
  await expect.poll(speech).toEqual(["Coder: It is going to be sunny and warm in all of the north"]);

  await expect(newest(page)).not.toHaveAttribute("aria-busy", "true");
  await expect(newest(page)).toHaveAccessibleName(/^Coder, \d{1,2}:\d{2}/);
  await expect(articles(page).first()).toHaveAccessibleName(/^You, \d{1,2}:\d{2}/);
  await newest(page).focus();
  await page.keyboard.press("ArrowUp");
  await expect(articles(page).first()).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(newest(page)).toBeFocused();
});

test("an answer is read on two devices at the same time; one of them stops it, and both say so", async ({ chatWith }) => {
  const { alice, coder, page: desktop, id } = await chatWith();
  const phone = await alice.device({ viewport: { width: 390, height: 844 } });
  await phone.goto(`/c/${id}`);
  await expect(phone.getByRole("textbox", { name: "Message Coder" })).toBeVisible();
  const run = await coder.run(id);
  await run.say("Half of the answer");
  for (const page of [desktop, phone]) await expect(newest(page)).toContainText("Half of the answer");
  await stopButton(phone).click();
  await expect(desktop.getByRole("button", { name: "Stopping…" })).toBeVisible();
  expect(await run.control()).toMatchObject({ action: "stop" });
  await run.finish("stopped");
  for (const page of [desktop, phone]) {
    await expect(newest(page)).toContainText("Half of the answer");
    await expect(newest(page).getByText("Stopped", { exact: true })).toBeVisible();
    await expect(page.getByRole("button", { name: /^Stop/ })).toBeHidden();
    await expect(articles(page)).toHaveCount(1);
  }
});

/** The first message that is seen whole, and where, once nothing scrolls any more. */
async function settledTop(page: Page): Promise<{ text: string; top: number }> {
  const look = (): Promise<{ text: string; top: number }> =>
    log(page).evaluate((element) => {
      const edge = element.getBoundingClientRect().top;
      const first = [...element.querySelectorAll("article")].find((each) => each.getBoundingClientRect().top >= edge)!;
      return { text: first.textContent.slice(0, 40), top: Math.round(first.getBoundingClientRect().top) };
    });
  let seen = await look();
  // The wheel scrolls smoothly.
  await expect.poll(async () => JSON.stringify(seen) === JSON.stringify((seen = await look()))).toBe(true);
  return seen;
}
