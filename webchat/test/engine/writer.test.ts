import type { Message } from "@amtrio/client";
import { beforeEach, expect, test, vi } from "vitest";
import { begun } from "../../src/engine/conversations.ts";
import { messagesBetween, openDatabase, type Database, type OutboxRow } from "../../src/engine/database.ts";
import { Writer } from "../../src/engine/writer.ts";
import { conversation, message } from "./scene.ts";

let database: Database;
beforeEach(async () => {
  database = await openDatabase("alice");
});

const waiting = (conversationId: string): OutboxRow => ({
  clientId: `of ${conversationId}`,
  conversationId,
  content: "half sent",
  replyTo: undefined,
  attachments: [],
  createdAt: 1,
  state: "waiting",
  error: undefined,
  encrypted: false,
});
const seqs = async (): Promise<number[]> =>
  (await messagesBetween(database, "c1", 0, 99)).map((each) => each.conversation_seq);

test("what the log told and its place are there together", async () => {
  const writer = new Writer(database);
  writer.add({ messages: [message(1)], conversations: [begun(conversation())] }, { epoch: "e", seq: 7 });
  await writer.flush();
  expect(await seqs()).toEqual([1]);
  expect(await database.get("meta", "position")).toEqual({ epoch: "e", seq: 7 });
});

test("a message that changes on the disk is there together with the place of that, and what comes after it counts", async () => {
  const writer = new Writer(database);
  writer.add({ messages: [message(1), message(2)] }, { epoch: "e", seq: 7 });
  await writer.flush();
  const change = (each: Message): Message => ({ ...each, queued: true });
  writer.add({ stored: { messageId: "m1", change } }, { epoch: "e", seq: 8 });
  writer.add({ stored: { messageId: "m2", change } }, { epoch: "e", seq: 9 });
  writer.add({ messages: [message(2, { content: "edited" })] }, { epoch: "e", seq: 10 });
  writer.add({ stored: { messageId: "elsewhere", change } }, { epoch: "e", seq: 11 });
  await writer.flush();
  expect((await messagesBetween(database, "c1", 1, 2)).map(({ queued, content }) => [queued, content])).toEqual([
    [true, "message 1"],
    [undefined, "edited"],
  ]);
  expect(await database.get("meta", "position")).toEqual({ epoch: "e", seq: 11 });
});

test("a tab that is behind writes nothing over what a newer one wrote", async () => {
  const [ahead, behind] = [new Writer(database), new Writer(database)];
  ahead.add({ messages: [message(1, { content: "new" })] }, { epoch: "e", seq: 9 });
  await ahead.flush();
  behind.add({ messages: [message(1, { content: "old" })] }, { epoch: "e", seq: 8 });
  await behind.flush();
  expect((await messagesBetween(database, "c1", 1, 1))[0]?.content).toBe("new");
  expect(await database.get("meta", "position")).toEqual({ epoch: "e", seq: 9 });
});

test("nor with what a person does there, which is made from what that tab knows", async () => {
  const [ahead, behind] = [new Writer(database), new Writer(database)];
  behind.startAt({ epoch: "e", seq: 5 });
  ahead.add({ conversations: [{ ...begun(conversation()), lastSeq: 20 }] }, { epoch: "e", seq: 9 });
  await ahead.flush();
  behind.add({ conversations: [{ ...begun(conversation()), lastSeq: 10, pinned: true }] });
  await behind.flush();
  expect(await database.get("conversations", "c1")).toMatchObject({ lastSeq: 20, pinned: false });

  behind.add({}, { epoch: "e", seq: 9 });
  behind.add({ conversations: [{ ...begun(conversation()), lastSeq: 20, pinned: true }] });
  await behind.flush();
  expect(await database.get("conversations", "c1")).toMatchObject({ lastSeq: 20, pinned: true });
});

test("nor anything of a history that another tab has left", async () => {
  const [ahead, behind] = [new Writer(database), new Writer(database)];
  behind.startAt({ epoch: "old", seq: 900 });
  ahead.add({ isAnew: true, messages: [message(1)] }, { epoch: "new", seq: 3 });
  await ahead.flush();
  behind.add({ messages: [message(2)] });
  behind.add({ messages: [message(3)] }, { epoch: "old", seq: 901 });
  await behind.flush();
  expect(await seqs()).toEqual([1]);
  expect(await database.get("meta", "position")).toEqual({ epoch: "new", seq: 3 });
});

test("another history replaces this one, however small its numbers are", async () => {
  const writer = new Writer(database);
  writer.add({ messages: [message(1), message(2)] }, { epoch: "old", seq: 900 });
  writer.add({ isAnew: true, messages: [message(1)] }, { epoch: "new", seq: 3 });
  await writer.flush();
  expect(await seqs()).toEqual([1]);
  expect(await database.get("meta", "position")).toEqual({ epoch: "new", seq: 3 });
});

test("a conversation that is gone leaves no message, no draft and nothing to be sent, and other ones alone", async () => {
  const writer = new Writer(database);
  for (const id of ["c1", "c2"]) await database.put("outbox", waiting(id));
  await database.put("drafts", "half", "c1");
  writer.add({ messages: [message(1), message(1, { conversation_id: "c2", message_id: "other" })] });
  writer.add({ removed: ["c1"] });
  await writer.flush();
  expect(await seqs()).toEqual([]);
  expect(await messagesBetween(database, "c2", 0, 9)).toHaveLength(1);
  expect(await database.get("drafts", "c1")).toBeUndefined();
  expect(await database.getAllKeys("outbox")).toEqual(["of c2"]);
});

test("what could not be written is written with what comes next", async () => {
  const writer = new Writer(database);
  const broken = { ...message(1), content: (() => undefined) as unknown as string };
  writer.add({ messages: [broken] }, { epoch: "e", seq: 1 });
  await expect(writer.flush()).rejects.toThrow();
  expect(await database.get("meta", "position")).toBeUndefined();
});

/** Until it is over, every write comes to nothing, as on a disk that is full; each after a while. */
const full = (): { begun: number; over(): void } => {
  const get = async (): Promise<never> => {
    disk.begun += 1;
    await new Promise((resolve) => setTimeout(resolve, 10));
    throw new DOMException("full", "QuotaExceededError");
  };
  const spy = vi.spyOn(database, "transaction").mockReturnValue({ objectStore: () => ({ get }) } as never);
  const disk = { begun: 0, over: () => spy.mockRestore() };
  return disk;
};
const place = async (): Promise<unknown> => ((await database.get("meta", "position")) as { seq: number } | undefined)?.seq;

test("whoever asks whether all is on the disk is told so only when it is, also while another one's question is answered", async () => {
  const writer = new Writer(database);
  const disk = full();
  writer.add({ messages: [message(1)] }, { epoch: "e", seq: 7 });
  await expect(writer.flush()).rejects.toThrow("full");
  disk.over();
  const told: string[] = [];
  const first = writer.flush().then(() => told.push("first"));
  // The server is told next that it may forget what it told.
  await writer.flush();
  expect(told).toEqual(["first"]);
  await first;
});

test("where nothing can be written, nobody who asks is told that all is well", async () => {
  const writer = new Writer(database);
  const disk = full();
  writer.add({ messages: [message(1)] }, { epoch: "e", seq: 7 });
  const answers = await Promise.allSettled([writer.flush(), writer.flush()]);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  disk.over();
  await writer.flush();
  expect(await place()).toBe(7);
});

test("what is told while a write comes to nothing does not get its place on the disk without what came before it", async () => {
  const writer = new Writer(database);
  const disk = full();
  writer.add({ messages: [message(1)] }, { epoch: "e", seq: 7 });
  await expect(writer.flush()).rejects.toThrow("full");
  const { begun: before } = disk;
  const failing = writer.flush();
  await vi.waitFor(() => expect(disk.begun).toBeGreaterThan(before), { interval: 1 });
  disk.over();
  writer.add({ messages: [message(2)] }, { epoch: "e", seq: 8 });
  await expect(failing).rejects.toThrow("full");
  await vi.waitFor(async () => expect(await place()).toBe(8), { interval: 1 });
  expect(await seqs()).toEqual([1, 2]);
});
