/** What an answer is made of beside text: tools, thoughts, plans, files, the line about this moment, and how it ended. */

import { Rest } from "@amtrio/client";
import { axe, expect, screenshots, type Locator, type Page } from "./harness.ts";
import { newest, stopButton, test } from "./answers-scene.ts";
import { watched, watchSpeech } from "./answers-watching.ts";

const card = (page: Page, name: string): Locator => newest(page).getByRole("button", { name: new RegExp(`^${name}`) });

test("a tool shows how it goes and how long it took; Enter opens it, and it stays open when the answer is over", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  const shell = run.tool("shell", { title: "Run the tests", arguments: { command: "make check" } });
  const tool = card(page, "Run the tests");
  await expect(tool).toHaveAccessibleName(/^Run the tests\s*shell\s*Running/);
  await expect(tool).toHaveAttribute("aria-expanded", "false");
  await expect(newest(page)).not.toContainText("make check");
  await tool.focus();
  await page.keyboard.press("Enter");
  await expect(tool).toHaveAttribute("aria-expanded", "true");
  await expect(newest(page).getByRole("group", { name: "Arguments" })).toContainText('"command": "make check"');
  await run.write(shell, "collected 12 items\n");
  await expect(newest(page).getByRole("group", { name: "Output" })).toContainText("collected 12 items");

  run.change(shell, { state: "done", duration_ms: 3210, result: { passed: 12 } });
  await expect(tool).toHaveAccessibleName(/Done\s*3 sec/);
  await expect(newest(page).getByRole("group", { name: "Result" })).toContainText('"passed": 12');
  const other = run.tool("deploy");
  run.change(other, { state: "failed", result: "permission denied" });
  await expect(card(page, "deploy")).toHaveAccessibleName(/Failed/);
  await run.say("That did not go well.");
  await run.finish();

  await expect(stopButton(page)).toBeHidden();
  await expect(tool).toHaveAttribute("aria-expanded", "true");
  await expect(newest(page).getByRole("group", { name: "Output" })).toContainText("collected 12 items");
  await tool.focus();
  await page.keyboard.press("Enter");
  await expect(tool).toHaveAttribute("aria-expanded", "false");
  await expect(newest(page).getByRole("group", { name: "Output" })).toBeHidden();
});

test("a tool that was at work when the answer was stopped does not go on for ever", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  run.tool("crawl");
  await expect(card(page, "crawl")).toHaveAccessibleName(/Running/);
  await stopButton(page).click();
  await run.control();
  await run.finish("stopped");
  await expect(card(page, "crawl")).toHaveAccessibleName(/Not finished/);
  await expect(newest(page).getByText("Stopped", { exact: true })).toBeVisible();
});

test("thoughts are folded away under how long they took, open on a click, and are not read out", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await watchSpeech(page);
  const run = await coder.run(id);
  await run.think("First I look at the *tide*.", { title: "Tides" });
  const thoughts = newest(page).getByRole("button", { name: /^Thinking…\s*Tides/ });
  await expect(thoughts).toHaveAttribute("aria-expanded", "false");
  await expect(newest(page)).not.toContainText("First I look");
  run.change(0, { duration_ms: 4100 });
  const done = newest(page).getByRole("button", { name: /^Thought for 4 sec\s*Tides/ });
  await done.click();
  await expect(done).toHaveAttribute("aria-expanded", "true");
  await expect(newest(page).locator("em")).toHaveText("tide");
  await run.say("High at noon.");
  await run.finish();
  await expect.poll(async () => (await watched(page)).speech).toEqual(["Coder: High at noon."]);
  await expect(newest(page)).toContainText("First I look at the tide.");
});

test("a plan moves on step by step, and the line about this moment is gone when the moment is", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  await expect(newest(page)).toContainText("Preparing an answer");
  run.status("Reading the chart");
  await expect(newest(page)).toContainText("Reading the chart");
  const plan = run.plan({ text: "Cast off", state: "running" }, { text: "Set sail", state: "pending" });
  await expect(newest(page)).toContainText("0 of 2");
  await expect(newest(page).getByRole("listitem")).toHaveText(["Cast off, in progress", "Set sail, to do"]);
  run.change(plan, { items: [{ text: "Cast off", state: "done" }, { text: "Set sail", state: "done" }] });
  await expect(newest(page)).toContainText("2 of 2");
  run.status("Nearly there");
  await expect(newest(page)).toContainText("Nearly there");
  await expect(newest(page)).not.toContainText("Reading the chart");
  await run.finish();
  await expect(newest(page).getByRole("listitem")).toHaveText(["Cast off, done", "Set sail, done"]);
  await expect(newest(page)).not.toContainText("Nearly there");
});

test("a file that an agent makes is named while it answers, and can be opened afterwards", async ({ chatWith, server }) => {
  const { coder, page, id } = await chatWith();
  const rest = new Rest({ url: server.url, token: coder.token, agentId: coder.id });
  const file = await rest.upload(new File(["port,tide\nHusum,12:10\n"], "tides.csv", { type: "text/csv" }), { conversationId: id });
  const run = await coder.run(id);
  await run.say("Here it is:");
  run.part("artifact", { attachment_id: file.attachment_id, filename: "tides.csv" });
  await expect(newest(page)).toContainText("tides.csv");
  await run.say("Good luck.");
  await run.finish();
  await expect(stopButton(page)).toBeHidden();
  await expect(newest(page).getByRole("link", { name: /tides\.csv/ }).or(newest(page).getByRole("button", { name: /tides\.csv/ })).first()).toBeVisible();
  // Once, where it was made, and not again at the foot.
  await expect(newest(page).getByText("tides.csv")).toHaveCount(1);
});

test("an answer that fails before it says anything says why, and the chat can be read, then and after a reload", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(id, "I am here");
  const mute = await coder.run(id);
  await mute.finish("failed", { error: "unexpected thing" });
  for (const again of [false, true]) {
    if (again) await page.reload();
    await expect(page.getByRole("log")).toContainText("I am here");
    await expect(newest(page)).toContainText("unexpected thing");
  }
});

test("an answer that failed says why, and usage is there for whoever asks", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const failed = await coder.run(id);
  await failed.say("I have begun");
  await failed.finish("failed", { error: "the model is overloaded" });
  await expect(newest(page)).toContainText("Failed: the model is overloaded");
  const run = await coder.run(id);
  await run.say("All is well.");
  await run.finish("done", { usage: { input_tokens: 1200, output_tokens: 34 } });
  const usage = newest(page).getByText("1,234 tokens");
  await usage.click();
  await expect(newest(page).getByText("1,200")).toBeVisible();
});

test("an answer with everything in it is good to look at and to hear, while it is written and afterwards", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const run = await coder.run(id);
  await run.think("The tide turns at noon, so there is time.", { title: "Looking at the chart" });
  run.change(0, { duration_ms: 12_400 });
  run.plan({ text: "Look at the chart", state: "done" }, { text: "Ask the harbour master about berths for the night", state: "running" }, { text: "Answer", state: "pending" });
  const done = run.tool("read_chart", { title: "Read the chart of the Wadden Sea", arguments: { area: "54.3N 8.6E" } });
  run.change(done, { state: "done", duration_ms: 830 });
  const failed = run.tool("call_harbour");
  run.change(failed, { state: "failed", duration_ms: 61_000, result: "no answer" });
  await run.say("There is **time until noon**. I am asking somebody else now.\n\n```sh\ntide --port husum\n```");
  run.tool("search_the_web_for_something_with_a_rather_long_name", { arguments: { q: "Husum" } });
  run.status("Searching for the phone number of the harbour office");
  await expect(newest(page)).toContainText("Searching for the phone number");
  await look("answers-live");
  await run.finish("stopped", { usage: { input_tokens: 1200, output_tokens: 34 } });
  await expect(newest(page).getByText("Stopped", { exact: true })).toBeVisible();
  await card(page, "Read the chart").click();
  await newest(page).getByRole("button", { name: /^Thought for/ }).click();
  await look("answers-finished");

  async function look(name: string): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await axe(page)).toEqual([]);
    }
    await screenshots(page, name);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await axe(page)).toEqual([]);
    await page.setViewportSize({ width: 1280, height: 800 });
  }
});
