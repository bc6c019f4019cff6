/** Messages are the same bytes in every language, and opened nowhere but where they were said. */

import { describe, expect, it } from "vitest";
import { read, type Envelope, type Opening } from "../../src/encryption/envelope.ts";
import { spelt } from "../../src/encryption/bytes.ts";
import { packed, unpacked } from "../../src/encryption/payload.ts";
import { open, seal, type Role } from "../../src/encryption/sealing.ts";
import { bytes, root, vectors } from "./vectors.ts";

const { initiator, responder } = vectors;

function place(role: Role) {
  return { conversationId: vectors.conversation_id, sender: (role === "initiator" ? initiator : responder).account };
}

function opening(withOneTimeKey: boolean): Opening {
  return {
    initiator: { identity: bytes(initiator.identity.public), signing: bytes(initiator.signing.public) },
    ephemeral: bytes(initiator.ephemeral.public),
    prekey: bytes(responder.prekey.public),
    oneTime: withOneTimeKey ? bytes(responder.one_time.public) : undefined,
  };
}

describe.each(vectors.sessions)("the vectors, with a one-time key: $with_one_time_key", (session) => {
  it("are sealed to the same bytes", async () => {
    const made = { root: await root(session.root), sessionId: bytes(session.session_id) };
    for (const { role, is_opening: isOpening, salt, text, files, ciphertext } of session.messages) {
      const begun = { ...made, opening: isOpening ? opening(session.with_one_time_key) : undefined };
      const hasFiles = files.length > 0;
      const said = hasFiles ? packed({ text, files }) : text;
      expect(await seal(begun, role, place(role), bytes(salt), said, hasFiles)).toBe(ciphertext);
    }
  });

  it("are opened to the same texts", async () => {
    for (const { role, text, files, ciphertext } of session.messages) {
      const envelope = read(ciphertext) as Envelope;
      const said = await open(await root(session.root), role, place(role), envelope);
      expect(envelope.hasFiles).toBe(files.length > 0);
      expect(envelope.hasFiles ? unpacked(said!) : { text: said, files: [] }).toEqual({ text, files });
    }
  });
});

describe("what was changed", () => {
  const session = vectors.sessions[0]!;
  const { role, ciphertext, text } = session.messages.find((message) => message.is_opening)!;
  const opened = async (envelope: Envelope, changed: Partial<ReturnType<typeof place>> = {}, as: Role = role) =>
    open(await root(session.root), as, { ...place(role), ...changed }, envelope);

  it("is not opened, whichever byte it is", async () => {
    const whole = bytes(ciphertext);
    expect(await opened(read(ciphertext) as Envelope)).toBe(text);
    for (let at = 0; at < whole.length; at += 1) {
      const changed = whole.slice();
      changed[at]! ^= 1;
      const envelope = read(spelt(changed));
      expect(typeof envelope === "string" ? undefined : await opened(envelope), `byte ${at}`).toBeUndefined();
    }
  });

  it("is not opened as one with files, if it brings none", async () => {
    const whole = bytes(ciphertext);
    whole[1]! |= 4;
    expect(await opened(read(spelt(whole)) as Envelope)).toBeUndefined();
  });

  it("is not opened in another conversation, as somebody else's, or sent back to its sender", async () => {
    const envelope = read(ciphertext) as Envelope;
    expect(await opened(envelope, { conversationId: "conv_02" })).toBeUndefined();
    expect(await opened(envelope, { sender: "user:usr_02" })).toBeUndefined();
    expect(await opened(envelope, { sender: responder.account })).toBeUndefined();
    expect(await opened(envelope, {}, "responder")).toBeUndefined();
  });
});
