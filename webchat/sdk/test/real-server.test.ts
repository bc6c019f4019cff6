import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  AuthenticationEnded,
  connect,
  LiveRuns,
  MemoryStore,
  newClientId,
  partsOf,
  Refused,
  Rest,
  textOf,
  type AmtrioEvent,
  type Connection,
  type EventType,
  type Message,
} from "../src/index.js";
import { hasServer, RealServer } from "./real-server.js";

/** A person's device that remembers what it was shown. */
class Device {
  readonly seen: AmtrioEvent[] = [];
  readonly runs = new LiveRuns();
  readonly connection: Connection;
  readonly over: Promise<void>;
  #look: () => void = () => {};

  constructor(connection: Connection) {
    this.connection = connection;
    this.over = this.#watch();
    this.over.catch(() => {});
  }

  async #watch(): Promise<void> {
    for await (const event of this.connection) {
      this.runs.apply(event);
      this.seen.push(event);
      this.#look();
    }
  }

  /** The first event of a type, from the `from`-th on, that fits. */
  async wait<Type extends EventType>(
    type: Type,
    fits: (data: Extract<AmtrioEvent, { type: Type }>["data"]) => boolean = () => true,
    from = 0,
  ): Promise<Extract<AmtrioEvent, { type: Type }>["data"]> {
    for (;;) {
      const found = this.seen.slice(from).find((event) => event.type === type && fits(event.data as never));
      if (found !== undefined) return found.data as never;
      await new Promise<void>((resolve) => (this.#look = resolve));
    }
  }

  numbers(): number[] {
    return this.seen.flatMap((event) => (event.seq === undefined || event.type === "snapshot" ? [] : [event.seq]));
  }
}

describe.skipIf(!hasServer)("with a real server and its demo agent", () => {
  let server: RealServer;
  let names = 0;
  const devices: Device[] = [];

  beforeAll(async () => {
    server = await RealServer.started();
  });
  afterEach(async () => {
    await Promise.all(devices.splice(0).map(({ connection }) => connection.close()));
  });
  afterAll(async () => {
    await server.remove();
  });

  async function signedUp(): Promise<Rest> {
    const rest = new Rest({ url: server.url });
    await rest.register(`alice${(names += 1)}`, "correct horse battery staple");
    return rest;
  }

  function device(rest: Rest, options: Partial<Parameters<typeof connect>[0]> = {}): Device {
    const found = new Device(connect({ url: server.url, token: rest.token!, deviceId: "phone", random: () => 0.9, ...options }));
    devices.push(found);
    return found;
  }

  const byAgent = (message: Message): boolean => message.sender_type === "agent";

  test("a message comes back by the log, and the live answer becomes the agent's message", async () => {
    const phone = device(await signedUp());

    const sent = await phone.connection.send("message", { agent_id: "demo", content: "/think of words" });
    const own = await phone.wait("message", (message) => message.message_id === sent.message_id);
    const live = await phone.wait("run_delta");
    const answer = await phone.wait("message", byAgent);

    expect(own.content).toBe("/think of words");
    expect(live.run_id).toBe(answer.run!.run_id);
    expect(answer.run!.outcome).toBe("done");
    expect(partsOf(answer).map((part) => part.kind)).toContain("reasoning");
    expect(phone.runs.of(answer.conversation_id)).toEqual([]);
  });

  test("what is shown live is what the message says in the end", async () => {
    const phone = device(await signedUp());
    await phone.connection.send("message", { agent_id: "demo", content: "/echo Grüße 👩‍👩‍👧 und 👍🏽 zurück" });
    const answer = await phone.wait("message", byAgent);
    const shown = new LiveRuns();
    let last = "";
    for (const event of phone.seen) {
      const news = shown.apply(event);
      expect(news?.kind).not.toBe("hole");
      if (news?.kind === "shown") last = textOf(news.run);
    }

    expect(last).toContain("👩‍👩‍👧");
    expect(answer.content).toBe(last);
  });

  test("a run that is stopped ends as stopped, with what was said", async () => {
    const phone = device(await signedUp());
    await phone.connection.send("message", { agent_id: "demo", content: "/endless" });
    const { run_id } = await phone.wait("run_delta");

    const answer = await phone.connection.send("run_control", { run_id, action: "stop" });
    const message = await phone.wait("message", byAgent);

    expect(answer.run_id).toBe(run_id);
    expect(message.run!.outcome).toBe("stopped");
  });

  test("a question takes one answer, the second is told what the first one was", async () => {
    const phone = device(await signedUp());
    await phone.connection.send("message", { agent_id: "demo", content: "/ask" });
    const asked = await phone.wait("message", (message) => message.question !== undefined);
    const [first, second] = asked.question!.options;

    const done = await phone.connection.send("answer", { message_id: asked.message_id, option_ids: [first!.id] });
    const late = phone.connection.send("answer", { message_id: asked.message_id, option_ids: [second!.id] });

    expect(done.question.state).toBe("answered");
    const refusal = (await late.catch((error: unknown) => error)) as Refused;
    expect(refusal).toBeInstanceOf(Refused);
    expect(refusal.code).toBe("answered");
    expect(refusal.details["answer"]).toMatchObject({ option_ids: [first!.id] });
    await phone.wait("question_answered");
  });

  test("over a restart in the middle of an answer nothing is lost and nothing comes twice", async () => {
    const phone = device(await signedUp());
    await phone.connection.send("message", { agent_id: "apart", content: "/long" });
    await phone.wait("run_delta");

    await server.stop();
    const unsent = phone.connection.send("message", { agent_id: "apart", content: "said while the server was away" });
    await phone.wait("offline");
    await server.start();
    const stored = await unsent;
    const answer = await phone.wait("message", (message) => byAgent(message) && message.run !== undefined);
    await phone.wait("message", (message) => message.message_id === stored.message_id);

    expect(answer.run!.outcome).toBe("done");
    expect(answer.content).toContain("your message waits until I am done");
    const numbers = phone.numbers();
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
  }, 60_000);

  test("an answer whose agent goes with the server ends as interrupted, with what was said", async () => {
    const phone = device(await signedUp());
    await phone.connection.send("message", { agent_id: "demo", content: "/long" });
    await phone.wait("run_delta");

    await server.stop();
    await server.start();
    const answer = await phone.wait("message", byAgent);

    expect(answer.run!.outcome).toBe("interrupted");
    expect(answer.content).not.toBe("");
  }, 60_000);

  test("a crash loses no message that was answered, and a device goes on where it was", async () => {
    const rest = await signedUp();
    const store = new MemoryStore();
    const phone = device(rest, { store });
    const sent = await phone.connection.send("message", { agent_id: "demo", content: "/time" });
    await phone.wait("message", byAgent);
    await server.stop("SIGKILL");
    await server.start();
    await phone.wait("online", () => true, phone.seen.findIndex((event) => event.type === "offline"));
    await phone.connection.close();
    const before = phone.numbers().at(-1)!;

    const again = device(rest, { store });
    await again.wait("online");
    await rest.createConversation("demo", "Holiday plans");
    await again.wait("conversation_created");

    expect(store.position!.seq).toBeGreaterThanOrEqual(before);
    expect(again.numbers()[0]!).toBe(before + 1);
    expect((await rest.message(sent.message_id)).content).toBe("/time");
  }, 60_000);

  test("a device that keeps nothing begins with the whole account", async () => {
    const rest = await signedUp();
    const { conversation_id } = await rest.createConversation("demo", "Holiday plans");

    const tablet = device(rest, { deviceId: "tablet", withSnapshot: true });
    const snapshot = await tablet.wait("snapshot");

    expect(snapshot.conversations.map((conversation) => conversation.conversation_id)).toContain(conversation_id);
  });

  test("a program that is an agent hears people and answers live", async () => {
    const agent = new Device(
      connect({ url: server.url, token: server.addAgent("parrot"), agentId: "parrot", client: "parrot/1.0" }),
    );
    devices.push(agent);
    await agent.connection.send("card", { name: "Parrot", supports: ["stop"] });
    const phone = device(await signedUp());
    const said = await phone.connection.send("message", { agent_id: "parrot", content: "Hello 👋" });
    const { conversation_id } = await agent.wait("message", ({ message_id }) => message_id === said.message_id);

    const run_id = newClientId();
    await agent.connection.send("run_start", { run_id, conversation_id, reply_to: said.message_id });
    agent.connection.tell("run_append", { run_id, part: 0, offset: 0, text: "Hello 👋" });
    agent.connection.tell("run_append", { run_id, part: 0, offset: 7, text: "!" });
    await phone.wait("run_delta", (delta) => delta.run_id === run_id);
    const { message_id } = await agent.connection.send("run_finish", { run_id, outcome: "done" });

    expect((await phone.wait("message", (message) => message.message_id === message_id)).content).toBe("Hello 👋!");
  });

  test("a second program on the same device takes over, and the first one is told so", async () => {
    const rest = await signedUp();
    const first = device(rest);
    await first.wait("online");
    device(rest);

    await expect(first.over).rejects.toThrow("replaced");
  });

  test("a wrong token ends the connection for good", async () => {
    const rest = new Rest({ url: server.url, token: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln" });

    await expect(device(rest).over).rejects.toBeInstanceOf(AuthenticationEnded);
  });

  test("messages look the same by REST, on the socket and in a snapshot", async () => {
    const rest = await signedUp();
    const { connection } = device(rest);
    const { attachment_id } = await rest.upload(new File(["x"], "x.txt"));
    const { conversation_id, message_id } = await connection.send("message", {
      agent_id: "demo",
      content: "/ask zucchini",
      attachment_ids: [attachment_id],
      metadata: { source: "test" },
    });
    await connection.send("react", { message_id, emoji: "👍", on: true });
    const second = await connection.send("message", { conversation_id, content: "zucchini", reply_to: message_id });
    await connection.send("edit", { message_id: second.message_id, content: "zucchini!" });
    const third = await connection.send("message", { conversation_id, content: "nothing" });
    await connection.send("delete", { message_id: third.message_id });
    await connection.send("encrypted_message", {
      conversation_id,
      ciphertext: "3q2-7wECAwQ",
      algorithm: "aes-256-gcm",
      iv: "AAECAwQFBgcICQoL",
    });
    const phone = devices.at(-1)!;
    const asked = await phone.wait("message", (message) => message.question !== undefined);
    await connection.send("answer", { message_id: asked.message_id, option_ids: [asked.question!.options[0]!.id] });
    await phone.wait("message", (message) => message.reply_to === second.message_id && message.run !== undefined);

    // What came while the agent was busy waits until it has got there.
    const messages = await vi.waitFor(
      async () => {
        const page = await connection.send("history", { conversation_id });
        expect(page.messages.filter((each) => each.queued)).toEqual([]);
        return page.messages;
      },
      { timeout: 10_000 },
    );

    expect(messages.length).toBeGreaterThanOrEqual(6);
    expect((await rest.snapshot()).conversations[0]!.messages).toEqual(messages);
    expect((await rest.history(conversation_id)).messages).toEqual(messages);
    expect(await rest.message(third.message_id)).toEqual(messages[2]);
    const query = { q: "zucchini" };
    expect((await rest.search(query)).results).toEqual((await connection.send("search", query)).results);
  });

  test("REST: lists, history, search, files and sessions", async () => {
    const rest = await signedUp();
    const phone = device(rest);
    const file = new File(["shopping list"], "list.txt", { type: "text/plain" });
    const progress: number[] = [];
    const { attachment_id } = await rest.upload(file, { onProgress: (bytes) => progress.push(bytes) });
    const { conversation_id } = await phone.connection.send("message", {
      agent_id: "demo",
      content: "/echo zucchini",
      attachment_ids: [attachment_id],
    });
    await phone.wait("message", byAgent);

    expect(progress.at(-1)).toBe(13);
    expect((await rest.agents()).map((agent) => agent.agent_id)).toContain("demo");
    expect((await rest.conversations())[0]!.conversation_id).toBe(conversation_id);
    const page = await rest.history(conversation_id, { limit: 1, before: 2 });
    expect(page.messages[0]!.attachments![0]!.filename).toBe("list.txt");
    expect(page.has_more).toBe(false);
    expect((await rest.history(conversation_id, { limit: 1 })).has_more).toBe(true);
    expect((await rest.search({ q: "zucch" })).results.length).toBeGreaterThan(0);
    expect((await rest.attachmentLink(attachment_id)).url).toContain(attachment_id);
    expect((await rest.sessions()).map(({ current }) => current)).toEqual([true]);
    expect((await rest.uploadRoom()).used_bytes).toBe(13);
    expect((await rest.account()).storage.files).toBe(1);
    await rest.updateConversation(conversation_id, { pinned: true });
    expect((await rest.conversations({ pinned: true })).map((each) => each.conversation_id)).toEqual([conversation_id]);
    await expect(rest.message("msg_nobody")).rejects.toMatchObject({ code: "not_found", status: 404 });
    await rest.logout();
    await expect(phone.over).rejects.toBeInstanceOf(AuthenticationEnded);
  });
});
