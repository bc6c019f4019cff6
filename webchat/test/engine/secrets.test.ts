import type { Attachment } from "@amtrio/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openVault } from "../../src/encryption/vault.ts";
import { begun } from "../../src/engine/conversations.ts";
import type { OutboxRow } from "../../src/engine/database.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { Secrets } from "../../src/engine/secrets.ts";
import { chat, EMPTY } from "../../src/engine/state.ts";
import { KeyServer, TestAgent } from "../encryption/key-server.ts";
import { Browser } from "./browser.ts";
import { conversation } from "./scene.ts";

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
