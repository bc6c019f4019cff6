import { beforeEach, expect, test, vi } from "vitest";
import { openDatabase, type Database } from "../../src/engine/database.ts";
import { Drafts } from "../../src/engine/drafts.ts";
import { chat, EMPTY } from "../../src/engine/state.ts";
import { Tabs } from "../../src/engine/tabs.ts";

let database: Database;
let drafts: Drafts;
beforeEach(async () => {
  database = await openDatabase("alice");
  chat.setState(EMPTY);
  drafts = new Drafts(database, "alice", new Tabs());
});

test("a draft is shown at once and kept after a pause", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  drafts.set("c1", "ha");
  drafts.set("c1", "half");
  expect(chat.getState().drafts).toEqual({ c1: "half" });
  vi.runAllTimers();
  vi.useRealTimers();
  await drafts.close();
  expect(await database.get("drafts", "c1")).toBe("half");
});

test("what is written as the page goes is kept by the next page", async () => {
  drafts.set("c1", "half");
  dispatchEvent(new Event("pagehide"));
  drafts.set("c1", "half a thought");
  chat.setState(EMPTY);
  const next = new Drafts(database, "alice", new Tabs());
  await next.load();
  expect(chat.getState().drafts).toEqual({ c1: "half a thought" });
  expect(await database.get("drafts", "c1")).toBe("half a thought");
  expect(localStorage.getItem("amtrio.drafts.alice")).toBeNull();
});

test("what a page left as it went is not what it says after it came back", async () => {
  drafts.set("c1", "half");
  dispatchEvent(new Event("pagehide"));
  dispatchEvent(new Event("pageshow"));
  drafts.set("c1", "");
  await drafts.close();
  chat.setState(EMPTY);
  const next = new Drafts(database, "alice", new Tabs());
  await next.load();
  expect(chat.getState().drafts).toEqual({});
});

test("what the disk refused is kept by the page that goes", async () => {
  database.close();
  drafts.set("c1", "precious");
  await drafts.close();
  const again = new Drafts(database, "alice", new Tabs());
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  again.set("c1", "more precious");
  await vi.runAllTimersAsync();
  vi.useRealTimers();
  dispatchEvent(new Event("pagehide"));
  expect(JSON.parse(localStorage.getItem("amtrio.drafts.alice")!)).toEqual({ c1: "more precious" });
});

test("what was sent leaves no draft behind", async () => {
  drafts.set("c1", "half");
  drafts.set("c1", "");
  await drafts.close();
  expect(chat.getState().drafts).toEqual({});
  expect(await database.get("drafts", "c1")).toBeUndefined();
});
