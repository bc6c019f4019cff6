/** Reading a conversation: where it opens, how one gets about in it, and that nothing moves under the reader. */

import { expect, gapToEnd, type Page } from "./harness.ts";
import {
  articles,
  backdate,
  DAY,
  expectSeen,
  field,
  fill,
  log,
  MINUTE,
  newest,
  readAll,
  said,
  saying,
  sidewaysOverflow,
  test,
  topInList,
  write,
} from "./conversation-scene.ts";

const jump = (page: Page) => page.getByRole("button", { name: /Jump to latest/ });
const line = (page: Page) => log(page).getByRole("separator", { name: "New messages" });

/** Up by so many pixels, as with a wheel. */
async function wheelUp(page: Page, pixels: number): Promise<void> {
  await log(page).hover();
  await page.mouse.wheel(0, -pixels);
}

test("a conversation opens at its end, and draws only what is near the screen", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  await fill(coder, id, 200);
  await readAll(alice, id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await expect(newest(page)).toContainText("Word number 200 ");
  await expect(newest(page)).toBeInViewport({ ratio: 1 });
  await expect.poll(() => gapToEnd(page)).toBeLessThan(2);
  expect(await articles(page).count()).toBeLessThan(40);
  await expect(line(page)).toHaveCount(0);
  await expect(jump(page)).toHaveCount(0);
});

test("under reduced motion the list has its new height at once, and is at its end", async ({ person, agents }) => {
  const alice = await person("Alice", { reducedMotion: "reduce" });
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  await fill(coder, id, 150);
  await readAll(alice, id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await expect(newest(page)).toContainText("Word number 150 ");
  await expect.poll(() => gapToEnd(page)).toBeLessThan(2);
  // A transition, however short, would begin at the old height.
  const heights = await log(page).evaluate((scroller) => {
    const rows = scroller.firstElementChild as HTMLElement;
    const { height } = rows.style;
    rows.style.height = `${rows.offsetHeight + 1000}px`;
    const grown = scroller.scrollHeight;
    rows.style.height = height;
    return { grown, before: scroller.scrollHeight };
  });
  expect(heights.grown - heights.before).toBe(1000);
});

/** The days that were named at the upper edge since, at least so visible. */
async function daysNamed(page: Page, opacity: number): Promise<() => Promise<string[]>> {
  await page.evaluate((least) => {
    const shown = new Set<string>();
    Object.assign(globalThis, { shown });
    const look = (): void => {
      const day = document.querySelector("[data-shown]");
      if (day !== null && Number(getComputedStyle(day).opacity) >= least) shown.add(day.textContent);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, opacity);
  return () => page.evaluate(() => [...(globalThis as unknown as { shown: Set<string> }).shown]);
}

test("more than a screen away from the end there is a way back, with the count of what came meanwhile", async ({ chatWith }) => {
  const { alice, coder, page, id } = await chatWith();
  await fill(coder, id, 40);
  await expect(newest(page)).toContainText("Word number 40 ");
  await expectSeen(alice, id);
  await wheelUp(page, 300);
  await expect(jump(page)).toBeHidden();
  await wheelUp(page, 900);
  await expect(jump(page)).toHaveAccessibleName("Jump to latest");

  await fill(coder, id, 2, 41);
  await expect(jump(page)).toHaveAccessibleName("2 new messages Jump to latest");
  await jump(page).click();
  await expect(newest(page)).toContainText("Word number 42 ");
  await expect(newest(page)).toBeInViewport({ ratio: 1 });
  await expect(newest(page)).toBeFocused();
  await expect(jump(page)).toBeHidden();

  await page.keyboard.press("Home");
  await expect(saying(page, "Word number 1 ")).toBeInViewport({ ratio: 1 });
  await expect(jump(page)).toBeVisible();
  await page.keyboard.press("End");
  await expect(newest(page)).toContainText("Word number 42 ");
  await expect(newest(page)).toBeFocused();
  await expect.poll(() => gapToEnd(page)).toBeLessThan(2);
});

test("whoever wants it reads a long answer from its beginning: the question stays at the upper edge", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await page.goto("/settings/appearance");
  await page.getByRole("switch", { name: /^Stay at the beginning of long answers/ }).click();
  await page.goto(`/c/${id}`);
  await fill(coder, id, 20);
  await write(page, "Tell me everything");
  const run = await coder.run(await coder.nextMessage());
  await run.say(Array.from({ length: 60 }, (_, at) => `Paragraph ${at} of what there is to tell.`).join("\n\n"), { everyMs: 2 });
  await expect(newest(page)).toContainText("Paragraph 59");
  const question = saying(page, "Tell me everything");
  await expect.poll(() => topInList(question)).toBeCloseTo(0, 0);
  await run.say("\n\nAnd a last word.");
  await run.finish();
  await expect(newest(page)).toContainText("And a last word.");
  expect(Math.abs(await topInList(question))).toBeLessThan(2);
  await expect(jump(page)).toBeVisible();
});

test("what is new begins below a line, which is where one comes in, and which stays until one leaves", async ({ person, agents }) => {
  const alice = await person("Alice");
  const [coder, other] = [await agents.scripted("Coder"), await agents.scripted("Other")];
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  const { conversation_id: elsewhere } = await alice.rest.createConversation(other.id);
  await fill(coder, id, 40);
  await readAll(alice, id);
  await fill(coder, id, 40, 41);
  await other.send(elsewhere, "Over here");
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await expect(line(page)).toBeInViewport({ ratio: 1 });
  await expect(saying(page, "Word number 41 ")).toBeInViewport({ ratio: 1 });
  expect(await gapToEnd(page)).toBeGreaterThan(500);

  await jump(page).click();
  await expect(newest(page)).toContainText("Word number 80 ");
  const row = page.getByRole("navigation").getByRole("link", { name: /Coder/ });
  await expect(row).not.toContainText("unread");
  await page.mouse.wheel(0, -200);
  await saying(page, "Word number 78 ").click();
  await expect(row).not.toContainText("unread");

  await page.getByRole("navigation").getByRole("link", { name: /Other/ }).click();
  await expect(log(page)).toContainText("Over here");
  await row.click();
  await expect(newest(page)).toContainText("Word number 80 ");
  await page.keyboard.press("Home");
  await expect(line(page)).toHaveCount(0);
});

test("older messages come before one gets there, and what is being read does not move by a pixel", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  await fill(coder, id, 80);
  await readAll(alice, id);
  const page = await alice.signIn();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\/messages\?.*before=/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`/c/${id}`);
  await expect(newest(page)).toContainText("Word number 80 ");

  const first = saying(page, "Word number 21 ");
  await expect(async () => {
    await wheelUp(page, 3000);
    await expect(first).toBeInViewport({ timeout: 300 });
  }).toPass();
  // Until the wheel has run out.
  await expect.poll(() => log(page).evaluate((list) => list.scrollTop)).toBe(0);
  await expect(page.getByRole("status").filter({ hasText: "Loading older messages" })).toBeVisible();

  const height = await log(page).evaluate((list) => list.scrollHeight);
  // The words: the name and the day above them may go, since they no longer begin something.
  await first.getByText("Word number 21").evaluate((element) => {
    const top = element.getBoundingClientRect().top;
    const seen = { moved: 0 };
    Object.assign(globalThis, { seen });
    const look = (): void => {
      // Its own element, or nothing: a row that is taken away has moved, too.
      seen.moved = Math.max(seen.moved, element.isConnected ? Math.abs(element.getBoundingClientRect().top - top) : 9999);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  release();
  await expect.poll(() => log(page).evaluate((list) => list.scrollHeight)).toBeGreaterThan(height + 500);
  await expect(page.getByRole("status").filter({ hasText: "Loading older messages" })).toBeHidden();
  expect(await page.evaluate(() => (globalThis as unknown as { seen: { moved: number } }).seen.moved)).toBeLessThanOrEqual(1);
});

test("days are told apart, with the year where it is another, and while one scrolls the day is named", async ({ person, agents, server }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  await fill(coder, id, 40);
  await readAll(alice, id);
  const { messages } = await alice.rest.history(id, { limit: 40 });
  const ago = (index: number): number => (index < 10 ? 500 : index < 20 ? 20 : index < 30 ? 1 : 0);
  messages.forEach((message, index) => ago(index) > 0 && backdate(server, message.message_id, ago(index) * DAY));
  const name = (days: number, year: boolean): string =>
    new Intl.DateTimeFormat("en-US", {
      timeZone: "Europe/Berlin",
      weekday: "long",
      day: "numeric",
      month: "long",
      ...(year && { year: "numeric" }),
    }).format(Date.now() - days * DAY);
  const isOtherYear = new Date(Date.now() - 20 * DAY).getFullYear() !== new Date().getFullYear();

  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await expect(newest(page)).toContainText("Word number 40 ");
  const day = (text: string) => log(page).getByRole("separator", { name: text, exact: true });
  await wheelUp(page, 200);
  await expect(day("Today")).toBeVisible();
  await wheelUp(page, 600);
  await expect(day("Yesterday")).toBeVisible();
  const shown = await daysNamed(page, 1);
  await wheelUp(page, 300);
  await wheelUp(page, 100);
  await expect.poll(shown).toContain(name(20, isOtherYear));
  await expect(page.locator("[data-shown]")).toHaveCount(0);
  await newest(page).focus();
  await page.keyboard.press("Home");
  await expect(day(name(500, true))).toBeVisible();
});

test("going along with an answer is no scrolling: no day is named above it", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await fill(coder, id, 20);
  await expect(newest(page)).toContainText("Word number 20 ");
  await expect(page.locator("[data-shown]")).toHaveCount(0);
  const shown = await daysNamed(page, 0);
  const run = await coder.run(id);
  await run.say(Array.from({ length: 30 }, (_, at) => `Paragraph ${at} of what there is to tell.`).join("\n\n"), { everyMs: 2 });
  await expect(newest(page)).toContainText("Paragraph 29");
  await expect.poll(() => gapToEnd(page)).toBeLessThan(2);
  expect(await shown()).toEqual([]);
  // It would have been seen.
  await wheelUp(page, 300);
  await expect.poll(shown).toContain("Today");
  await run.finish();
});

test("what one side says within five minutes stands under one name and one face", async ({ person, agents, server }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  const texts = ["one", "two", "three", "four"];
  const ids: string[] = [];
  for (const text of texts) ids.push((await coder.send(id, text)).message_id);
  for (const each of ids.slice(0, 2)) backdate(server, each, 6 * MINUTE);
  await said(alice, id, "five");
  await coder.send(id, "six");
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await expect(newest(page)).toContainText("six");
  const named = articles(page).filter({ has: page.getByText("Coder", { exact: true }) });
  await expect(named).toHaveText([/one/, /three/, /six/]);
  // What is read out names everybody each time.
  for (const text of texts) await expect(saying(page, text)).toHaveAccessibleName(/^Coder, \d\d:\d\d [AP]M$/);
  await expect(saying(page, "five")).toHaveAccessibleName(/^You, /);
});

test("at 320 px tables, code and long words scroll in boxes of their own, never the page", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ viewport: { width: 320, height: 640 } });
  const cells = Array.from({ length: 9 }, (_, at) => `column-${at}`);
  const table = `| ${cells.join(" | ")} |\n|${" --- |".repeat(9)}\n| ${cells.join(" | ")} |`;
  await coder.send(id, `Here is a table\n\n${table}`);
  const run = await coder.run(id);
  await run.say(`In an answer, too\n\n${table}\n\n\`\`\`\n${"code ".repeat(60)}\n\`\`\`\n\n${"Donaudampfschifffahrt".repeat(12)}`);
  await run.finish();
  await expect(log(page).getByRole("table")).toHaveCount(2);
  for (const each of await log(page).getByRole("table").all()) {
    const scrolls = await each.evaluate((element) => {
      const box = element.closest<HTMLElement>("[tabindex]") ?? element.parentElement!;
      box.scrollLeft = 9999;
      return box.scrollLeft > 100;
    });
    expect(scrolls).toBe(true);
  }
  expect(await sidewaysOverflow(page)).toBe(0);
  expect(await log(page).evaluate((list) => list.scrollWidth - list.clientWidth)).toBe(0);
  await expect(field(page)).toBeInViewport({ ratio: 1 });
});
