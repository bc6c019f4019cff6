/** The harness itself: what a test is given is what it says it is. */

import { axe, expect, test } from "../harness.ts";

test("a person and an agent of the test talk over the server", async ({ person, agents }) => {
  const alice = await person("Alice");
  const agent = await agents.scripted("Harbour Master");
  const phone = alice.connect();

  const sent = await phone.send("message", { agent_id: agent.id, content: "hello" });
  const heard = await agent.nextMessage();
  const run = await agent.run(heard);
  await run.think("hm", { title: "Tides" });
  const tool = run.tool("tides", { arguments: { port: "Husum" } });
  await run.write(tool, "high at 12:10");
  run.change(tool, { state: "done" });
  await run.say("It is ");
  await run.say("high at noon.", { everyMs: 1 });
  const answer = await alice.rest.message((await run.finish())!);

  expect(heard.message_id).toBe(sent.message_id);
  expect(answer.content).toBe("It is high at noon.");
  expect(answer.run!.parts!.map(({ kind }) => kind)).toEqual(["reasoning", "tool", "text"]);
  expect((await alice.rest.agents()).map(({ name }) => name)).toEqual(["Harbour Master"]);
});

test("agents of an earlier test are gone, and the demo agent answers", async ({ person, agents }) => {
  const bob = await person("Bob");
  expect(await bob.rest.agents()).toEqual([]);

  const demo = await agents.demo("Demo", 0);
  const phone = bob.connect();
  await phone.send("message", { agent_id: demo.id, content: "/echo ahoy" });

  for await (const { type, data } of phone) if (type === "message" && data.sender_type === "agent") break;
  const [conversation] = await bob.rest.conversations();
  expect(conversation!.last_message!.content).toContain("ahoy");
});

test("what is wrong on a page is found", async ({ browserOf, watch, server, allow }) => {
  const page = await (await browserOf()).newPage();
  await page.goto("/");
  await page.evaluate(() => {
    console.error("seen");
    setTimeout(() => {
      throw new Error("thrown");
    });
    document.body.append(Object.assign(new Image(), { src: "https://stranger.example/pixel.png" }));
    const style = document.createElement("style");
    style.textContent = "a{}";
    document.head.append(style);
  });

  const faults = async (): Promise<string> => watch.faults(server.wasAway).join("\n");
  for (const expected of ["console: seen", "page error: Error: thrown", "img-src", "style-src"]) {
    await expect.poll(faults).toContain(expected);
  }
  allow(/./);
  expect(watch.faults(false)).toEqual([]);
});

test("axe runs under the page's policy, and finds what is wrong", async ({ browserOf }) => {
  const page = await (await browserOf()).newPage();
  await page.goto("/");
  await page.evaluate(() => {
    document.body.append(document.createElement("button"));
  });

  expect((await axe(page)).join("\n")).toContain("button-name");
});

test.describe("a server of one's own", () => {
  test.use({ ownServer: { env: { REGISTRATION: "invitation" } } });

  test("can be killed in the middle of an answer, which goes on when it is back", async ({ server, admin, agents }) => {
    const url = server.url;
    await admin.allow("open");
    const agent = await agents.scripted("Clerk");
    const { Rest, connect } = await import("@amtrio/client");
    const rest = new Rest({ url });
    await rest.register("carol", "correct horse battery staple");
    const phone = connect({ url, token: rest.token!, hints: null, random: () => 0 });
    await phone.send("message", { agent_id: agent.id, content: "count" });
    const run = await agent.run(await agent.nextMessage());
    await run.say("one ");

    await server.kill();
    await run.say("two ");
    await server.start();
    await agent.back();
    await run.say("three");
    const answer = await rest.message((await run.finish())!);
    await phone.close();

    expect(server.url).toBe(url);
    expect(answer.content).toBe("one two three");
  });
});

test("a person signs in by the form, has tabs that are signed in, and another device", async ({ person }) => {
  const alice = await person("Alice");

  const page = await alice.signIn();
  const tab = await alice.tab();
  await tab.goto("/");
  const phone = await alice.device({ viewport: { width: 390, height: 844 } });

  for (const each of [page, tab, phone]) await expect(each.locator("input[type=password]")).toHaveCount(0);
  expect(await alice.rest.sessions()).toHaveLength(3);
});

test("offline, a page's open connection breaks, too, and is there again afterwards", async ({ person, agents }) => {
  const alice = await person("Alice");
  const agent = await agents.scripted("Clerk");
  await alice.page.goto("/");
  await expect(alice.page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  const { url } = alice.rest;
  const state = await alice.page.evaluateHandle(async () => {
    const socket = new WebSocket(`ws://${location.host}/client/connect`, ["v2"]);
    await new Promise((resolve) => (socket.onopen = resolve));
    return { over: new Promise<void>((resolve) => (socket.onclose = () => resolve())) };
  });

  await alice.context.setOffline(true);
  await state.evaluate(({ over }) => over);
  const isOnline = (): Promise<boolean> => alice.page.evaluate(() => navigator.onLine);
  expect(await isOnline()).toBe(false);
  await expect(alice.page.evaluate(() => fetch("/health"))).rejects.toThrow();
  expect((await fetch(`${url}/health`)).ok).toBe(true);
  expect(agent.connection.isOnline).toBe(true);

  await alice.context.setOffline(false);
  expect(await isOnline()).toBe(true);
  expect(await alice.page.evaluate(async () => (await fetch("/health")).status)).toBe(200);
});
