/** A browser that lets the page keep nothing, such as in a private window or with site data blocked. */

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StorageRefused } from "../../src/engine/device-storage.ts";
import { Engine } from "../../src/engine/engine.ts";
import { chat } from "../../src/engine/state.ts";
import { Browser, SELF_KEY, URL_OF_SERVER } from "./browser.ts";
import { hastened, promised } from "./scene.ts";

let browser: Browser;
let engine: Engine;
beforeEach(async () => {
  browser = new Browser();
  engine = new Engine(URL_OF_SERVER, browser.fetch);
  await engine.start();
});
afterEach(() => browser.close());

const throwing = (name: string) => (): never => {
  throw new DOMException("said by the browser", name);
};

test.each([
  ["refuses its databases", () => vi.stubGlobal("indexedDB", { open: throwing("SecurityError") })],
  ["has none", () => vi.stubGlobal("indexedDB", undefined)],
  ["keeps not even a name", () => vi.stubGlobal("localStorage", { getItem: () => null, setItem: throwing("SecurityError") })],
  ["does not let the page look", () => vi.stubGlobal("localStorage", new Proxy({}, { get: throwing("SecurityError") }))],
])("in a browser that %s nobody gets in, and a try leaves no session behind", async (_, refuse) => {
  refuse();
  await expect(engine.signIn("alice", "secret")).rejects.toThrow(StorageRefused);
  expect(browser.asked.filter((each) => each.startsWith("POST"))).toEqual(["POST /auth/login", "POST /auth/logout"]);
  vi.unstubAllGlobals();
  expect(localStorage.getItem(SELF_KEY)).toBeNull();
  expect(chat.getState().self).toBeNull();
});

test("a server that does not hear of the end of the session does not hide why nobody got in", async () => {
  vi.stubGlobal("indexedDB", undefined);
  browser.held.set("/auth/logout", Promise.reject(new TypeError("no network")));
  await expect(engine.signIn("alice", "secret")).rejects.toThrow(StorageRefused);
});

test("an end of a session that the server answers late does not end the one that was begun since", async () => {
  vi.stubGlobal("indexedDB", { open: throwing("UnknownError") });
  const late = promised<object>();
  browser.held.set("/auth/logout", late.promise);
  await hastened(() => expect(engine.signIn("alice", "secret")).rejects.toThrow(StorageRefused));
  vi.stubGlobal("indexedDB", new IDBFactory());
  await engine.signIn("alice", "secret");
  late.resolve({});
  await new Promise((resolve) => setTimeout(resolve));
  expect(localStorage.getItem(SELF_KEY)).not.toBeNull();
  expect(engine.rest.token).toBe("token of alice");
  await engine.signOut();
});

test("whatever keeps somebody out after their name was right, a try leaves no session behind", async () => {
  vi.stubGlobal("indexedDB", { open: throwing("QuotaExceededError") });
  await expect(engine.signIn("alice", "secret")).rejects.toThrow("said by the browser");
  expect(browser.asked).toContain("POST /auth/logout");
});

test("a session that was there before is not ended because the browser refuses for once", async () => {
  browser.isNow("alice");
  vi.stubGlobal("indexedDB", undefined);
  await expect(engine.start()).rejects.toThrow(StorageRefused);
  expect(browser.asked).not.toContain("POST /auth/logout");
  expect(localStorage.getItem(SELF_KEY)).not.toBeNull();
});
