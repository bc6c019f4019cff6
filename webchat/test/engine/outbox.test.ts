import { Closed, Refused, Unreachable, type Connection } from "@amtrio/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { apply } from "../../src/engine/apply.ts";
import { begun } from "../../src/engine/conversations.ts";
import { openDatabase, type Database } from "../../src/engine/database.ts";
import { Outbox } from "../../src/engine/outbox.ts";
import { chat, EMPTY } from "../../src/engine/state.ts";
import { Tabs } from "../../src/engine/tabs.ts";
import { ALICE, conversation, event, message, promised } from "./scene.ts";

interface Sent {
  readonly word: string;
  readonly data: Record<string, unknown>;
  answer(data?: object): void;
  refuse(text: string, code?: string): void;
  lose(): void;
}

/** As much of a connection as sends. */
class Line {
  isOnline = true;
  readonly sent: Sent[] = [];
  #waiting: (() => void)[] = [];

  send(word: string, data: Record<string, unknown>, { signal }: { signal: AbortSignal }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
      this.sent.push({
        word,
        data,
        answer: (data = {}) => resolve(data),
        refuse: (text, code = "malformed") => reject(new Refused(text, { code })),
        lose: () => reject(new Closed("closed")),
      });
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  async has(count: number): Promise<void> {
    while (this.sent.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  contents(): unknown[] {
    return this.sent.map((each) => each.data["content"]);
  }
}

let database: Database;
/** How long it takes to seal each of them. */
let sealing: (content: string) => Promise<void>;
let line: Line | undefined;
let outbox: Outbox;
/** Whether `c1` is encrypted, once it has been looked up. */
let isOn: () => Promise<boolean>;
const make = (): Outbox =>
  new Outbox(database, "alice", new Tabs(), () => line as unknown as Connection | undefined, {
    isOn: () => isOn(),
    seal: async ({ content }) => {
      await sealing(content);
      return { ciphertext: `sealed ${content} ${Math.random()}` };
    },
  });

beforeEach(async () => {
  database = await openDatabase("alice");
  line = undefined;
  sealing = async () => undefined;
  isOn = async () => false;
  chat.setState(EMPTY);
  outbox = make();
});

afterEach(() => outbox.close());

const write = (content: string, more = {}): Promise<void> =>
  outbox.add({ conversationId: "c1", content, replyTo: undefined, attachments: [], encrypted: false, ...more });
const rows = (): { content: string; state: string; error: string | undefined }[] =>
  (chat.getState().outgoing["c1"] ?? []).map(({ content, state, error }) => ({ content, state, error }));

test("without a connection everything waits, also over a reload, and is sent in order once there is one", async () => {
  await write("one");
  await write("two");
  chat.setState(EMPTY);
  outbox = make();
  await outbox.load();
  expect(rows().map((row) => row.state)).toEqual(["waiting", "waiting"]);

  line = new Line();
  const sending = outbox.send();
  await line.has(2);
  expect(line.contents()).toEqual(["one", "two"]);
  for (const sent of line.sent) sent.answer();
  await sending;
  expect(await database.getAll("outbox")).toEqual([]);
});

test("what was not answered goes again under the same id on the next connection", async () => {
  const first = (line = new Line());
  const sending = write("one");
  await first.has(1);
  first.sent[0]!.lose();
  await sending;
  const second = (line = new Line());
  const again = outbox.send();
  await second.has(1);
  expect(second.sent[0]!.data["client_id"]).toBe(first.sent[0]!.data["client_id"]);
  second.sent[0]!.answer();
  await again;
});

test("what was refused stays with its reason, holds up nothing behind it, and goes again when a person says so", async () => {
  line = new Line();
  const one = write("one");
  await line.has(1);
  line.sent[0]!.refuse("too long");
  await one;
  expect(rows()).toMatchObject([{ state: "failed", error: "too long" }]);

  const two = write("two");
  await line.has(2);
  expect(line.contents()).toEqual(["one", "two"]);
  line.sent[1]!.answer();
  await two;

  const again = outbox.retry(chat.getState().outgoing["c1"]![0]!.clientId);
  await line.has(3);
  expect(line.sent[2]!.data).toEqual(line.sent[0]!.data);
  line.sent[2]!.answer();
  await again;
});

test("a bubble stays from the answer until the log tells its message", async () => {
  line = new Line();
  const sending = write("one");
  await line.has(1);
  line.sent[0]!.answer();
  await sending;
  await outbox.load();
  expect(rows()).toMatchObject([{ state: "sending" }]);
  const told = message(1, { sender_type: "client", client_id: line.sent[0]!.data["client_id"] as string });
  chat.setState(apply(chat.getState(), event("message", told), ALICE, 0).state);
  expect(rows()).toEqual([]);
});

test("a bubble goes with the answer, where a snapshot has told its message before", async () => {
  line = new Line();
  const sending = write("one");
  await line.has(1);
  chat.setState({ conversations: { c1: { ...begun(conversation()), lastSeq: 7 } } });
  line.sent[0]!.answer({ conversation_seq: 7, repeated: true });
  await sending;
  expect(rows()).toEqual([]);
});

test("what is on its way waits while there is no socket, and goes again under the same id on the next one", async () => {
  line = new Line();
  const sending = write("one");
  await line.has(1);
  expect(rows()).toMatchObject([{ state: "sending" }]);
  line.isOnline = false;
  outbox.connectionChanged();
  await sending;
  expect(rows()).toMatchObject([{ state: "waiting" }]);
  line.isOnline = true;
  outbox.connectionChanged();
  await line.has(2);
  expect(rows()).toMatchObject([{ state: "sending" }]);
  expect(line.sent[1]!.data["client_id"]).toBe(line.sent[0]!.data["client_id"]);
  line.sent[1]!.answer();
  await outbox.send();
  expect(await database.getAll("outbox")).toEqual([]);
});

test("what a tab without a socket has in hand is sent by another tab that has one", async () => {
  const asleep = (line = new Line());
  void write("one");
  await asleep.has(1);
  asleep.isOnline = false;
  outbox.connectionChanged();
  // Nothing is heard of that tab any more.
  const awake = new Line();
  const other = new Outbox(database, "alice", new Tabs(), () => awake as unknown as Connection, {
    isOn: async () => false,
    seal: async () => ({}),
  });
  const sending = other.send();
  await awake.has(1);
  awake.sent[0]!.answer();
  await sending;
  expect(awake.sent[0]!.data["client_id"]).toBe(asleep.sent[0]!.data["client_id"]);
});

test("a message that was told before its socket went does not come back as one that waits", async () => {
  line = new Line();
  const sending = write("one");
  await line.has(1);
  const told = message(1, { sender_type: "client", client_id: line.sent[0]!.data["client_id"] as string });
  chat.setState(apply(chat.getState(), event("message", told), ALICE, 0).state);
  await outbox.told(told);
  line.isOnline = false;
  outbox.connectionChanged();
  await sending;
  expect(rows()).toEqual([]);
});

test("what was discarded is not sent", async () => {
  await write("one");
  await write("two");
  await outbox.discard(chat.getState().outgoing["c1"]![0]!.clientId);
  line = new Line();
  const sending = outbox.send();
  await line.has(1);
  line.sent[0]!.answer();
  await sending;
  expect(line.contents()).toEqual(["two"]);
});

test("a message is sealed once: every try sends the same bytes, and none the text", async () => {
  const first = (line = new Line());
  const sending = write("secret", { encrypted: true });
  await first.has(1);
  first.sent[0]!.lose();
  await sending;
  const second = (line = new Line());
  const again = outbox.send();
  await second.has(1);
  second.sent[0]!.answer();
  await again;
  expect(second.sent[0]).toMatchObject({ word: "encrypted_message", data: first.sent[0]!.data });
  expect(first.sent[0]!.data).not.toHaveProperty("content");
});

test("files go with an encrypted message, in every try; what opens them does not leave the device", async () => {
  const sealed = { attachment_id: "a1", filename: "plan.txt", content_type: "text/plain", size: 3, url: "", created_at: "", key: "the key", mediaType: "text/plain" };
  const first = (line = new Line());
  const sending = write("secret", { encrypted: true, attachments: [sealed] });
  await first.has(1);
  first.sent[0]!.lose();
  await sending;
  // A reload in between.
  chat.setState(EMPTY);
  outbox = make();
  await outbox.load();
  expect(chat.getState().outgoing["c1"]![0]!.attachments).toEqual([sealed]);
  const second = (line = new Line());
  const again = outbox.send();
  await second.has(1);
  second.sent[0]!.answer();
  await again;
  expect(second.sent[0]!.data).toEqual(first.sent[0]!.data);
  expect(second.sent[0]!.data["attachment_ids"]).toEqual(["a1"]);
  expect(JSON.stringify(second.sent[0]!.data)).not.toMatch(/plan\.txt|the key/);
});

test("a file that is sealed does not go with a message in the clear, where nobody could open it", async () => {
  const file = { attachment_id: "a1", filename: "plan.txt", content_type: "text/plain", size: 3, url: "", created_at: "", key: "k", mediaType: "text/plain" };
  line = new Line();
  await write("look", { attachments: [file] });
  expect(line.sent).toEqual([]);
  expect(rows()).toEqual([{ content: "look", state: "failed", error: "attach the files again" }]);
});

test("what takes long to be sealed is not overtaken by what was written after it", async () => {
  await write("a long letter", { encrypted: true });
  await write("short", { encrypted: true });
  await write("in the clear");
  const [begun, sealed] = [promised(), promised()];
  sealing = async (content) => {
    if (content === "short") return;
    begun.resolve();
    await sealed.promise;
  };
  line = new Line();
  const sending = outbox.send();
  await begun.promise;
  sealed.resolve();
  await line.has(3);
  expect(line.sent.map(({ data }) => String(data["content"] ?? data["ciphertext"]).replace(/ 0\..*/, ""))).toEqual([
    "sealed a long letter",
    "sealed short",
    "in the clear",
  ]);
  for (const sent of line.sent) sent.answer();
  await sending;
});

test("where the disk refuses, a message goes out all the same; without a connection it says why it does not", async () => {
  database.close();
  await write("one");
  expect(rows()).toMatchObject([{ content: "one", state: "failed" }]);
  expect(rows()[0]!.error).toBeTruthy();

  line = new Line();
  const again = outbox.retry(chat.getState().outgoing["c1"]![0]!.clientId);
  await line.has(1);
  line.sent[0]!.refuse("too long");
  await again;
  expect(rows()).toMatchObject([{ content: "one", state: "failed", error: "too long" }]);

  const last = write("two");
  await line.has(2);
  line.sent[1]!.answer();
  await last;
  expect(rows()).toMatchObject([{ content: "one" }, { content: "two", state: "sending" }]);
  const told = message(1, { sender_type: "client", client_id: line.sent[1]!.data["client_id"] as string });
  await outbox.told(told);
});

test("what the disk refused stays in sight when another tab tells of its own", async () => {
  const put = vi.spyOn(database, "put").mockRejectedValue(new DOMException("full", "QuotaExceededError"));
  await write("only here");
  put.mockRestore();
  await outbox.load();
  expect(rows()).toMatchObject([{ content: "only here", state: "failed", error: "full" }]);
  await outbox.discard(chat.getState().outgoing["c1"]![0]!.clientId);
  await outbox.load();
  expect(rows()).toEqual([]);
});

test("what is written while another tab's news is read stays in sight", async () => {
  const loading = outbox.load();
  await Promise.all([loading, write("hello")]);
  expect(rows()).toMatchObject([{ content: "hello", state: "waiting" }]);
});

test("what is to be sent again is not shown as failed because another tab's news is read in that moment", async () => {
  line = new Line();
  const sending = write("hello");
  await line.has(1);
  line.sent[0]!.refuse("too long");
  await sending;
  line = undefined;
  const { clientId } = chat.getState().outgoing["c1"]![0]!;
  const put = database.put.bind(database);
  let loading: Promise<void> | undefined;
  vi.spyOn(database, "put").mockImplementation((...row) => {
    loading = outbox.load();
    return put(...row);
  });
  await outbox.retry(clientId);
  await loading;
  expect(rows()).toMatchObject([{ content: "hello", state: "waiting", error: undefined }]);
});

test("what is written before it is known how it stands with its conversation is shown and on the disk, and not sent", async () => {
  const known = promised<boolean>();
  isOn = () => known.promise;
  line = new Line();
  const sending = write("hello", { encrypted: undefined });
  await vi.waitFor(async () => expect(await database.getAll("outbox")).toMatchObject([{ content: "hello" }]));
  expect(rows()).toMatchObject([{ content: "hello" }]);
  expect(line.sent).toEqual([]);
  known.resolve(true);
  await line.has(1);
  expect(line.sent[0]).toMatchObject({ word: "encrypted_message", data: { ciphertext: expect.stringContaining("sealed hello") } });
  line.sent[0]!.answer();
  await sending;
});

test.each([true, false])("it is decided once, since it may have gone out already (encrypted: %j)", async (encrypted) => {
  isOn = async () => encrypted;
  line = new Line();
  const sending = write("hello", { encrypted: undefined });
  await line.has(1);
  line.sent[0]!.lose();
  await sending;
  isOn = async () => !encrypted;
  const before = line.sent[0]!.data;
  line = new Line();
  outbox = make();
  const again = outbox.send();
  await line.has(1);
  expect(line.sent[0]!.data).toEqual(before);
  line.sent[0]!.answer();
  await again;
});

test("what was discarded while it was sealed is not sent", async () => {
  const [begun, sealed] = [promised(), promised()];
  sealing = () => {
    begun.resolve();
    return sealed.promise;
  };
  line = new Line();
  const sending = write("one", { encrypted: true });
  await begun.promise;
  await outbox.discard(chat.getState().outgoing["c1"]![0]!.clientId);
  sealed.resolve();
  await sending;
  expect(line.sent).toEqual([]);
  expect(await database.getAll("outbox")).toEqual([]);
});

test("what was discarded while it was looked up whether to seal it is not sent, now or later", async () => {
  const [asked, known] = [promised(), promised<boolean>()];
  isOn = () => {
    asked.resolve();
    return known.promise;
  };
  line = new Line();
  const sending = write("oops", { encrypted: undefined });
  await asked.promise;
  await outbox.discard(chat.getState().outgoing["c1"]![0]!.clientId);
  known.resolve(false);
  await sending;
  expect(line.sent).toEqual([]);
  expect(await database.getAll("outbox")).toEqual([]);
});

describe("what a page had not put on the disk when it went", () => {
  const goes = (): void => void dispatchEvent(new Event("pagehide"));
  const nextPage = async (): Promise<void> => {
    outbox.close();
    chat.setState(EMPTY);
    outbox = make();
    await outbox.begin();
  };

  test("is there in the next page, once, and is sent", async () => {
    const put = vi.spyOn(database, "put").mockReturnValue(new Promise(() => undefined));
    void write("one");
    void write("two");
    put.mockRestore();
    goes();
    await nextPage();
    expect(rows()).toMatchObject([{ content: "one", state: "waiting" }, { content: "two", state: "waiting" }]);
    expect(await database.getAll("outbox")).toHaveLength(2);
    await nextPage();
    expect(rows()).toHaveLength(2);
    line = new Line();
    const sending = outbox.send();
    await line.has(2);
    expect(line.contents()).toEqual(["one", "two"]);
    for (const each of line.sent) each.answer();
    await sending;
  });

  test("is there although the disk refused it, with the reason", async () => {
    const put = vi.spyOn(database, "put").mockRejectedValue(new DOMException("full", "QuotaExceededError"));
    await write("one");
    put.mockRestore();
    goes();
    await nextPage();
    expect(rows()).toEqual([{ content: "one", state: "failed", error: "full" }]);
  });

  test("does not undo what became of it, where the disk had it after all", async () => {
    await write("one");
    const [row] = await database.getAll("outbox");
    localStorage.setItem("amtrio.left.alice.page", JSON.stringify([{ ...row, content: "as it was" }]));
    await nextPage();
    expect(rows()).toMatchObject([{ content: "one" }]);
  });

  test("is left to nobody by a page that came back, and by who signed out", async () => {
    const put = vi.spyOn(database, "put").mockRejectedValue(new DOMException("full", "QuotaExceededError"));
    await write("one");
    put.mockRestore();
    goes();
    dispatchEvent(new Event("pageshow"));
    expect(Object.keys(localStorage)).toEqual([]);
    goes();
    expect(Object.keys(localStorage)).toHaveLength(1);
    outbox.erase();
    expect(Object.keys(localStorage)).toEqual([]);
  });
});

test("a clock that goes back does not change the order", async () => {
  await write("one");
  const later = chat.getState().outgoing["c1"]![0]!.createdAt + 3_600_000;
  chat.setState(({ outgoing }) => ({ outgoing: { c1: [{ ...outgoing["c1"]![0]!, createdAt: later }] } }));
  await write("two");
  expect(chat.getState().outgoing["c1"]![1]!.createdAt).toBeGreaterThan(later);
});

test("a message of a conversation that was deleted elsewhere goes with it, and is not counted where nobody sees it", async () => {
  await write("one");
  line = new Line();
  const sending = outbox.send();
  await line.has(1);
  line.sent[0]!.refuse("no conversation 'c1'", "not_found");
  await sending;
  expect(rows()).toEqual([]);
  expect(await database.getAll("outbox")).toEqual([]);
});

test("in a conversation that is there, a message that lacks something else stays with its reason", async () => {
  chat.setState({ conversations: { c1: begun(conversation()) } });
  await write("one");
  line = new Line();
  const sending = outbox.send();
  await line.has(1);
  line.sent[0]!.refuse("no attachment 'a1'", "not_found");
  await sending;
  expect(rows()).toMatchObject([{ state: "failed", error: "no attachment 'a1'" }]);
});

test("what had failed goes when everything is told anew without its conversation; what failed elsewhere and what waits stays", async () => {
  const known = { c1: begun(conversation()), c2: begun(conversation("c2")) };
  chat.setState({ conversations: known });
  line = new Line();
  for (const conversationId of ["c1", "c2"]) {
    const sending = write("failed", { conversationId });
    const sent = conversationId === "c1" ? 1 : 2;
    await line.has(sent);
    line.sent[sent - 1]!.refuse("too long");
    await sending;
  }
  line = undefined;
  await write("waits");
  chat.setState({ conversations: { c2: known.c2 } });
  await outbox.rebuilt();
  expect(rows()).toMatchObject([{ content: "waits", state: "waiting" }]);
  expect(chat.getState().outgoing["c2"]).toMatchObject([{ content: "failed", state: "failed" }]);
  expect(await database.getAll("outbox")).toHaveLength(2);
});

test("what could not be sealed because the server did not answer is tried again while the socket lives", async () => {
  sealing = async () => {
    throw new Unreachable("GET /agents/helper/keys: no route");
  };
  line = new Line();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    await write("secret", { encrypted: true });
    expect(rows()).toMatchObject([{ state: "waiting" }]);
    sealing = async () => undefined;
    await vi.advanceTimersByTimeAsync(60_000);
  } finally {
    vi.useRealTimers();
  }
  await line.has(1);
  line.sent[0]!.answer();
  await outbox.send();
  expect(await database.getAll("outbox")).toEqual([]);
});
