/** Both sides agree, with each other and with the other language's program. */

import { describe, expect, it } from "vitest";
import { initiate, isSigned, newAgreementKey, newSigningKey, respond, sign, type Bundle, type Parties } from "../../src/encryption/agreement.ts";
import { spelt } from "../../src/encryption/bytes.ts";
import type { Opening } from "../../src/encryption/envelope.ts";
import { open } from "../../src/encryption/sealing.ts";
import { read, type Envelope } from "../../src/encryption/envelope.ts";
import { agreementKey, bytes, signingKey, vectors } from "./vectors.ts";

const { initiator, responder } = vectors;
const parties: Parties = { initiator: initiator.account, responder: responder.account, conversationId: vectors.conversation_id };

function bundle(withOneTimeKey: boolean): Bundle {
  return {
    identity: bytes(responder.identity.public),
    signing: bytes(responder.signing.public),
    prekey: bytes(responder.prekey.public),
    signature: bytes(responder.signature),
    oneTime: withOneTimeKey ? bytes(responder.one_time.public) : undefined,
  };
}

async function begun(withOneTimeKey: boolean) {
  const own = {
    identity: await agreementKey(initiator.identity),
    signing: bytes(initiator.signing.public),
    ephemeral: await agreementKey(initiator.ephemeral),
  };
  return initiate(own, bundle(withOneTimeKey), parties);
}

async function answered(opening: Opening, changed: Partial<Parties> = {}) {
  const own = {
    identity: await agreementKey(responder.identity),
    signing: bytes(responder.signing.public),
    prekey: await agreementKey(responder.prekey),
    oneTime: opening.oneTime && (await agreementKey(responder.one_time)),
  };
  return respond(own, opening, { ...parties, ...changed });
}

describe.each(vectors.sessions)("a session, with a one-time key: $with_one_time_key", (session) => {
  it("has the same name for the one who begins it as in the vectors", async () => {
    expect(spelt((await begun(session.with_one_time_key)).sessionId)).toBe(session.session_id);
  });

  it("is found by the one who is written to in the first message", async () => {
    const first = session.messages.find((message) => message.is_opening)!;
    const envelope = read(first.ciphertext) as Envelope;
    const agreed = await answered(envelope.opening!);
    expect(spelt(agreed.sessionId)).toBe(session.session_id);
    const place = { conversationId: vectors.conversation_id, sender: initiator.account };
    expect(await open(agreed.root, "initiator", place, envelope)).toBe(first.text);
  });
});

it("is another one for another conversation, sender or receiver", async () => {
  const { opening, sessionId } = await begun(true);
  const changes = [{ conversationId: "conv_02" }, { initiator: "user:usr_02" }, { responder: "agent:other" }];
  const others = await Promise.all(changes.map(async (changed) => spelt((await answered(opening, changed)).sessionId)));
  expect(new Set([...others, spelt(sessionId)]).size).toBe(4);
});

it("is another one if whoever begins it claims another signing key", async () => {
  const { opening, sessionId } = await begun(true);
  const signing = (await newSigningKey()).publicKey;
  const agreed = await answered({ ...opening, initiator: { ...opening.initiator, signing } });
  expect(spelt(agreed.sessionId)).not.toBe(spelt(sessionId));
});

it("is not begun with a point that makes the secret known to everybody", async () => {
  const { opening } = await begun(true);
  await expect(answered({ ...opening, ephemeral: new Uint8Array(32) })).rejects.toThrow();
});

describe("the signature of a prekey", () => {
  it("is the same as in the vectors", async () => {
    const made = await sign(await signingKey(responder.signing), bytes(responder.identity.public), bytes(responder.prekey.public));
    expect(spelt(made)).toBe(responder.signature);
  });

  it.each(["identity", "signing", "prekey"] as const)("is bad with another %s", async (field) => {
    expect(await isSigned(bundle(false))).toBe(true);
    const other = (field === "signing" ? await newSigningKey() : await newAgreementKey()).publicKey;
    expect(await isSigned({ ...bundle(false), [field]: other })).toBe(false);
  });

  it("is bad with a key that is none", async () => {
    expect(await isSigned({ ...bundle(false), signing: new Uint8Array(32).fill(0xff) })).toBe(false);
  });
});

it("makes keys whose private halves cannot be read", async () => {
  for (const key of [await newAgreementKey(), await newSigningKey()]) {
    await expect(crypto.subtle.exportKey("pkcs8", key.privateKey)).rejects.toThrow();
  }
});
