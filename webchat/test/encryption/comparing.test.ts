/** Two people read the same digits to each other, or somebody stands between them. */

import { expect, it } from "vitest";
import { fingerprint, safetyNumber } from "../../src/encryption/comparing.ts";
import { bytes, vectors } from "./vectors.ts";

const [one, other] = [vectors.initiator, vectors.responder].map(({ account, identity, signing }) => ({
  account,
  identity: bytes(identity.public),
  signing: bytes(signing.public),
})) as [Parameters<typeof fingerprint>[0], Parameters<typeof fingerprint>[0]];

it("is the number of the vectors, from either side", async () => {
  expect(await safetyNumber(one, other)).toBe(vectors.safety_number);
  expect(await safetyNumber(other, one)).toBe(vectors.safety_number);
  expect(vectors.safety_number).toMatch(/^\d{60}$/);
});

it("is made of both fingerprints", async () => {
  const halves = [await fingerprint(one), await fingerprint(other)];
  expect(halves).toEqual([vectors.initiator.fingerprint, vectors.responder.fingerprint]);
  expect(halves.toSorted().join("")).toBe(vectors.safety_number);
});

it("changes with the identity, the signing key and the account", async () => {
  const key = new Uint8Array(32).fill(7);
  for (const changed of [{ identity: key }, { signing: key }, { account: "agent:other" }]) {
    expect(await safetyNumber(one, { ...other, ...changed })).not.toBe(vectors.safety_number);
  }
});
