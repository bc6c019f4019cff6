/** What a server does about keys, as docs/protocol.md says it, and an agent that answers encrypted. */

import { Rest } from "@amtrio/client";
import { initiate, newAgreementKey, newSigningKey, respond, sign, type AgreementKey } from "../../src/encryption/agreement.ts";
import { spelt, type Bytes } from "../../src/encryption/bytes.ts";
import { FORMAT, read, type Envelope, type Opening } from "../../src/encryption/envelope.ts";
import { open, seal, type Role } from "../../src/encryption/sealing.ts";
import { take } from "../../src/encryption/publishing.ts";
import type { SealedMessage, SealedPart } from "../../src/encryption/sessions.ts";

interface Published {
  identity?: { public_key: string; signing_key?: string };
  signed?: { public_key: string; signature: string; signature_scheme: string; signature_over: string };
  oneTime: { public_key: string }[];
}

type Body = { public_key: string; signing_key: string; signature: string; keys: { public_key: string }[] };

export class KeyServer {
  /** By `user/ID` or `agent/ID`. */
  readonly accounts = new Map<string, Published>();
  readonly requests: string[] = [];
  isDown = false;
  /** Fails once. */
  failsAt = "";

  rest(account: string): Rest {
    const answer = async (address: string | URL | Request, init: RequestInit = {}) => {
      const path = new URL(String(address)).pathname;
      const method = init.method ?? "GET";
      this.requests.push(`${method} ${path}`);
      const fails = this.isDown || this.failsAt === `${method} ${path}`;
      if (fails) this.failsAt = "";
      if (fails) return Response.json({ error: "the disk refused", code: "storage_unavailable" }, { status: 503 });
      const body = init.body === undefined ? undefined : (JSON.parse(String(init.body)) as Body);
      const found = this.#answer(account, method, path, body);
      if (found !== undefined) return Response.json(found);
      return Response.json({ error: "no keys", code: "not_found" }, { status: 404 });
    };
    return new Rest({ url: "http://server", fetch: answer as typeof fetch });
  }

  of(account: string): Published {
    const known = this.accounts.get(account) ?? { oneTime: [] };
    this.accounts.set(account, known);
    return known;
  }

  #answer(account: string, method: string, path: string, body: Body | undefined): object | undefined {
    const own = this.of(account);
    switch (`${method} ${path}`) {
      case "PUT /keys/identity":
        this.accounts.set(account, { identity: { public_key: body!.public_key, signing_key: body!.signing_key }, oneTime: [] });
        return {};
      case "PUT /keys/signed-prekey":
        own.signed = { ...body!, signature_scheme: "ed25519", signature_over: "context" };
        return {};
      case "POST /keys/one-time-prekeys":
        own.oneTime.push(...body!.keys);
        return { count: own.oneTime.length };
      case "GET /keys/one-time-prekeys/count":
        return { count: own.oneTime.length };
    }
    const { identity, signed, oneTime } = this.of(path.replace("/keys/bundles/", ""));
    if (identity === undefined) return undefined;
    const bundle = { identity_key: identity, ...(signed && { signed_prekey: signed }) };
    return method === "POST" && oneTime.length > 0 ? { ...bundle, one_time_prekey: oneTime.shift()! } : bundle;
  }
}

interface Agreed {
  readonly root: CryptoKey;
  readonly sessionId: Bytes;
}

/** An agent named `demo`, which keeps its keys in memory. */
export class TestAgent {
  identity!: AgreementKey;
  signing!: AgreementKey;
  prekey!: AgreementKey;
  readonly #once = new Map<string, AgreementKey>();
  readonly #sessions = new Map<string, Agreed>();

  static async published(server: KeyServer, oneTimeKeys = 3): Promise<TestAgent> {
    const agent = new TestAgent();
    [agent.identity, agent.signing, agent.prekey] = [await newAgreementKey(), await newSigningKey(), await newAgreementKey()];
    for (let count = 0; count < oneTimeKeys; count += 1) {
      const key = await newAgreementKey();
      agent.#once.set(spelt(key.publicKey), key);
    }
    const signature = spelt(await sign(agent.signing.privateKey, agent.identity.publicKey, agent.prekey.publicKey));
    server.accounts.set("agent/demo", {
      identity: { public_key: spelt(agent.identity.publicKey), signing_key: spelt(agent.signing.publicKey) },
      signed: { public_key: spelt(agent.prekey.publicKey), signature, signature_scheme: "ed25519", signature_over: "context" },
      oneTime: [...agent.#once.keys()].map((key) => ({ public_key: key })),
    });
    return agent;
  }

  /** The text of a message of a person; undefined if it cannot be read. */
  async reads(message: SealedPart): Promise<string | undefined> {
    const envelope = read(message.content) as Envelope;
    const sender = `user:${message.sender_id}`;
    const agreed = this.#sessions.get(spelt(envelope.sessionId)) ?? (await this.#begun(message, sender, envelope));
    return open(agreed.root, "initiator", { conversationId: message.conversation_id, sender }, envelope);
  }

  /** A message of its own, with the keys that a person published. */
  async begins(server: KeyServer, account: `user/${string}`, conversationId: string, text: string): Promise<SealedPart> {
    const found = await take(server.rest("agent/demo"), account);
    const own = { identity: this.identity, signing: this.signing.publicKey, ephemeral: await newAgreementKey() };
    const parties = { initiator: "agent:demo", responder: account.replace("/", ":"), conversationId };
    const agreed = await initiate(own, found, parties);
    this.#sessions.set(spelt(agreed.sessionId), agreed);
    return this.#says(agreed, "initiator", conversationId, text);
  }

  /** An answer in the session of a message. */
  async answers(message: SealedPart, text: string, role: Role = "responder", hasFiles = false): Promise<SealedPart> {
    const { sessionId } = read(message.content) as Envelope;
    const { root } = this.#sessions.get(spelt(sessionId))!;
    return this.#says({ root, sessionId }, role, message.conversation_id, text, hasFiles);
  }

  async #says(
    agreed: Agreed & { opening?: Opening },
    role: Role,
    conversationId: string,
    text: string,
    hasFiles = false,
  ): Promise<SealedPart> {
    const salt = crypto.getRandomValues(new Uint8Array(32));
    const made = { ...agreed, opening: agreed.opening };
    const content = await seal(made, role, { conversationId, sender: "agent:demo" }, salt, text, hasFiles);
    return { ...said(content, conversationId), sender_type: "agent", sender_id: "demo" };
  }

  async #begun(message: SealedPart, sender: string, { opening, sessionId }: Envelope): Promise<Agreed> {
    const oneTime = opening!.oneTime && this.#once.get(spelt(opening!.oneTime));
    const own = { identity: this.identity, signing: this.signing.publicKey, prekey: this.prekey, oneTime };
    const parties = { initiator: sender, responder: "agent:demo", conversationId: message.conversation_id };
    const agreed = await respond(own, opening!, parties);
    this.#sessions.set(spelt(sessionId), agreed);
    return agreed;
  }
}

let messages = 0;

/** As the server shows it to everybody. */
export function stored(sealed: SealedMessage, conversationId = "c1", userId = "alice"): SealedPart {
  const { ciphertext, ...encryption } = sealed;
  return { ...said(ciphertext, conversationId), sender_type: "client", sender_id: userId, encryption };
}

function said(content: string, conversationId: string): SealedPart {
  messages += 1;
  return {
    message_id: `m${messages}`,
    conversation_id: conversationId,
    sender_type: "client",
    sender_id: "alice",
    content,
    encryption: { algorithm: "opaque", message_type: FORMAT },
  };
}
