import type { Message } from "@amtrio/client";
import { beforeEach, expect, test, vi } from "vitest";
import { openDatabase, type Database } from "../../src/engine/database.ts";
import { SearchHere } from "../../src/engine/search-here.ts";
import { Writer } from "../../src/engine/writer.ts";
import { message, promised } from "./scene.ts";

let database: Database;
let writer: Writer;
let plain: Record<string, string | null>;
let search: SearchHere;

beforeEach(async () => {
  database = await openDatabase("alice");
  plain = {};
  search = new SearchHere(database, () => plain);
  writer = new Writer(database, (change) => search.learn(change));
});

async function keep(...messages: Message[]): Promise<void> {
  writer.add({ messages });
  await writer.flush();
}

const found = async (query: string, limit = 9): Promise<string[]> =>
  (await search.find(query, limit)).map((each) => each.message_id);

test("all words must be there, in any order, whatever their case and accents", async () => {
  await keep(message(1, { content: "Der Kühlschrank ist LEER" }), message(2, { content: "leer wie ein Kopf" }));
  expect(await found("leer kuhl")).toEqual(["m1"]);
});

test("the newest come first, as many as are wanted", async () => {
  await keep(message(1), message(2), message(3));
  expect(await found("message", 2)).toEqual(["m3", "m2"]);
});

test("what comes, changes and goes after the first search is found as it is", async () => {
  await keep(message(1, { content: "apple" }));
  expect(await found("apple")).toEqual(["m1"]);
  await keep(message(1, { content: "pear" }), message(2, { content: "apple pie" }));
  expect(await found("apple")).toEqual(["m2"]);
  await keep(message(2, { content: "", deleted: true }));
  expect(await found("apple")).toEqual([]);
});

test("an encrypted message is found by what it says, never by its ciphertext", async () => {
  await keep(message(1, { kind: "encrypted", content: "abcdef" }));
  expect(await found("abcdef")).toEqual([]);
  plain["m1"] = "the secret plan";
  expect(await found("secret")).toEqual(["m1"]);
});

test("no word finds nothing", async () => {
  await keep(message(1));
  expect(await found("  ")).toEqual([]);
});

test("what goes with its conversation, or with the whole history, takes no place of what is still there", async () => {
  await keep(message(1, { content: "apple" }), message(2, { content: "apple", conversation_id: "c2" }));
  expect(await found("apple")).toEqual(["m2", "m1"]);
  writer.add({ removed: ["c2"] });
  await writer.flush();
  expect(await found("apple", 1)).toEqual(["m1"]);
  writer.add({ isAnew: true, messages: [message(3, { content: "apple" })] });
  await writer.flush();
  expect(await found("apple", 1)).toEqual(["m3"]);
});

test("a tab that is behind another one finds what it is told, which the other one wrote", async () => {
  await keep(message(1, { content: "apple" }));
  await found("apple");
  const other = new Writer(database);
  other.add({ messages: [message(2, { content: "apple" })] }, { epoch: "e", seq: 9 });
  await other.flush();
  writer.add({ messages: [message(2, { content: "apple" })] }, { epoch: "e", seq: 8 });
  await writer.flush();
  expect(await found("apple")).toEqual(["m2", "m1"]);
});

test("a device that could not be read is read again by the next search, and what comes meanwhile harms nobody", async () => {
  await keep(message(1, { content: "apple" }));
  const reading = promised<Message[]>();
  const spy = vi.spyOn(database, "getAll").mockReturnValueOnce(reading.promise);
  const first = search.find("apple", 9);
  await keep(message(2, { content: "apple" }));
  reading.resolve(Promise.reject(new Error("busy")));
  await expect(first).rejects.toThrow("busy");
  spy.mockRestore();
  expect(await found("apple")).toEqual(["m2", "m1"]);
});
