/** What a person can do about an answer that runs: stop it at once, speak into it, or say the next thing already. */

import { axe, expect, screenshots, type Page } from "./harness.ts";
import { articles, field, log, newest, stopButton, test, write } from "./answers-scene.ts";

const sendButton = (page: Page) => page.getByRole("button", { name: "Send", exact: true });

test("Stop stands where Send stood while an answer runs; pressed, the answer ends and what was said stays", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  await run.say("The first half");
  await expect(newest(page)).toContainText("The first half");
  await expect(sendButton(page)).toBeHidden();
  await stopButton(page).click();
  await expect(page.getByRole("button", { name: "Stopping…" })).toBeVisible();
  expect(await run.control()).toMatchObject({ action: "stop" });
  await run.finish("stopped");
  await expect(newest(page)).toContainText("The first half");
  await expect(newest(page).getByText("Stopped", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Stop/ })).toBeHidden();
  // Nothing is written; there it is again as soon as something is.
  await field(page).fill("And now?");
  await expect(sendButton(page)).toBeEnabled();
});

test("an answer that is stopped before its first word says so while it stops and when it is over, and types no more", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await write(page, "How is the weather?");
  const run = await coder.run(await coder.nextMessage());
  coder.typing(id);
  const head = page.locator("header").filter({ has: page.getByRole("heading", { level: 1 }) });
  await expect(head).toContainText("is writing …");
  await stopButton(page).click();
  await expect(newest(page)).toContainText("Stopping…");
  await expect(head).toContainText("is being stopped …");
  await run.control();
  await run.finish("stopped");
  await expect(page.getByText("Stopped before it said anything")).toBeVisible();
  // Not only when the agent has not typed for a while.
  await expect(head).not.toContainText(/writing|stopped/, { timeout: 1000 });
  await expect(log(page)).not.toContainText("Coder is writing", { timeout: 1000 });
  await expect(articles(page)).toHaveCount(1);
});

test("Escape stops, in the field and while reading; in a menu it closes the menu alone", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(id, "Hello");
  const first = await coder.run(id);
  await first.say("one");
  await expect(stopButton(page)).toBeVisible();
  await field(page).focus();
  await page.keyboard.press("Escape");
  expect(await first.control()).toMatchObject({ action: "stop" });
  await first.finish("stopped");
  await expect(page.getByRole("button", { name: /^Stop/ })).toBeHidden();

  const second = await coder.run(id);
  await second.say("two");
  await field(page).fill("half a thought");
  await page.keyboard.press("Escape");
  await expect(field(page)).toHaveValue("half a thought");
  await expect(stopButton(page)).toBeVisible();
  await field(page).fill("");
  await expect(stopButton(page)).toBeVisible();
  await articles(page).first().focus();
  await page.keyboard.press("Shift+F10");
  await expect(page.getByRole("menu")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("menu")).toBeHidden();
  await expect(stopButton(page)).toBeVisible();
  await page.keyboard.press("Escape");
  expect(await second.control()).toMatchObject({ action: "stop" });
  await second.finish("stopped");
});

test("an agent that cannot stop is stopped for it, at once", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ card: { supports: [] } });
  const run = await coder.run(id);
  await run.say("I never listen");
  await stopButton(page).click();
  await expect(newest(page).getByText("Stopped", { exact: true })).toBeVisible();
  await expect(newest(page)).toContainText("I never listen");
});

test.describe("an agent that hangs", () => {
  test.use({ ownServer: { env: { AMTRIO_RUNS_CONTROL_ANSWER_S: "1s", AMTRIO_RUNS_STOP_WITHIN_S: "4s" } } });

  test("is said not to answer, may be stopped again, and is ended by the server", async ({ chatWith }) => {
    const { coder, page, id } = await chatWith();
    coder.acknowledges = false;
    const run = await coder.run(id);
    await run.say("Just a moment");
    await stopButton(page).click();
    await expect(page.getByRole("status").filter({ hasText: "Coder does not answer" })).toBeVisible();
    await page.getByRole("button", { name: "Does not answer. Stop again" }).click();
    await expect(newest(page).getByText("Stopped", { exact: true })).toBeVisible();
    await expect(newest(page)).toContainText("Just a moment");
    await expect(page.getByText("does not answer")).toBeHidden();
    await expect(page.getByRole("button", { name: /^Stop|Stop again/ })).toBeHidden();
  });

  test("and whose process has died leaves an answer that says so", async ({ chatWith }) => {
    const { coder, page, id } = await chatWith();
    const run = await coder.run(id);
    await run.say("Just a mo");
    await expect(newest(page)).toContainText("Just a mo");
    await coder.close();
    await stopButton(page).click();
    await expect(newest(page).getByText("Stopped", { exact: true })).toBeVisible();
    await expect(newest(page)).toContainText("Just a mo");
  });
});

test.describe("an agent that dies", () => {
  test.use({ ownServer: { env: { AMTRIO_RUNS_AGENT_GRACE_S: "1s" } } });

  test("leaves what it has said, which says that there would have been more", async ({ chatWith }) => {
    const { coder, page, id } = await chatWith();
    const run = await coder.run(id);
    run.tool("crawl");
    await run.say("The first half");
    await expect(newest(page)).toContainText("The first half");
    await coder.close();
    await expect(newest(page)).toContainText("Interrupted: the agent was gone before it finished");
    await expect(newest(page)).toContainText("The first half");
    await expect(newest(page)).toContainText("Not finished");
    await expect(page.getByRole("button", { name: /^Stop/ })).toBeHidden();
  });
});

test("what is said into a running answer goes to the agent at once, and says that it did", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  await run.say("Il était");
  await expect(newest(page)).toContainText("Il était");
  await write(page, "In English, please");
  expect(await run.control()).toMatchObject({ action: "steer", text: "In English, please" });
  const said = articles(page).filter({ hasText: "In English, please" });
  await expect(said).toContainText("said while it was answering");
  await expect(field(page)).toHaveValue("");
  await run.say(". Once upon a time");
  await run.finish();
  await expect(log(page)).toContainText("Il était. Once upon a time");
  await expect(articles(page)).toHaveCount(2);
  expect(coder.received.map(({ content }) => content)).toEqual(["In English, please"]);
});

test("what comes too late for an answer that has ended meanwhile is an ordinary message, without a word about it", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const late = await holdMessages(page, id);
  const run = await coder.run(id);
  await run.say("Il était une fois");
  await expect(newest(page)).toContainText("une fois");
  late.hold();
  await run.finish();
  await write(page, "In English, please");
  const heard = await coder.nextMessage();
  expect(heard).toMatchObject({ content: "In English, please" });
  expect(heard.steers).toBeUndefined();
  late.release();
  await expect(articles(page)).toHaveText([/une fois/, /In English, please/]);
  await expect(field(page)).toHaveValue("");
  await expect(page.getByRole("status", { name: "Notices" })).toBeEmpty();
});

test("what is stopped too late is over, without a word about it", async ({ chatWith, allow }) => {
  allow(/409/);
  const { coder, page, id } = await chatWith();
  const late = await holdMessages(page, id);
  const run = await coder.run(id);
  await run.say("All of it.");
  await expect(newest(page)).toContainText("All of it.");
  late.hold();
  await run.finish();
  const answered = page.waitForResponse((response) => response.url().includes("/control"));
  await stopButton(page).click();
  await answered;
  late.release();
  await expect(page.getByRole("button", { name: /^Stop/ })).toBeHidden();
  await expect(page.getByRole("status", { name: "Notices" })).toBeEmpty();
});

test("a message for afterwards waits in the chat, is withdrawn or taken, and the choice is remembered", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  await run.say("Working");
  await expect(newest(page)).toContainText("Working");

  await field(page).fill("first, this");
  await page.getByRole("button", { name: "How to send" }).click();
  await page.getByRole("menuitem", { name: /^Queue/ }).click();
  const first = articles(page).filter({ hasText: "first, this" });
  await expect(first).toContainText("Waits for Coder");
  await write(page, "then that");
  const second = articles(page).filter({ hasText: "then that" });
  await expect(second).toContainText("Waits for Coder");

  await second.getByRole("button", { name: "Withdraw" }).click();
  await expect(log(page)).not.toContainText("then that");
  await expect(log(page)).toContainText("This message was deleted");
  // What it said is not lost.
  await expect(field(page)).toHaveValue("then that");
  await field(page).fill("");
  await run.finish();
  const asked = await coder.nextMessage();
  expect(asked.content).toBe("first, this");
  const next = await coder.run(asked);
  await next.say("That is done, too.");
  await next.finish();
  await expect(log(page)).toContainText("That is done, too.");
  await expect(first).not.toContainText("Waits for Coder");
  await expect(first.getByRole("button", { name: "Withdraw" })).toHaveCount(0);
});

test("a message that the agent has taken meanwhile stays, and whoever withdraws it is told why", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ card: { supports: ["stop", "queue"] } });
  const late = await holdMessages(page, id);
  const run = await coder.run(id);
  await run.say("Working");
  await expect(newest(page)).toContainText("Working");
  await write(page, "then that");
  const said = articles(page).filter({ hasText: "then that" });
  await expect(said).toContainText("Waits for Coder");
  late.hold();
  await coder.connection.send("message_take", { message_id: (await coder.nextMessage()).message_id });
  await said.getByRole("button", { name: "Withdraw" }).click();
  await expect(page.getByRole("status", { name: "Notices" })).toContainText("Too late: the agent has it already");
  late.release();
  await expect(said).not.toContainText("Waits for Coder");
  await run.finish();
});

test("the field while an answer runs is good to look at and to hear, in light and dark, wide and on a phone", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ locale: "de-DE" });
  const run = await coder.run(id);
  await run.say("Moment");
  await expect(newest(page)).toContainText("Moment");
  await field(page).fill("Zuerst das");
  await page.getByRole("button", { name: "Wie senden" }).click();
  await page.getByRole("menuitem", { name: /^Einreihen/ }).click();
  await expect(log(page)).toContainText("Wartet auf Coder");
  await field(page).fill("Und dann noch jenes, das etwas länger ist");
  await page.getByRole("button", { name: "Wie senden" }).click();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await axe(page)).toEqual([]);
  }
  await screenshots(page, "answers-control");
  await page.setViewportSize({ width: 320, height: 640 });
  // Stop, Steer and its arrow leave room to write in.
  expect((await field(page).boundingBox())!.width).toBeGreaterThan(220);
  expect(await axe(page)).toEqual([]);
  await page.screenshot({ path: "test-results/screens/answers-control-320.png" });
});

/** A network on which what the server tells of messages and ends of answers comes late. */
async function holdMessages(page: Page, id: string): Promise<{ hold(): void; release(): void }> {
  let isHeld = false;
  const held: (() => void)[] = [];
  await page.routeWebSocket(/\/client\/connect/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      const isLate = isHeld && /"type": ?"(message|message_taken|run_ended)"/.test(String(frame));
      if (isLate) held.push(() => socket.send(frame));
      else socket.send(frame);
    });
  });
  await page.goto(`/c/${id}`);
  await field(page).waitFor();
  return {
    hold: () => void (isHeld = true),
    release() {
      isHeld = false;
      for (const send of held.splice(0)) send();
    },
  };
}
