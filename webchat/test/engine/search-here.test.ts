import type { Message } from "@amtrio/client";
import { beforeEach, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/engine/database.ts";
import { SearchHere } from "../../src/engine/search-here.ts";
import { message } from "./scene.ts";

let database: Database;
let plain: Record<string, string | null>;
let search: SearchHere;

beforeEach(async () => {
  database = await openDatabase("alice");
  plain = {};
  search = new SearchHere(database, () => plain);
});

async function keep(...messages: Message[]): Promise<void> {
  for (const each of messages) await database.put("messages", each);
  await search.learn(messages);
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
