import { openDB } from "idb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openStore } from "../../src/encryption/store.ts";
import { begun } from "../../src/engine/conversations.ts";
import { openDatabase } from "../../src/engine/database.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { keepOwnItem, ownItem } from "../../src/engine/own-items.ts";
import { chat } from "../../src/engine/state.ts";
import { Browser, SELF_KEY } from "./browser.ts";
import { conversation, hastened, message, promised } from "./scene.ts";

let browser: Browser;
let engine: Engine | undefined;
beforeEach(() => (browser = new Browser()));
afterEach(async () => {
  await engine?.signOut();
  browser.close();
});

const isSelf = (userId: string | undefined): Promise<void> =>
  vi.waitFor(() => expect(chat.getState().self?.userId).toBe(userId));

test("a tab whose session has ended does not go on with the cookie of who signed in meanwhile: it becomes theirs", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  engine.send("c1", "for nobody but the helper");
  await vi.waitFor(() => expect(socket.said("message")).toHaveLength(1));

  browser.isNow("bob");
  socket.drops(4401);
  await isSelf("bob");
  const next = await browser.socket(2);
  next.lets(1);
  await vi.waitFor(() => expect(chat.getState().link.kind).toBe("online"));
  expect(next.said("hello")).toMatchObject([{ token: "token of bob" }]);
  expect(next.said("message")).toEqual([]);
  expect(chat.getState().outgoing).toEqual({});
  expect(JSON.parse(localStorage.getItem(SELF_KEY)!)).toMatchObject({ userId: "bob" });
});

test("a tab of one person becomes that of another who signs in beside it", async () => {
  engine = await browser.open("alice");
  (await browser.socket(1)).lets(1);
  browser.isNow("bob");
  browser.says({ kind: "signed_in", userId: "bob" });
  await isSelf("bob");
  expect((await browser.socket(1)).isOver).toBe(true);
});

test("a tab that hears late that its person has signed out leaves the name of who signed in since", async () => {
  engine = await browser.open("alice");
  (await browser.socket(1)).lets(1);
  browser.isNow("bob");
  browser.says({ kind: "signed_out", userId: "alice" });
  browser.says({ kind: "signed_in", userId: "bob" });
  await isSelf("bob");
  expect(JSON.parse(localStorage.getItem(SELF_KEY)!)).toMatchObject({ userId: "bob" });
});

test("what the server says late of one person is not shown to the next", async () => {
  const [account, agents] = [promised<unknown>(), promised<unknown>()];
  browser.held.set("/account", account.promise);
  browser.held.set("/agents", agents.promise);
  engine = await browser.open("alice");
  (await browser.socket(1)).lets(1);
  await vi.waitFor(() => expect(browser.asked).toContain("GET /account"));

  browser.isNow("bob");
  browser.says({ kind: "signed_out", userId: "alice" });
  browser.says({ kind: "signed_in", userId: "bob" });
  await isSelf("bob");
  account.resolve({ user_id: "alice", is_admin: true });
  agents.resolve([{ agent_id: "of-alice", name: "Hers" }]);
  await browser.socket(2);
  expect(chat.getState().account).toBeUndefined();
  expect(chat.getState().agents).toEqual({});
});

test("a list of agents that was made before somebody came does not take them away again", async () => {
  const agents = promised<unknown>();
  browser.held.set("/agents", agents.promise);
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  await vi.waitFor(() => expect(browser.asked).toContain("GET /agents"));
  socket.says({ type: "presence_update", data: { id: "anna", type: "agent", online: true } });
  socket.says({ type: "agent_changed", seq: 2, data: { agent_id: "berta", name: "Berta", online: true } });
  await vi.waitFor(() => expect(chat.getState().agents).toHaveProperty("berta"));

  agents.resolve([{ agent_id: "anna", name: "Anna", online: false, status: "offline" }]);
  await vi.waitFor(() => expect(chat.getState().agents).toHaveProperty("anna"));
  expect(chat.getState().agents).toMatchObject({ anna: { name: "Anna", online: true, status: "online" }, berta: { name: "Berta" } });
});

/** What the server says of `c1` when it is asked, once it is let. */
function heldRow(): { says(more: object): void } {
  const answer = promised<unknown>();
  browser.held.set("/conversations/c1", answer.promise);
  const own = { pinned: false, archived: false, muted_until: null, tags: [] };
  return { says: (more) => answer.resolve({ ...conversation(), ...own, unread_count: 0, read_up_to: 0, ...more }) };
}
const isAsked = (times: number): Promise<void> =>
  vi.waitFor(() => expect(browser.asked.filter((each) => each === "GET /conversations/c1")).toHaveLength(times));
const preview = (): unknown[] => {
  const { last, unread } = chat.getState().conversations["c1"]!;
  return [last?.message_id, unread];
};

test("what the server says of a chat whose newest message was deleted does not undo what the log told while it was asked", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  socket.says({ type: "message", seq: 3, data: message(4) });
  const rows = [heldRow()];
  socket.says({ type: "message_deleted", seq: 4, data: message(4, { content: "", deleted: true }) });
  await isAsked(1);
  socket.says({ type: "message", seq: 5, data: message(5) });
  await vi.waitFor(() => expect(preview()).toEqual(["m5", 1]));
  rows.push(heldRow());
  rows[0]!.says({ last_message: message(3), unread_count: 0 });
  await isAsked(2);
  expect(preview()).toEqual(["m5", 1]);
  rows[1]!.says({ last_message: message(5), unread_count: 1, title: "Plans" });
  await vi.waitFor(() => expect(chat.getState().conversations["c1"]?.title).toBe("Plans"));
  expect(preview()).toEqual(["m5", 1]);
});

test("a chat in which its agent does not stop for the server's answer is asked for a few times, and shows what the log told", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  let row = heldRow();
  // Its beginning was skipped.
  socket.says({ type: "message", seq: 2, data: message(1) });
  for (let asked = 1; asked <= 4; asked += 1) {
    await isAsked(asked);
    socket.says({ type: "message", seq: asked + 2, data: message(asked + 1) });
    await vi.waitFor(() => expect(preview()).toEqual([`m${asked + 1}`, asked + 1]));
    const answered = row;
    row = heldRow();
    answered.says({ last_message: message(asked), unread_count: asked, title: "Plans" });
  }
  await vi.waitFor(() => expect(chat.getState().conversations["c1"]?.title).toBe("Plans"));
  expect(preview()).toEqual(["m5", 5]);
  await isAsked(4);
});

test("what was read here is not unread again because the server had not heard of it when it was asked", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  for (const seq of [1, 2]) socket.says({ type: "message", seq: seq + 2, data: message(seq) });
  await vi.waitFor(() => expect(preview()).toEqual(["m2", 2]));
  engine.markRead("c1", 2);
  const rows = [heldRow()];
  socket.says({ type: "message_deleted", seq: 5, data: message(2, { content: "", deleted: true }) });
  await vi.waitFor(() => expect(preview()).toEqual([undefined, 0]));
  rows.push(heldRow());
  rows[0]!.says({ last_message: message(1), unread_count: 1 });
  await vi.waitFor(() => expect(browser.held.size).toBe(0));
  expect(preview()).toEqual([undefined, 0]);
  rows[1]!.says({ last_message: message(1), unread_count: 0, read_up_to: 2 });
  await vi.waitFor(() => expect(preview()).toEqual(["m1", 0]));
});

test("events that were not applied when somebody left are not shown any more", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  for (let seq = 1; seq <= 300; seq += 1) socket.says({ type: "message", seq: seq + 2, data: message(seq) });
  browser.says({ kind: "signed_out", userId: "alice" });
  expect(chat.getState().self).toBeNull();
  await vi.waitFor(() => expect(socket.isOver).toBe(true));
  expect(chat.getState().conversations).toEqual({});
});

test("a new chat with whom one has an archived one brings that one back", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: { ...conversation(), archived: true } });
  await vi.waitFor(() => expect(chat.getState().conversations).toHaveProperty("c1"));
  expect(await engine.openConversation("helper")).toBe("c1");
  await vi.waitFor(() => expect(browser.asked).toContain("PATCH /conversations/c1"));
  expect(chat.getState().conversations["c1"]?.archived).toBe(false);
});

test("what was read before there was a connection is said to the server once there is one", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  socket.says({ type: "message", seq: 3, data: message(1) });
  await vi.waitFor(() => expect(chat.getState().conversations["c1"]?.unread).toBe(1));
  // The next page shows what was kept, and somebody reads it, while it still asks for its token.
  browser.says({ kind: "signed_out", userId: "alice" });
  engine = await browser.open("alice");
  expect(chat.getState().conversations["c1"]?.unread).toBe(1);
  engine.markRead("c1", 1);
  const next = await browser.socket(2);
  next.lets(3);
  await vi.waitFor(() => expect(next.said("read")).toMatchObject([{ conversation_id: "c1", up_to: 1 }]));
});

test("a disk that refuses is no reason to leave the server", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  await vi.waitFor(() => expect(chat.getState().link.kind).toBe("online"));
  // The database is taken away, as a newer version of the app in another tab does it.
  (await openDB("amtrio-alice", 99)).close();
  const reaction = { conversation_id: "c1", message_id: "m1", emoji: "👍", account_kind: "agent", account_id: "helper" };
  socket.says({ type: "reaction_added", seq: 3, data: reaction });
  socket.says({ type: "message", seq: 4, data: message(1, { sender_type: "client", client_id: "elsewhere" }) });
  socket.says({ type: "message", seq: 5, data: message(2) });
  await vi.waitFor(() => expect(chat.getState().conversations["c1"]?.lastSeq).toBe(2));
  expect(socket.isOver).toBe(false);
});

test("signing out waits a moment for the server, and not for one that swallows what it is asked", async () => {
  const signedIn = await browser.open("alice");
  (await browser.socket(1)).lets(1);
  await vi.waitFor(() => expect(chat.getState().link.kind).toBe("online"));
  browser.held.set("/auth/logout", promised().promise);
  signedIn.beforeSignOut = () => promised().promise;
  await hastened(() => signedIn.signOut());
  expect(browser.asked).toContain("POST /auth/logout");
  expect([chat.getState().self, localStorage.getItem(SELF_KEY)]).toEqual([null, null]);
  expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain("amtrio-alice");
});

test("a refused edit does not bring back a message that was deleted meanwhile, and puts back the text of any other", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  const said = [message(1, { sender_type: "client" }), message(2, { sender_type: "client" })];
  await vi.waitFor(() => expect(chat.getState().conversations["c1"]).toBeDefined());
  chat.setState({ timelines: { c1: { messages: said, hasOlder: false, hasNewer: false, loading: null, error: null } } });
  const edits = said.map((each) => engine!.edit(each, "better"));
  const shown = (): unknown[] => chat.getState().timelines["c1"]!.messages.map((each) => (each.deleted ? "deleted" : each.content));
  expect(shown()).toEqual(["better", "better"]);
  socket.says({ type: "message_deleted", seq: 3, data: { ...said[0], content: "", deleted: true } });
  await vi.waitFor(() => expect(shown()[0]).toBe("deleted"));
  for (const { ref } of socket.heard.filter(({ type }) => type === "edit")) {
    socket.says({ type: "error", ref, data: { error: "no", code: "conflict", retry: "no" } });
  }
  for (const each of edits) await expect(each).rejects.toMatchObject({ code: "conflict" });
  expect(shown()).toEqual(["deleted", "message 2"]);
});

test("a tab that is frozen with the database open does not hold up who signs out, and keeps nothing of theirs", async () => {
  const signedIn = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  await vi.waitFor(() => expect(chat.getState().conversations["c1"]).toBeDefined());
  // It does not hear that it is in the way.
  const frozen = await openDB("amtrio-alice");
  await vi.waitFor(async () => expect(await frozen.count("conversations")).toBe(1));
  await hastened(() => signedIn.signOut());
  for (const store of frozen.objectStoreNames) expect(await frozen.count(store)).toBe(0);
  frozen.close();
  await vi.waitFor(async () => expect(await indexedDB.databases()).toEqual([]));
});

test("a page that goes at once after a reaction has come does not lose it: it is on the disk with its place in the log", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  socket.says({ type: "message", seq: 3, data: message(1) });
  const database = await openDB("amtrio-alice");
  const place = async (): Promise<unknown> => ((await database.get("meta", "position")) as { seq: number } | undefined)?.seq;
  await vi.waitFor(async () => expect(await place()).toBe(3));
  const reaction = { conversation_id: "c1", message_id: "m1", emoji: "👍", account_kind: "agent", account_id: "helper" };
  socket.says({ type: "reaction_added", seq: 4, data: reaction });
  await vi.waitFor(async () => expect(await place()).toBe(4), { interval: 1 });
  expect(await database.getFromIndex("messages", "message_id", "m1")).toMatchObject({ reactions: [{ emoji: "👍" }] });
  database.close();
});

test("who signed out beside a frozen tab signs in again without waiting for it, and writes", async () => {
  const signedIn = await browser.open("alice");
  (await browser.socket(1)).lets(1);
  await vi.waitFor(() => expect(chat.getState().link.kind).toBe("online"));
  (await openStore("alice")).close();
  const frozen = [await openDB("amtrio-alice"), await openDB("amtrio-keys-alice")];
  await hastened(() => signedIn.signOut());

  engine = await browser.open("alice");
  const socket = await browser.socket(2);
  socket.lets(1);
  engine.send("c1", "here again");
  await vi.waitFor(() => expect(socket.said("message")).toMatchObject([{ content: "here again" }]));
  for (const each of frozen) each.close();
});

test("keys that a frozen tab has open are no keys any more when somebody has signed out", async () => {
  const signedIn = await browser.open("alice");
  (await browser.socket(1)).lets(1);
  const store = await openStore("alice");
  await store.database.put("own", { state: "ready", oneTimeKeys: 3 }, "standing");
  store.close();
  localStorage.setItem("amtrio.vault.alice", "used");
  const frozen = await openDB("amtrio-keys-alice");
  await hastened(() => signedIn.signOut());
  for (const each of frozen.objectStoreNames) expect(await frozen.count(each)).toBe(0);
  expect(localStorage.getItem("amtrio.vault.alice")).toBeNull();
  frozen.close();
});

test("in an encrypted conversation nothing is changed, answered or said in the clear", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  await vi.waitFor(() => expect(chat.getState().conversations["c1"]).toBeDefined());
  chat.setState({ secrecy: { c1: { kind: "on", safetyNumber: "1", verified: false } }, runs: { c1: ["r1"] } });
  const said = message(1, { sender_type: "client" });
  await expect(engine.edit(said, "my secret")).rejects.toMatchObject({ code: "unsupported" });
  await expect(engine.answer(said, [], "my secret")).rejects.toMatchObject({ code: "unsupported" });
  await expect(engine.steer("r1", "my secret")).rejects.toMatchObject({ code: "unsupported" });
  expect(JSON.stringify(socket.heard)).not.toContain("my secret");
  // What was asked in the clear may be answered by a button.
  void engine.answer(said, ["yes"]).catch(() => undefined);
  await vi.waitFor(() => expect(socket.said("answer")).toMatchObject([{ option_ids: ["yes"] }]));
});

test("what views keep of a person goes when they sign out, and what they keep of others stays", async () => {
  const signedIn = await browser.open("bob");
  (await browser.socket(1)).lets(1);
  keepOwnItem("palette.recent", "[]");
  browser.says({ kind: "signed_out", userId: "bob" });
  const alice = await browser.open("alice");
  expect(ownItem("palette.recent")).toBeNull();
  keepOwnItem("palette.recent", "[]");
  await alice.signOut();
  const own = Object.keys(localStorage).filter((key) => key.startsWith("amtrio.own."));
  expect(own).toEqual(["amtrio.own.bob.palette.recent"]);
  await signedIn.signOut();
});

test("what is loaded from the server is found by a search on this device, also one that had looked before", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  socket.says({ type: "conversation_created", seq: 2, data: conversation() });
  socket.says({ type: "message", seq: 3, data: message(2, { content: "apple pie" }) });
  const found = async (): Promise<string[]> => (await engine!.searchHere("apple", 9)).map((each) => each.message_id);
  await vi.waitFor(async () => expect(await found()).toEqual(["m2"]));
  browser.held.set("/conversations/c1/messages", Promise.resolve([message(1, { content: "apple juice" }), message(2, { content: "apple pie" })]));
  await engine.loadLatest("c1");
  await vi.waitFor(async () => expect(await found()).toEqual(["m2", "m1"]));
});

test("who signs in after another in one tab is the same device, and nothing of the one before hears other tabs", async () => {
  engine = await browser.open("alice");
  const before = browser.listeners.size;
  for (const [at, name] of ["bob", "alice"].entries()) {
    (await browser.socket(at + 1)).lets(1);
    await engine.signOut();
    await engine.signIn(name, "secret");
  }
  const devices = await Promise.all([1, 2, 3].map(async (number) => {
    const socket = await browser.socket(number);
    if (number === 3) socket.lets(1);
    return socket.said("hello")[0]!["device_id"];
  }));
  expect(devices).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/^web-[0-9a-f]{12}-1$/)));
  expect(browser.listeners.size).toBe(before);
});

test("a view that asks for a conversation as soon as somebody is there gets it, and what is written there is not lost", async () => {
  engine = await browser.open("alice");
  await engine.signOut();
  const database = await openDatabase("alice");
  await database.put("conversations", { ...begun(conversation()), lastSeq: 1 });
  await database.put("messages", message(1));
  await database.put("meta", { epoch: "ep", seq: 1 }, "position");
  database.close();
  const shown = chat.subscribe((state, before) => {
    if (!state.self || before.self) return;
    // As views do it: once they are drawn.
    queueMicrotask(() => {
      engine!.show("c1");
      engine!.send("c1", "at once");
    });
  });
  await engine.signIn("alice", "secret");
  shown();
  await vi.waitFor(() => expect(chat.getState().timelines["c1"]?.messages).toHaveLength(1));
  expect(chat.getState().outgoing["c1"]).toMatchObject([{ content: "at once" }]);
});
