/** What the app knows of encrypted conversations: whether they are, and what their messages say and bring. */

import type { Attachment, Message } from "@amtrio/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { spelt } from "../../src/encryption/bytes.ts";
import { openVault } from "../../src/encryption/vault.ts";
import { Secrets } from "../../src/engine/secrets.ts";
import { sealedFile } from "../../src/engine/sealed-files.ts";
import { chat, EMPTY, type ChatConversation } from "../../src/engine/state.ts";
import { KeyServer, stored, TestAgent } from "../encryption/key-server.ts";
import { message } from "./scene.ts";

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

let server: KeyServer;
let secrets: Secrets;
const rest = () => server.rest("user/alice");

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  localStorage.clear();
  server = new KeyServer();
  await TestAgent.published(server);
  chat.setState({ ...EMPTY, conversations: { c1: { conversation_id: "c1", agent_id: "demo" } as ChatConversation } }, true);
  secrets = new Secrets("alice", rest());
});
afterEach(() => secrets.close());

/** A message of alice with a file, as the server has it. */
async function said(): Promise<Message> {
  const vault = await openVault("alice");
  const { content, encryption } = stored(await vault.seal("c1", "look", [described]));
  vault.close();
  const more = { kind: "encrypted", sender_type: "client", content, encryption: encryption!, attachments: [onServer] } as const;
  return message(1, { ...more, attachments: [onServer, { ...onServer, attachment_id: "a2" }] });
}

test("whether a conversation is encrypted is known from the device before anybody has looked at it", async () => {
  expect(secrets.isOn("c1")).toBe(false);
  await secrets.turn("c1", true);
  expect(secrets.isOn("c1")).toBe(true);
  // As after a reload.
  chat.setState({ secrecy: {} });
  const again = new Secrets("alice", rest());
  expect(await again.isOn("c1")).toBe(true);
  expect(await again.isOn("c2")).toBe(false);
  await again.close();
});

test("a conversation whose agent has other keys than before still is one", async () => {
  chat.setState({ secrecy: { c1: { kind: "changed", safetyNumber: "1" } } });
  expect(secrets.isOn("c1")).toBe(true);
});

test("a message that is shown is opened, with the files that it speaks of", async () => {
  await secrets.turn("c1", true);
  const first = await said();
  chat.setState({ timelines: { c1: { messages: [first], hasOlder: false, hasNewer: false, loading: null, error: null } } });
  await vi.waitFor(() => expect(chat.getState().plain).toEqual({ m1: "look" }));
  expect(chat.getState().sealedFiles).toEqual({ m1: [plan] });
});

test("what waits is sealed with its files", async () => {
  await secrets.turn("c1", true);
  const row = { clientId: "x", conversationId: "c1", content: "look", replyTo: undefined, attachments: [plan], createdAt: 1, state: "waiting", error: undefined, encrypted: true } as const;
  const sealed = await secrets.seal(row);
  const vault = await openVault("alice");
  expect(await vault.open(stored(sealed as never))).toEqual({ text: "look", files: [described] });
  vault.close();
});

test("a list of files says what those of encrypted messages are, each message being read once", async () => {
  await secrets.turn("c1", true);
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
});
