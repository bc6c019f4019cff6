/** A person's keys in a browser: what they can do, and what they refuse. */

import { beforeEach, describe, expect, it } from "vitest";
import { newAgreementKey, respond } from "../../src/encryption/agreement.ts";
import { spelt, unspelt } from "../../src/encryption/bytes.ts";
import { MAX_TEXT_BYTES, SALT_BYTES, read, type Envelope } from "../../src/encryption/envelope.ts";
import { EncryptionError } from "../../src/encryption/errors.ts";
import { packed, unpacked } from "../../src/encryption/payload.ts";
import { seal, type Role } from "../../src/encryption/sealing.ts";
import { openVault, removeVault, type Vault } from "../../src/encryption/vault.ts";
import { KeyServer, stored, TestAgent } from "./key-server.ts";

let server: KeyServer;
let agent: TestAgent;
let vault: Vault;
const rest = () => server.rest("user/alice");
/** Another browser has another database. */
const otherBrowser = async () => {
  globalThis.indexedDB = new IDBFactory();
  return openVault("alice");
};

const newSalt = () => crypto.getRandomValues(new Uint8Array(SALT_BYTES));

beforeEach(async () => {
  server = new KeyServer();
  agent = await TestAgent.published(server);
  vault = await openVault("alice");
});

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => "nothing was refused",
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EncryptionError);
  return (error as EncryptionError).code;
}

describe("a conversation", () => {
  it("is encrypted for its agent, who answers encrypted", async () => {
    await vault.begin(rest(), "c1", "demo");
    expect(await vault.isOn("c1")).toBe(true);
    const sealed = await vault.seal("c1", "my secret plan");
    expect(JSON.stringify(sealed)).not.toContain("secret");
    const message = stored(sealed);
    expect(await agent.reads(message)).toBe("my secret plan");
    expect(await vault.open(await agent.answers(message, "a good one"))).toEqual({ text: "a good one" });
  });

  it("brings files both ways: what opens them and what they are is sealed with the text", async () => {
    const file = { attachment_id: "a1", key: spelt(new Uint8Array(32)), name: "plan.txt", media_type: "text/plain", size: 3 };
    await vault.begin(rest(), "c1", "demo");
    const sealed = await vault.seal("c1", "look", [file]);
    expect(JSON.stringify(sealed)).not.toContain("plan.txt");
    const message = stored(sealed);
    expect(unpacked((await agent.reads(message))!)).toEqual({ text: "look", files: [file] });
    expect(await vault.open(message)).toEqual({ text: "look", files: [file] });
    const answer = await agent.answers(message, packed({ text: "", files: [file] }), "responder", true);
    expect(await vault.open(answer)).toEqual({ text: "", files: [file] });
    const nonsense = await agent.answers(message, "no JSON", "responder", true);
    expect(await vault.open(nonsense)).toEqual({ unreadable: "malformed" });
    const bare = await agent.answers(message, packed({ text: "", files: [file] }));
    expect(await vault.open(bare)).toEqual({ text: packed({ text: "", files: [file] }) });
  });

  it("takes no more than fits into a frame, what is said of files included", async () => {
    const file = { attachment_id: "a1", key: spelt(new Uint8Array(32)), name: "plan.txt", media_type: "text/plain", size: 3 };
    await vault.begin(rest(), "c1", "demo");
    const longest = "x".repeat(MAX_TEXT_BYTES);
    await vault.seal("c1", longest);
    expect(await refusal(vault.seal("c1", longest, [file]))).toBe("too_long");
  });

  it("can be read again at any time, what one said oneself too", async () => {
    await vault.begin(rest(), "c1", "demo");
    const message = stored(await vault.seal("c1", "question"));
    await agent.reads(message);
    const answer = await agent.answers(message, "answer");
    for (let time = 0; time < 2; time += 1) {
      expect(await vault.open(message)).toEqual({ text: "question" });
      expect(await vault.open(answer)).toEqual({ text: "answer" });
    }
  });

  it("is shorter on the way once the agent has answered", async () => {
    await vault.begin(rest(), "c1", "demo");
    const first = stored(await vault.seal("c1", "one"));
    const second = stored(await vault.seal("c1", "two"));
    expect(second.content.length).toBe(first.content.length);
    expect(await agent.reads(second)).toBe("two");
    await vault.open(await agent.answers(second, "heard"));
    const third = stored(await vault.seal("c1", "tri"));
    expect(third.content.length).toBeLessThan(first.content.length);
    expect(await agent.reads(third)).toBe("tri");
  });

  it("goes on in another tab, with the same session", async () => {
    const tab = await openVault("alice");
    await vault.begin(rest(), "c1", "demo");
    expect(await agent.reads(stored(await tab.seal("c1", "from the other tab")))).toBe("from the other tab");
    await tab.begin(rest(), "c1", "demo");
    const [one, other] = [await vault.seal("c1", "a"), await tab.seal("c1", "b")].map(({ ciphertext }) => unspelt(ciphertext)!.slice(2, 18));
    expect(one).toEqual(other);
  });

  it("can be begun again, after which both sessions can be read", async () => {
    await vault.begin(rest(), "c1", "demo");
    const before = stored(await vault.seal("c1", "before"));
    await vault.begin(rest(), "c1", "demo");
    const after = stored(await vault.seal("c1", "after"));
    expect(await agent.reads(after)).toBe("after");
    expect(await vault.open(before)).toEqual({ text: "before" });
  });

  it("can be turned off and on", async () => {
    expect(await vault.isOn("c1")).toBe(false);
    await vault.begin(rest(), "c1", "demo");
    await vault.setOn("c1", false);
    expect(await vault.isOn("c1")).toBe(false);
    await vault.setOn("c1", true);
    expect(await agent.reads(stored(await vault.seal("c1", "still the same session")))).toBe("still the same session");
  });

  it("is not begun with an agent without keys, or with some that nobody signed", async () => {
    expect(await refusal(vault.begin(rest(), "c1", "other"))).toBe("no_keys");
    server.of("agent/demo").signed!.public_key = spelt((await newAgreementKey()).publicKey);
    expect(await refusal(vault.begin(rest(), "c1", "demo"))).toBe("bad_keys");
    server.of("agent/demo").signed!.signature_scheme = "xeddsa";
    expect(await refusal(vault.begin(rest(), "c1", "demo"))).toBe("bad_keys");
    expect(await refusal(vault.seal("c1", "text"))).toBe("no_session");
  });

  it("does without a one-time key where none is left", async () => {
    agent = await TestAgent.published(server, 0);
    await vault.begin(rest(), "c1", "demo");
    expect(await agent.reads(stored(await vault.seal("c1", "hello")))).toBe("hello");
  });

  it("refuses a text that the server would not take", async () => {
    await vault.begin(rest(), "c1", "demo");
    expect(await refusal(vault.seal("c1", "x".repeat(47_775)))).toBe("too_long");
    expect((await vault.seal("c1", "x".repeat(47_774))).ciphertext.length).toBe(64_000);
  });
});

describe("what cannot be read", () => {
  async function talk() {
    await vault.begin(rest(), "c1", "demo");
    const message = stored(await vault.seal("c1", "question"));
    await agent.reads(message);
    return { message, answer: await agent.answers(message, "answer") };
  }

  it("is said to be tampered with when it was changed or moved", async () => {
    const { message, answer } = await talk();
    const bytes = unspelt(answer.content)!;
    bytes[bytes.length - 1]! ^= 1;
    for (const changed of [
      { ...answer, content: spelt(bytes) },
      { ...answer, conversation_id: "c2" },
      { ...answer, sender_id: "other" },
      { ...answer, sender_type: "client", sender_id: "alice" },
      { ...message, sender_type: "agent", sender_id: "demo" },
    ]) {
      expect(await vault.open(changed)).toEqual({ unreadable: "tampered" });
    }
  });

  it("is said to be tampered with when whoever shares a session sealed in it what others are to have said elsewhere", async () => {
    // Without keys for one use, which the agent would have to tell.
    server = new KeyServer();
    agent = await TestAgent.published(server, 0);
    const { message } = await talk();
    const { opening } = read(message.content) as Envelope;
    const own = { identity: agent.identity, signing: agent.signing.publicKey, prekey: agent.prekey, oneTime: undefined };
    const parties = { initiator: "user:alice", responder: "agent:demo", conversationId: "c1" };
    const made = { ...(await respond(own, opening!, parties)), opening: undefined };
    const forged = async (role: Role, conversationId: string, kind: "agent" | "client", name: string) => ({
      ...message,
      message_id: `forged as ${name} in ${conversationId}`,
      conversation_id: conversationId,
      sender_type: kind,
      sender_id: name,
      content: await seal(made, role, { conversationId, sender: `${kind === "agent" ? "agent" : "user"}:${name}` }, newSalt(), "pay 10"),
    });
    const faithful = await forged("responder", "c1", "agent", "demo");
    expect(await vault.open(faithful)).toEqual({ text: "pay 10" });
    for (const each of [
      await forged("responder", "c2", "agent", "demo"),
      await forged("responder", "c1", "agent", "bank"),
      await forged("responder", "c2", "agent", "bank"),
      await forged("initiator", "c2", "client", "alice"),
    ]) {
      expect(await vault.open(each)).toEqual({ unreadable: "tampered" });
    }
  });

  it("is said to be a replay when the very same comes as another message", async () => {
    const { message, answer } = await talk();
    expect(await vault.open(answer)).toEqual({ text: "answer" });
    expect(await vault.open({ ...answer, message_id: "again" })).toEqual({ unreadable: "replayed" });
    expect(await vault.open({ ...message, message_id: "sent again to a server from a backup" })).toEqual({ text: "question" });
    await vault.forgetSeen();
    expect(await vault.open({ ...answer, message_id: "again" })).toEqual({ text: "answer" });
  });

  it("is known for what it is, whatever it is", async () => {
    const { answer } = await talk();
    const bytes = unspelt(answer.content)!;
    bytes[0] = 2;
    expect(await vault.open({ ...answer, content: "?" })).toEqual({ unreadable: "malformed" });
    expect(await vault.open({ ...answer, content: spelt(bytes) })).toEqual({ unreadable: "newer" });
    expect(await vault.open({ ...answer, encryption: { algorithm: "opaque" } })).toEqual({ unreadable: "malformed" });
    const { encryption: _, ...bare } = answer;
    expect(await vault.open(bare)).toEqual({ unreadable: "malformed" });
  });

  it("is not refused for any time that it bears", async () => {
    const { answer } = await talk();
    expect(await vault.open({ ...answer, created_at: "1970-01-01T00:00:00.000Z" } as typeof answer)).toEqual({ text: "answer" });
  });

  it("is said to be for another device when this one never had the session", async () => {
    const { message, answer } = await talk();
    const other = await otherBrowser();
    expect(await other.open(message)).toEqual({ unreadable: "elsewhere" });
    expect(await other.open(answer)).toEqual({ unreadable: "elsewhere" });
    expect(await other.isOn("c1")).toBe(false);
  });
});

describe("a session that an agent begins", () => {
  const begins = async () => {
    await vault.publish(rest());
    return agent.begins(server, "user/alice", "c1", "news for you");
  };

  it("is read, uses up its one-time key, and goes on without it", async () => {
    const first = await begins();
    expect(await vault.open(first)).toEqual({ text: "news for you" });
    expect(await vault.open(first)).toEqual({ text: "news for you" });
    expect(await vault.peerState("demo")).toMatchObject({ kind: "known", identity: spelt(agent.identity.publicKey) });
    expect(await vault.open(await agent.answers(first, "more", "initiator"))).toEqual({ text: "more" });
    const moved = { ...first, message_id: "moved", conversation_id: "c2" };
    expect(await vault.open(moved)).toEqual({ unreadable: "tampered" });
  });

  it("cannot be read once its keys are gone, nor by who was not meant", async () => {
    const first = await begins();
    const keys = { ...first.encryption!, recipient_key_id: server.of("user/alice").identity!.public_key };
    await vault.reset(rest());
    expect(await vault.open({ ...first, encryption: keys })).toEqual({ unreadable: "elsewhere" });
    const now = { ...first.encryption!, recipient_key_id: server.of("user/alice").identity!.public_key };
    expect(await vault.open({ ...first, encryption: now })).toEqual({ unreadable: "lost_key" });
  });

  it("is not read with a one-time key that has served another one", async () => {
    await vault.publish(rest());
    const before = structuredClone(server.of("user/alice").oneTime);
    expect(await vault.open(await agent.begins(server, "user/alice", "c1", "one"))).toEqual({ text: "one" });
    server.of("user/alice").oneTime = before;
    const again = await agent.begins(server, "user/alice", "c1", "two");
    const recipient_key_id = server.of("user/alice").identity!.public_key;
    expect(await vault.open({ ...again, encryption: { ...again.encryption!, recipient_key_id } })).toEqual({ unreadable: "lost_key" });
  });

  it("waits for a person's word if the agent has other keys than before", async () => {
    await vault.begin(rest(), "c1", "demo");
    agent = await TestAgent.published(server);
    const first = await begins();
    expect(await vault.open(first)).toEqual({ unreadable: "changed" });
    expect(await vault.accept("demo")).toBe(true);
    expect(await vault.open(first)).toEqual({ text: "news for you" });
  });
});

describe("one's own keys", () => {
  it("are made once, published whole, and topped up", async () => {
    expect(await vault.standing()).toEqual({ state: "none", oneTimeKeys: 0 });
    const [one, other] = await Promise.all([vault.publish(rest()), openVault("alice").then((tab) => tab.publish(rest()))]);
    expect([one.state, other.state]).toEqual(["ready", "ready"]);
    const published = server.of("user/alice");
    const identity = published.identity!.public_key;
    expect(published.oneTime.length).toBeGreaterThanOrEqual(50);
    published.oneTime.splice(0, published.oneTime.length - 5);
    expect(await vault.publish(rest())).toEqual({ state: "ready", oneTimeKeys: 50 });
    expect(server.of("user/alice").identity!.public_key).toBe(identity);
    expect(new Set(published.oneTime.map((key) => key.public_key)).size).toBe(50);
  });

  it("come back after the server has lost them", async () => {
    await vault.publish(rest());
    const identity = server.of("user/alice").identity;
    server.accounts.delete("user/alice");
    expect((await vault.publish(rest())).state).toBe("ready");
    expect(server.of("user/alice")).toMatchObject({ identity, signed: expect.anything() });
  });

  it("leave another browser's in place until they shall take over", async () => {
    await vault.begin(rest(), "c1", "demo");
    const first = server.of("user/alice").identity!.public_key;
    const other = await otherBrowser();
    expect(await other.publish(rest())).toEqual({ state: "elsewhere", oneTimeKeys: 0 });
    expect(await refusal(other.begin(rest(), "c1", "demo"))).toBe("elsewhere");
    expect(server.of("user/alice").identity!.public_key).toBe(first);

    expect((await other.takeOver(rest())).state).toBe("ready");
    expect(server.of("user/alice").identity!.public_key).not.toBe(first);
    await other.begin(rest(), "c1", "demo");
    expect(await agent.reads(stored(await other.seal("c1", "from here now")))).toBe("from here now");

    expect((await vault.publish(rest())).state).toBe("elsewhere");
    expect(await refusal(vault.seal("c1", "from there"))).toBe("elsewhere");
    expect((await vault.takeOver(rest())).state).toBe("ready");
    expect(server.of("user/alice").identity!.public_key).toBe(first);
    expect(await agent.reads(stored(await vault.seal("c1", "in the session of before")))).toBe("in the session of before");
  });

  it("are new ones after a reset, and what was said can still be read", async () => {
    await vault.begin(rest(), "c1", "demo");
    const message = stored(await vault.seal("c1", "before"));
    const [first, print] = [server.of("user/alice").identity!.public_key, await vault.fingerprint()];
    expect((await vault.reset(rest())).state).toBe("ready");
    expect(server.of("user/alice").identity!.public_key).not.toBe(first);
    expect(await vault.fingerprint()).not.toBe(print);
    expect(await vault.open(message)).toEqual({ text: "before" });
    expect(await refusal(vault.seal("c1", "after"))).toBe("no_session");
  });

  it("still become new ones if the server was away while they were made", async () => {
    await vault.publish(rest());
    const first = server.of("user/alice").identity!.public_key;
    server.isDown = true;
    await expect(vault.reset(rest())).rejects.toThrow("the disk refused");
    server.isDown = false;
    server.failsAt = "PUT /keys/identity";
    await expect(vault.reset(rest())).rejects.toThrow("the disk refused");
    expect(await vault.publish(rest())).toEqual({ state: "ready", oneTimeKeys: 50 });
    expect(server.of("user/alice").identity!.public_key).not.toBe(first);
    await (await otherBrowser()).takeOver(rest());
    expect((await vault.publish(rest())).state).toBe("elsewhere");
  });

  it("are gone after they were removed, in every tab", async () => {
    await vault.begin(rest(), "c1", "demo");
    const message = stored(await vault.seal("c1", "before"));
    await removeVault("alice");
    expect(await refusal(vault.isOn("c1"))).toBe("removed");
    const next = await openVault("alice");
    expect(await next.standing()).toEqual({ state: "none", oneTimeKeys: 0 });
    expect(await next.open(message)).toEqual({ unreadable: "elsewhere" });
  });

  it("are another person's in another account of the same browser", async () => {
    await vault.publish(rest());
    expect(await (await openVault("bob")).fingerprint()).toBeUndefined();
  });
});

describe("an agent", () => {
  it("is believed when it is met first, and not when it has other keys", async () => {
    expect(await vault.peerState("demo")).toEqual({ kind: "unseen" });
    await vault.begin(rest(), "c1", "demo");
    const pinned = spelt(agent.identity.publicKey);
    expect(await vault.peerState("demo")).toEqual({ kind: "known", identity: pinned, verified: false });

    const impostor = await TestAgent.published(server);
    const offered = spelt(impostor.identity.publicKey);
    expect(await vault.refreshPeer(rest(), "demo")).toEqual({ kind: "changed", identity: pinned, verified: false, offered });
    expect(await refusal(vault.seal("c1", "text"))).toBe("changed");
    expect(await refusal(vault.begin(rest(), "c1", "demo"))).toBe("changed");

    expect(await vault.accept("demo")).toBe(true);
    expect(await refusal(vault.seal("c1", "text"))).toBe("no_session");
    await vault.begin(rest(), "c1", "demo");
    expect(await impostor.reads(stored(await vault.seal("c1", "hello")))).toBe("hello");
  });

  it("is noticed to have changed when a session is begun, too, and its old words stay readable", async () => {
    await vault.begin(rest(), "c1", "demo");
    const message = stored(await vault.seal("c1", "question"));
    await agent.reads(message);
    const answer = await agent.answers(message, "answer");
    await TestAgent.published(server);
    expect(await refusal(vault.begin(rest(), "c1", "demo"))).toBe("changed");
    expect(await vault.open(answer)).toEqual({ text: "answer" });
  });

  it("is verified by the number that was compared, and by no other", async () => {
    await vault.begin(rest(), "c1", "demo");
    const number = (await vault.safetyNumber("demo"))!;
    expect(number).toMatch(/^\d{60}$/);
    expect(number).toContain(await vault.fingerprint());
    expect(await vault.markVerified("demo", "0".repeat(60))).toBe(false);
    expect(await vault.markVerified("demo", number)).toBe(true);
    expect(await vault.peerState("demo")).toMatchObject({ kind: "known", verified: true });

    await TestAgent.published(server);
    await vault.refreshPeer(rest(), "demo");
    const changed = (await vault.safetyNumber("demo"))!;
    expect(changed).not.toBe(number);
    expect(await vault.markVerified("demo", changed)).toBe(false);
    expect(await vault.accept("demo", number)).toBe(false);
    expect(await vault.accept("demo", changed)).toBe(true);
    expect(await vault.peerState("demo")).toMatchObject({ kind: "known", verified: false });
  });

  it("has keys or has none, which nobody needs to be met for", async () => {
    expect(await vault.hasKeys(rest(), "demo")).toBe(true);
    expect(await vault.hasKeys(rest(), "other")).toBe(false);
    expect(await vault.refreshPeer(rest(), "demo")).toEqual({ kind: "unseen" });
  });
});
