/**
 * A conversation with 10,000 messages: as fast as a short one.
 *
 * The limits are three times what a quiet machine of two cores needs, for machines that are busy; the figures are printed.
 */

import { expect, gapToEnd, test, type Page, type ScriptedAgent } from "./harness.ts";

const MESSAGES = 10_000;
// As many as the server takes in one go without having to read more slowly.
const AT_ONCE = 500;

// A trace looks at each change of the page as well, which costs more than the change.
test.use({ trace: "off", ownServer: { env: { AMTRIO_LIMITS_AGENT_MESSAGES_PER_MINUTE: "0" } } });

test("10,000 messages: at their end within a second, few nodes, and an answer that costs a millisecond for each piece", async ({ person, agents }) => {
  test.setTimeout(120_000);
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  const seeding = await timed(() => seed(coder, id));
  // Otherwise it opens at the first unread one.
  const { message_id } = await coder.send(id, "The newest one");
  await alice.connect().send("read", { conversation_id: id, message_id });
  const page = await alice.signIn();

  const first = await opened(page, id);
  await expect(page.getByRole("log")).toContainText("The newest one");
  expect(await gapToEnd(page)).toBeLessThan(2);
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  const delta = await stream(page, coder, id);
  expect(await gapToEnd(page)).toBeLessThan(2);

  await expect.poll(async () => (await alice.rest.conversations())[0]!.unread_count).toBe(0);
  await page.goto("/");
  const again = await opened(page, id);
  await readBack(page);
  const older = await stream(page, coder, id);
  console.log(
    `${MESSAGES} messages, said in ${seeding} ms. Opened and settled in ${first} ms, from this device in ${again} ms; ${nodes} nodes. ` +
      `Script for each delta ${delta} ms, with older messages in memory ${older} ms`,
  );
  expect(first).toBeLessThan(3000);
  expect(again).toBeLessThan(3000);
  expect(nodes).toBeLessThan(600);
  expect(delta).toBeLessThan(3);
  expect(older).toBeLessThan(3);
});

function textOf(at: number): string {
  const words = "the tide rises slowly over the flats and the boats begin to turn at their anchors ".repeat(1 + (at % 5));
  return `${at}: ${words}`.trim();
}

async function seed(agent: ScriptedAgent, id: string): Promise<void> {
  for (let from = 0; from < MESSAGES; from += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, at) => agent.send(id, textOf(from + at)));
    await Promise.all(some);
  }
}

/** Milliseconds from the press on its row until the list of a chat stands at its end and moves no more. */
async function opened(page: Page, id: string): Promise<number> {
  const row = page.locator(`a[href="/c/${id}"]`).first();
  await expect(row).toBeVisible();
  return row.evaluate(
    (link) =>
      new Promise<number>((resolve, reject) => {
        const start = performance.now();
        let settled = start;
        let quiet = 0;
        let before = "";
        const look = (): void => {
          const log = document.querySelector("[role=log]");
          const last = [...(log?.querySelectorAll("article") ?? [])].at(-1);
          const gap = log === null ? Infinity : log.scrollHeight - log.scrollTop - log.clientHeight;
          const state = last === undefined ? "" : `${last.textContent} ${last.getBoundingClientRect().bottom} ${gap}`;
          if (state !== before || gap >= 2) {
            settled = performance.now();
            quiet = 0;
          } else quiet += 1;
          before = state;
          if (performance.now() - start > 10_000) return reject(new Error(`no rest: ${gap} px from its end, ${state}`));
          if (quiet > 20) resolve(Math.round(settled - start));
          else requestAnimationFrame(look);
        };
        (link as HTMLElement).click();
        requestAnimationFrame(look);
      }),
  );
}

/** Scroll up through several hundred messages, and come back to the end. */
async function readBack(page: Page): Promise<void> {
  const log = page.getByRole("log");
  for (let pages = 0; pages < 8; pages += 1) await log.evaluate((element) => element.scrollTo({ top: 0 }));
  await page.getByRole("button", { name: /Jump to latest/ }).click();
  await expect.poll(() => gapToEnd(page)).toBeLessThan(2);
}

/** Milliseconds of script for each piece of an answer, as the browser counts them. */
async function stream(page: Page, agent: ScriptedAgent, id: string): Promise<number> {
  const session = await page.context().newCDPSession(page);
  // Time of the processor, not of the clock: what else this machine is at must not count.
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  await session.send("Network.enable");
  let deltas = 0;
  // Not by looking for the words on the page, again and again: that is script in the page as well.
  const ended = new Promise<void>((resolve) => {
    session.on("Network.webSocketFrameReceived", ({ response: { payloadData } }) => {
      if (payloadData.includes('"run_delta"')) deltas += 1;
      if (payloadData.includes("It ends.")) resolve();
    });
  });
  const script = async (): Promise<number> => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "ScriptDuration")!.value;
  };
  const run = await agent.run(id);
  await run.say("It begins. ");
  await expect(page.getByRole("log")).toContainText("It begins.");
  const [before, from] = [await script(), deltas];
  await run.say(`${textOf(4)}\n\n`.repeat(6), { everyMs: 5 });
  await run.say("It ends.");
  await ended;
  await framesDrawn(page, 20);
  const spent = (await script()) - before;
  const count = deltas - from;
  await expect(page.getByRole("log")).toContainText("It ends.");
  await run.finish();
  await expect(page.getByRole("button", { name: "Stop", exact: true })).toBeHidden();
  await session.detach();
  expect(count).toBeGreaterThan(10);
  return Math.round((100 * spent) / count) / 100;
}

async function framesDrawn(page: Page, count: number): Promise<void> {
  await page.evaluate(async (frames) => {
    for (let at = 0; at < frames; at += 1) await new Promise(requestAnimationFrame);
  }, count);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start);
}
