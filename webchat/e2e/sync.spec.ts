/** Devices, tabs, servers that go and networks that fail: nothing is lost, nothing comes twice, nobody disagrees. */

import { expect, PASSWORD, test, type Page, type Person, type ScriptedAgent } from "./harness.ts";

// Parts that come later are there without a network, too.
test.use({ serviceWorkers: "allow" });

const log = (page: Page) => page.getByRole("log");
const field = (page: Page) => page.getByRole("textbox", { name: /^Message / });
const row = (page: Page, name: string) => page.getByRole("navigation").getByRole("link", { name: new RegExp(name) });

/** A conversation in which the agent said something. */
async function begun(who: Person, agent: ScriptedAgent, text = "Hello"): Promise<string> {
  const { conversation_id: id } = await who.rest.createConversation(agent.id);
  await agent.send(id, text);
  return id;
}

async function write(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press("Enter");
}

const WORDS = Array.from({ length: 120 }, (_, at) => `w${at}`).join(" ");

test("an answer is seen on phone and desktop at the same time, and a reload in its middle loses nothing", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const desktop = await alice.signIn();
  const phone = await alice.device({ viewport: { width: 390, height: 844 } });
  const id = await begun(alice, coder);
  for (const page of [desktop, phone]) await page.goto(`/c/${id}`);
  await expect(log(phone)).toContainText("Hello");

  const run = await coder.run(id);
  const saying = run.say(WORDS, { everyMs: 20 });
  for (const page of [desktop, phone]) await expect(log(page)).toContainText("w10");
  await desktop.reload();
  await expect(log(desktop)).toContainText("w0 w1 w2");
  await saying;
  await run.finish();
  for (const page of [desktop, phone]) {
    await expect(log(page)).toContainText(WORDS);
    await expect(page.getByRole("button", { name: "Stop" })).toBeHidden();
    await expect(log(page).getByRole("article")).toHaveCount(2);
  }
});

test.describe("a server of its own", () => {
  test.use({ ownServer: true });

  test("that is killed in the middle of an answer comes back, and the answer goes on without a tear", async ({ person, agents, server }) => {
    const alice = await person("Alice");
    const coder = await agents.scripted("Coder");
    const page = await alice.signIn();
    const id = await begun(alice, coder);
    await page.goto(`/c/${id}`);
    await expect(log(page)).toContainText("Hello");
    const run = await coder.run(id);
    await run.say(WORDS);
    await expect(log(page)).toContainText("w119");
    await server.kill();
    await expect(page.getByRole("status").filter({ hasText: "cannot be reached" })).toBeVisible();
    await expect(log(page)).toContainText("w0 w1 w2");
    await server.start();
    await coder.back();
    await run.say(" and on it goes");
    await run.finish();
    await expect(log(page)).toContainText(`${WORDS} and on it goes`);
    await expect(page.getByRole("status").filter({ hasText: "cannot be reached" })).toBeHidden();
    await expect(log(page).getByRole("article")).toHaveCount(2);
  });

  test("that is away: what is written waits over a reload, and is sent once each and in order", async ({ person, agents, server }) => {
    const alice = await person("Alice");
    const coder = await agents.scripted("Coder");
    const page = await alice.signIn();
    const id = await begun(alice, coder);
    await page.goto(`/c/${id}`);
    await expect(log(page)).toContainText("Hello");
    await page.evaluate(() => navigator.serviceWorker.ready);
    await server.stop();
    await write(page, "one");
    await write(page, "two");
    await expect(log(page).getByLabel("Waiting for a connection")).toHaveCount(2);
    await page.reload();
    await expect(log(page)).toContainText("Hello");
    await expect(log(page).getByLabel("Waiting for a connection")).toHaveCount(2);
    await write(page, "three");
    await server.start();
    for (const text of ["one", "two", "three"]) expect((await coder.nextMessage()).content).toBe(text);
    await expect(log(page).getByLabel("Waiting for a connection")).toHaveCount(0);
    await expect(log(page).getByRole("article")).toHaveCount(4);
    expect(coder.received.map((each) => each.content)).toEqual(["one", "two", "three"]);
  });

  test("that comes back from an older copy of its data is believed, and everything is built anew", async ({ person, agents, server }) => {
    const alice = await person("Alice");
    const coder = await agents.scripted("Coder");
    const page = await alice.signIn();
    const id = await begun(alice, coder, "before the copy");
    await page.goto(`/c/${id}`);
    await expect(log(page)).toContainText("before the copy");
    await server.stop();
    await server.keepCopy();
    await server.start();
    await coder.back();
    await coder.send(id, "after the copy");
    await expect(log(page)).toContainText("after the copy");
    await server.stop();
    await server.bringBackCopy();
    await server.start();
    await expect(log(page)).not.toContainText("after the copy");
    await expect(log(page)).toContainText("before the copy");
  });
});

test("a network that goes without a word is noticed when the browser says so, and no sooner given up than a socket stays silent", async ({ person }) => {
  const alice = await person("Alice");
  const { page } = alice;
  let isSilent = false;
  await page.routeWebSocket(/\/client\/connect$/, (socket) => {
    const server = socket.connectToServer();
    let isOwnSilent = false;
    server.onMessage((message) => {
      isOwnSilent ||= isSilent;
      if (!isOwnSilent) socket.send(message);
    });
  });
  await alice.signIn();
  const state = page.getByRole("navigation").getByRole("link", { name: /^Your account/ });
  await expect(state).toContainText("Connected");
  const say = (what: "online" | "offline"): Promise<boolean> => page.evaluate((type) => dispatchEvent(new Event(type)), what);
  await say("offline");
  await page.waitForTimeout(1500);
  await expect(state).toContainText("Connected");

  isSilent = true;
  await say("offline");
  await expect(state).toContainText("No connection", { timeout: 2000 });
  isSilent = false;
  await say("online");
  await expect(state).toContainText("Connected", { timeout: 2000 });
});

test("own messages show how far they are: stored, delivered, read", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  const away = await agents.registered("Away");
  await page.goto("/");
  const id = (await alice.rest.createConversation(away.id)).conversation_id;
  await page.goto(`/c/${id}`);
  await write(page, "Are you there?");
  await expect(log(page).getByLabel("Sent", { exact: true })).toBeVisible();
});

test("a message for another chat never appears in the open one; it raises that row and its badge", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  const [one, two] = [await agents.scripted("First"), await agents.scripted("Second")];
  const first = await begun(alice, one, "I am first");
  await begun(alice, two, "I am second");
  await page.goto(`/c/${first}`);
  await expect(log(page)).toContainText("I am first");
  await begun(alice, two, "a word from elsewhere");
  await expect(row(page, "Second")).toContainText("a word from elsewhere");
  await expect(row(page, "Second")).toContainText("2");
  await expect(log(page)).not.toContainText("a word from elsewhere");
});

test("reading in one tab clears the badge in the other, and on another device", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const page = await alice.signIn();
  const phone = await alice.device();
  const tab = await alice.tab();
  await tab.goto("/");
  const id = await begun(alice, coder);
  for (const each of [page, tab, phone]) await expect(row(each, "Coder").getByText("1 unread")).toHaveCount(1);
  await page.bringToFront();
  await page.goto(`/c/${id}`);
  for (const each of [page, tab, phone]) await expect(row(each, "Coder").getByText("1 unread")).toHaveCount(0);
});

test("a draft is there after a reload, and in the other tab", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const page = await alice.signIn();
  const id = await begun(alice, coder);
  await page.goto(`/c/${id}`);
  await field(page).fill("half a thought");
  await page.reload();
  await expect(field(page)).toHaveValue("half a thought");
  const tab = await alice.tab();
  await tab.goto("/");
  await expect(row(tab, "Coder")).toContainText("half a thought");
});

test("a session that is ended elsewhere brings back the first page, which says why", async ({ person, allow }) => {
  allow(/401/);
  const alice = await person("Alice");
  const page = await alice.signIn();
  await expect(page.getByRole("navigation").first()).toBeVisible();
  const others = (await alice.rest.sessions()).filter((session) => !session.current);
  for (const session of others) await alice.rest.endSession(session.session_id);
  await expect(page.getByText("Your session has ended")).toBeVisible();
  await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
});

test("signing out in one tab signs out the other, and leaves nothing on the device", async ({ person, agents, allow }) => {
  // What was asked a moment before is refused.
  allow(/401/);
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const page = await alice.signIn();
  await begun(alice, coder, "a secret");
  await expect(row(page, "Coder")).toBeVisible();
  const tab = await alice.tab();
  await tab.goto("/settings");
  await tab.getByRole("button", { name: "Sign out" }).first().click();
  await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  await expect.poll(() => page.evaluate(async () => (await indexedDB.databases()).map((each) => each.name))).toEqual([]);
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(alice.userId);
});

test("who signs in again without a reload is the same device to the server", async ({ person }) => {
  const alice = await person("Alice");
  const devices: string[] = [];
  alice.page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      const { type, data } = JSON.parse(String(payload)) as { type: string; data: { device_id: string } };
      if (type === "hello") devices.push(data.device_id);
    }),
  );
  const page = await alice.signIn();
  await page.goto("/settings/about");
  await expect(page.getByText("Connected")).toBeVisible();
  const before = devices.length;
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.getByRole("textbox", { name: "Username" }).fill(alice.username);
  await page.getByRole("textbox", { name: "Password", exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect.poll(() => devices.length).toBeGreaterThan(before);
  expect([...new Set(devices)]).toEqual([expect.stringMatching(/^web-[0-9a-f]{12}-1$/)]);
});
