import { Rest } from "@amtrio/client";
import { beforeEach, expect, test } from "vitest";
import { begun } from "../../src/engine/conversations.ts";
import { openDatabase, type Database } from "../../src/engine/database.ts";
import { chat, EMPTY, type Timeline } from "../../src/engine/state.ts";
import { Timelines } from "../../src/engine/timelines.ts";
import { Writer } from "../../src/engine/writer.ts";
import { conversation, message } from "./scene.ts";

const LAST = 200;
let database: Database;
let asked: string[];
let isReachable: boolean;

/** A server with 200 messages. */
async function answer(input: RequestInfo | URL): Promise<Response> {
  const url = new URL(String(input));
  if (!isReachable) throw new TypeError("no route");
  asked.push(url.pathname + url.search);
  const one = /^\/messages\/m(\d+)$/.exec(url.pathname);
  if (url.pathname === "/messages/gone") return Response.json({ error: "no message", code: "not_found" }, { status: 404 });
  if (one !== null) return Response.json(message(Number(one[1])));
  const [limit, before, after] = ["limit", "before", "after"].map((name) => Number(url.searchParams.get(name)) || undefined);
  const all = Array.from({ length: LAST }, (_, at) => message(at + 1));
  const found = all.filter((each) => each.conversation_seq < (before ?? LAST + 1) && each.conversation_seq > (after ?? 0));
  const page = after === undefined ? found.slice(-limit!) : found.slice(0, limit);
  return Response.json(page, { headers: { "X-Amtrio-Seq": String(asked.length) } });
}

let timelines: Timelines;
let writer: Writer;
let logAt: number;
beforeEach(async () => {
  database = await openDatabase("alice");
  asked = [];
  isReachable = true;
  chat.setState({ ...EMPTY, conversations: { c1: { ...begun(conversation()), lastSeq: LAST } } });
  writer = new Writer(database);
  logAt = 0;
  timelines = new Timelines(database, new Rest({ url: "http://chat.test", fetch: answer }), writer, () => logAt);
});

const shown = (): Timeline => chat.getState().timelines["c1"]!;
const ends = (): (number | undefined)[] => [shown().messages[0]?.conversation_seq, shown().messages.at(-1)?.conversation_seq];

async function keep(first: number, last: number): Promise<void> {
  for (let seq = first; seq <= last; seq += 1) await database.put("messages", message(seq));
}

test("what is on this device is shown without asking the server", async () => {
  await keep(100, LAST);
  await timelines.show("c1");
  expect(ends()).toEqual([141, 200]);
  expect(asked).toEqual([]);
});

test("a hole on this device is not shown: the server is asked", async () => {
  await keep(150, 170);
  await keep(190, LAST);
  await timelines.show("c1");
  expect(ends()).toEqual([141, 200]);
  expect(shown().messages).toHaveLength(60);
  expect(asked).toHaveLength(1);
});

test("without a network the whole end of it is shown, with what went wrong", async () => {
  await keep(150, 170);
  await keep(190, LAST);
  isReachable = false;
  await timelines.show("c1");
  expect(ends()).toEqual([190, 200]);
  expect(shown().error).toBeTruthy();
  expect(shown().loading).toBeNull();
});

test("older ones come in front until the first", async () => {
  await keep(100, LAST);
  await timelines.show("c1");
  while (shown().hasOlder) await timelines.older("c1");
  expect(shown().messages.map((each) => each.conversation_seq)).toEqual(Array.from({ length: LAST }, (_, at) => at + 1));
});

test("a message from long ago is shown with what is around it, and the way to the present is walked without a hole", async () => {
  await timelines.around("c1", "m40");
  expect(ends()).toEqual([10, 70]);
  expect(shown()).toMatchObject({ hasOlder: true, hasNewer: true });
  while (shown().hasNewer) await timelines.newer("c1");
  expect(ends()).toEqual([10, 200]);
  expect(shown().messages).toHaveLength(191);
});

test("a message that is nowhere to be had is told to who asked for it", async () => {
  isReachable = false;
  await expect(timelines.around("c1", "m40")).rejects.toThrow();
});

test("a message that is answered from far away is taken from here, else from the server, once", async () => {
  await keep(40, 40);
  await timelines.quoted("m40");
  await Promise.all([timelines.quoted("m7"), timelines.quoted("m7")]);
  await timelines.quoted("m7");
  expect(chat.getState().quoted).toEqual({ m40: message(40), m7: message(7) });
  expect(asked).toEqual(["/messages/m7"]);
});

test("one that was not to be had without a network is to be had with it", async () => {
  isReachable = false;
  await timelines.quoted("m7");
  expect(chat.getState().quoted).toEqual({});
  isReachable = true;
  await timelines.quoted("m7");
  expect(chat.getState().quoted).toEqual({ m7: message(7) });
});

test("what the log told while a message was on its way is not overwritten", async () => {
  const loading = timelines.quoted("m7");
  logAt = 5;
  await database.put("messages", message(7, { content: "", deleted: true }));
  await loading;
  expect(chat.getState().quoted["m7"]).toMatchObject({ deleted: true });
});

test("what comes when somebody has left is nothing for who comes next", async () => {
  const loading = Promise.all([timelines.quoted("m7"), timelines.latest("c1")]);
  timelines.close();
  chat.setState(EMPTY);
  await loading;
  expect([chat.getState().quoted, chat.getState().timelines]).toEqual([{}, {}]);
});

test("a message that is gone for good is asked for once", async () => {
  await timelines.quoted("gone");
  await timelines.quoted("gone");
  expect(asked).toEqual(["/messages/gone"]);
});

test("what was fetched is kept for the next time without a network", async () => {
  await timelines.show("c1");
  await writer.flush();
  chat.setState({ timelines: {} });
  isReachable = false;
  await timelines.show("c1");
  expect(ends()).toEqual([141, 200]);
  expect(shown().error).toBeNull();
});

test("a conversation in which nothing was said is empty at once", async () => {
  chat.setState({ conversations: { c1: begun(conversation()) } });
  await timelines.show("c1");
  expect(shown()).toMatchObject({ messages: [], hasOlder: false, hasNewer: false, loading: null });
  expect(asked).toEqual([]);
});

test("of a conversation that is not known yet nothing is loaded, until it is", async () => {
  const known = chat.getState().conversations;
  chat.setState({ conversations: {} });
  await timelines.show("c1");
  expect(chat.getState().timelines).toEqual({});
  chat.setState({ conversations: known });
  await timelines.show("c1");
  expect(ends()).toEqual([141, 200]);
  expect(shown().error).toBeNull();
});

test("a page that is older than what the log told meanwhile is asked for again", async () => {
  logAt = 3;
  await timelines.show("c1");
  expect(asked).toHaveLength(3);
});
