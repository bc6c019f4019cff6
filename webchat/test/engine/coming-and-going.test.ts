/** Who is in this tab, when several things about that happen at once. */

import { openDB } from "idb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { chat } from "../../src/engine/state.ts";
import { Browser, URL_OF_SERVER } from "./browser.ts";
import { conversation, promised } from "./scene.ts";

let browser: Browser;
let engine: Engine;
beforeEach(() => {
  browser = new Browser();
  browser.isNow("alice");
  engine = new Engine(URL_OF_SERVER, browser.fetch);
});
afterEach(async () => {
  await engine.signOut();
  browser.close();
});

const open = (): string[] => browser.server.sockets.filter(({ isOver }) => !isOver).map((socket) => String(socket.said("hello")[0]?.["token"]));
/** Nothing more comes of what has begun. */
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
const isConnected = async (number: number): Promise<void> => {
  (await browser.socket(number)).lets(1);
  await vi.waitFor(() => expect(chat.getState().link.kind).toBe("online"));
};

test("a person of whom another tab tells while this one still reads what it knows of them is in it once", async () => {
  const started = engine.start();
  browser.says({ kind: "signed_in", userId: "alice" });
  await started;
  await isConnected(1);
  await quiet();
  expect(open()).toEqual(["token of alice"]);
  await engine.signOut();
  expect(open()).toEqual([]);
  for (const socket of browser.server.sockets) socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  await quiet();
  expect(chat.getState()).toMatchObject({ self: null, conversations: {} });
});

test("a person who signs out elsewhere while this tab still reads is not shown, and never connected", async () => {
  const shown: unknown[] = [];
  const stop = chat.subscribe(({ self }) => shown.push(self));
  const started = engine.start();
  browser.says({ kind: "signed_out", userId: "alice" });
  await started;
  await quiet();
  stop();
  expect([...new Set(shown)]).toEqual([null]);
  expect(browser.server.sockets).toEqual([]);
});

test("a person who signs in elsewhere while this tab still reads what it knows of another is the one who is in it", async () => {
  const started = engine.start();
  browser.isNow("bob");
  browser.says({ kind: "signed_in", userId: "bob" });
  browser.says({ kind: "signed_in", userId: "bob" });
  await started;
  await vi.waitFor(() => expect(chat.getState().self?.userId).toBe("bob"));
  await isConnected(1);
  await quiet();
  expect(open()).toEqual(["token of bob"]);
});

test("a person who signs in here while another tab tells of them is here once", async () => {
  localStorage.clear();
  await engine.start();
  const answer = promised<unknown>();
  browser.held.set("/auth/login", answer.promise);
  const signedIn = engine.signIn("alice", "secret");
  browser.isNow("alice");
  browser.says({ kind: "signed_in", userId: "alice" });
  await isConnected(1);
  answer.resolve({ token: "token of alice", user_id: "alice", username: "alice", session_id: "s", expires_at: null });
  await signedIn;
  await quiet();
  expect(browser.server.sockets).toHaveLength(1);
});

test("a person who signs in here while another tab tells of somebody else takes the place of that one", async () => {
  localStorage.clear();
  await engine.start();
  const answer = promised<unknown>();
  browser.held.set("/auth/login", answer.promise);
  const signedIn = engine.signIn("alice", "secret");
  browser.isNow("bob");
  browser.says({ kind: "signed_in", userId: "bob" });
  await isConnected(1);
  answer.resolve({ token: "token of alice", user_id: "alice", username: "alice", session_id: "s", expires_at: null });
  await signedIn;
  await isConnected(2);
  expect(chat.getState().self?.userId).toBe("alice");
  expect(open()).toEqual(["token of alice"]);
});

test("signing out while this tab still reads leaves nothing on this device", async () => {
  const started = engine.start();
  await engine.signOut();
  await started;
  expect(chat.getState().self).toBeNull();
  expect(await indexedDB.databases()).toEqual([]);
});

test("a tab that cannot read what it has of the next person shows nobody, and no error is left to nobody", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  await engine.start();
  await isConnected(1);
  // A newer version of the app was here.
  (await openDB("amtrio-bob", 99)).close();
  browser.isNow("bob");
  browser.server.socket.drops(4401);
  await vi.waitFor(() => expect(chat.getState().self).toBeNull());
  await quiet();
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
  expect(chat.getState().self).toBeNull();
});

test("a browser that refuses its locks for a moment is asked again", async () => {
  vi.spyOn(navigator.locks, "request").mockRejectedValueOnce(new Error("not now"));
  await engine.start();
  await vi.waitFor(() => expect(chat.getState().link).toMatchObject({ kind: "offline", reason: "not now" }));
  engine.reconnect();
  await isConnected(1);
});
