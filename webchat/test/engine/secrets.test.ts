import type { Attachment, Message } from "@amtrio/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { spelt } from "../../src/encryption/bytes.ts";
import { openVault } from "../../src/encryption/vault.ts";
import { begun } from "../../src/engine/conversations.ts";
import type { OutboxRow } from "../../src/engine/database.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { sealedFile } from "../../src/engine/sealed-files.ts";
import { Secrets } from "../../src/engine/secrets.ts";
import { chat, EMPTY } from "../../src/engine/state.ts";
import { KeyServer, stored, TestAgent } from "../encryption/key-server.ts";
import { Browser } from "./browser.ts";
import { conversation, message, promised } from "./scene.ts";

let server: KeyServer;
let browser: Browser;
let engine: Engine | undefined;
beforeEach(async () => {
  server = new KeyServer();
  await TestAgent.published(server);
  browser = new Browser();
  chat.setState({ ...EMPTY, conversations: { c1: begun(conversation("c1", { agent_id: "demo" })) } });
});
afterEach(async () => {
  await engine?.signOut();
  engine = undefined;
  browser.close();
});

/** Alice has turned encryption on in `c1`, and then the page went. */
async function turnedOn(userId = "alice"): Promise<void> {
  const secrets = new Secrets(userId, server.rest(`user/${userId}`));
  await secrets.turn("c1", true);
  await secrets.close();
  chat.setState(({ conversations }) => ({ ...EMPTY, conversations }));
}

test("what is sent before the page knows how it stands with a conversation is sealed, if the conversation is", async () => {
  await turnedOn();
  engine = await browser.open("alice");
  engine.send("c1", "my secret plan");
  const socket = await browser.socket(1);
  socket.lets(1);
  await vi.waitFor(() => expect(socket.said("encrypted_message")).toHaveLength(1));
  expect(JSON.stringify(socket.heard)).not.toContain("secret plan");
});

test("what another tab has turned on counts in this one at once", async () => {
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  await vi.waitFor(() => expect(chat.getState().link.kind).toBe("online"));
  chat.setState({ conversations: { c1: begun(conversation("c1", { agent_id: "demo" })) }, secrecy: { c1: { kind: "off" } } });
  const other = await openVault("alice");
  await other.begin(server.rest("user/alice"), "c1", "demo");
  other.close();
  localStorage.setItem("amtrio.vault.alice", "used");
  engine.send("c1", "my secret plan");
  await vi.waitFor(() => expect(socket.said("encrypted_message")).toHaveLength(1));
  expect(JSON.stringify(socket.heard)).not.toContain("secret plan");
  await vi.waitFor(() => expect(chat.getState().secrecy["c1"]?.kind).toBe("on"));
});

test("where it cannot be found out, nothing goes out in the clear", async () => {
  await turnedOn();
  vi.stubGlobal("indexedDB", { ...indexedDB, open: refuseKeys(indexedDB), deleteDatabase: indexedDB.deleteDatabase.bind(indexedDB) });
  engine = await browser.open("alice");
  engine.send("c1", "my secret plan");
  const socket = await browser.socket(1);
  socket.lets(1);
  await vi.waitFor(() => expect(chat.getState().outgoing["c1"]).toMatchObject([{ state: "failed" }]));
  expect(JSON.stringify(socket.heard)).not.toContain("secret plan");
});

/** A disk that does not give out the keys. */
function refuseKeys(real: IDBFactory): IDBFactory["open"] {
  return (name, version) => {
    if (name.startsWith("amtrio-keys-")) throw new DOMException("the disk refuses", "UnknownError");
    return real.open(name, version);
  };
}

test("nothing is said into a run of an encrypted conversation", async () => {
  await turnedOn();
  engine = await browser.open("alice");
  const socket = await browser.socket(1);
  socket.lets(1);
  chat.setState({ runs: { c1: ["r1"] } });
  await expect(engine.steer("r1", "my secret plan")).rejects.toMatchObject({ code: "unsupported" });
  expect(JSON.stringify(socket.heard)).not.toContain("secret plan");
});

test("another person who encrypts in this browser makes nobody's conversations plain", async () => {
  await turnedOn("alice");
  await turnedOn("bob");
  for (const userId of ["alice", "bob"]) {
    const secrets = new Secrets(userId, server.rest(`user/${userId}`));
    expect(await secrets.isOn("c1")).toBe(true);
    await secrets.close();
  }
});

test("files that were there before encryption was turned on are not lost without a word", async () => {
  await turnedOn();
  const secrets = new Secrets("alice", server.rest("user/alice"));
  const row = { conversationId: "c1", content: "look", attachments: [{ attachment_id: "a1" } as Attachment] } as unknown as OutboxRow;
  await expect(secrets.seal(row)).rejects.toMatchObject({ code: "files" });
  await secrets.close();
});

const described = { attachment_id: "a1", key: spelt(new Uint8Array(32)), name: "plan.txt", media_type: "text/plain", size: 3 };
const onServer: Attachment = {
  attachment_id: "a1",
  filename: "encrypted",
  content_type: "application/octet-stream",
  size: 19,
  url: "/attachments/a1",
  created_at: "2026-11-25T10:00:00Z",
  message_id: "m1",
};
const plan = sealedFile(described, onServer);

/** The same, with the page still there. */
async function turnedOnStill(): Promise<Secrets> {
  const secrets = new Secrets("alice", server.rest("user/alice"));
  await secrets.turn("c1", true);
  return secrets;
}

/** A message of alice with a file, as the server has it. */
async function said(): Promise<Message> {
  const vault = await openVault("alice");
  const { content, encryption } = stored(await vault.seal("c1", "look", [described]));
  vault.close();
  const more = { kind: "encrypted", sender_type: "client", content, encryption: encryption!, attachments: [onServer] } as const;
  return message(1, { ...more, attachments: [onServer, { ...onServer, attachment_id: "a2" }] });
}

test("a message that is shown is opened, with the files that it speaks of", async () => {
  const secrets = await turnedOnStill();
  const first = await said();
  chat.setState({ timelines: { c1: { messages: [first], hasOlder: false, hasNewer: false, loading: null, error: null } } });
  await vi.waitFor(() => expect(chat.getState().plain).toEqual({ m1: "look" }));
  expect(chat.getState().sealedFiles).toEqual({ m1: [plan] });
  await secrets.close();
});

test("a message that is answered from far away is opened, too", async () => {
  const secrets = await turnedOnStill();
  const first = await said();
  chat.setState({ quoted: { m1: first } });
  await vi.waitFor(() => expect(chat.getState().plain).toEqual({ m1: "look" }));
  await secrets.close();
});

test("what waits is sealed with its files", async () => {
  const secrets = await turnedOnStill();
  const row = { clientId: "x", conversationId: "c1", content: "look", replyTo: undefined, attachments: [plan], createdAt: 1, state: "waiting", error: undefined, encrypted: true } as const;
  const sealed = await secrets.seal(row);
  const vault = await openVault("alice");
  expect(await vault.open(stored(sealed as never))).toEqual({ text: "look", files: [described] });
  vault.close();
  await secrets.close();
});

test("a list of files says what those of encrypted messages are, each message being read once", async () => {
  const secrets = await turnedOnStill();
  const first = await said();
  const find = vi.fn(async (id: string) => (id === "m1" ? first : Promise.reject(new Error("gone"))));
  const clear = { ...onServer, attachment_id: "a5", filename: "a.png", content_type: "image/png", message_id: "m2" };
  const added = { ...onServer, attachment_id: "a2" };
  const gone = { ...onServer, attachment_id: "a9", message_id: "m9" };
  const list = [clear, onServer, added, gone];
  expect(await secrets.describe(list, find)).toEqual([clear, plan, added, gone]);
  expect(find.mock.calls.map(([id]) => id)).toEqual(["m1", "m9"]);
  await secrets.describe([onServer], find);
  expect(find).toHaveBeenCalledTimes(2);
  await secrets.close();
});

test("a file that is on its way when encryption is turned on goes again, sealed, and is taken back", async () => {
  // Where it is missing, uploads go by fetch.
  vi.stubGlobal("XMLHttpRequest", undefined);
  engine = await browser.open("alice");
  (await browser.socket(1)).lets(1);
  await vi.waitFor(() => expect(chat.getState().link.kind).toBe("online"));
  chat.setState({ conversations: { c1: begun(conversation("c1", { agent_id: "demo" })) } });
  const { promise: first, resolve } = promised<unknown>();
  browser.held.set("/attachments", first);
  const options = { conversationId: "c1", signal: new AbortController().signal, onProgress: () => undefined };
  const uploading = engine.upload(new File(["dig here"], "plan.txt"), options);
  await vi.waitFor(() => expect(browser.asked).toContain("POST /attachments"));
  await (await turnedOnStill()).close();
  browser.held.set("/attachments", Promise.resolve({ ...onServer, attachment_id: "a2" }));
  resolve(onServer);
  expect(await uploading).toMatchObject({ attachment_id: "a2", filename: "plan.txt", key: expect.any(String) });
  expect(browser.asked.filter((each) => each.includes("/attachments"))).toEqual(["POST /attachments", "DELETE /attachments/a1", "POST /attachments"]);
});
