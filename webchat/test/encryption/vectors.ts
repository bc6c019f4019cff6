/** The vectors that every implementation has to agree on, and their keys as this one wants them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgreementKey } from "../../src/encryption/agreement.ts";
import { unspelt, type Bytes } from "../../src/encryption/bytes.ts";
import type { DescribedFile } from "../../src/encryption/payload.ts";

interface Pair {
  readonly private: string;
  readonly public: string;
}

interface Vectors {
  readonly conversation_id: string;
  readonly initiator: { account: string; identity: Pair; signing: Pair; ephemeral: Pair; fingerprint: string };
  readonly responder: {
    account: string;
    identity: Pair;
    signing: Pair;
    prekey: Pair;
    signature: string;
    one_time: Pair;
    fingerprint: string;
  };
  readonly safety_number: string;
  readonly sessions: readonly {
    with_one_time_key: boolean;
    root: string;
    session_id: string;
    messages: readonly {
      role: "initiator" | "responder";
      is_opening: boolean;
      salt: string;
      text: string;
      files: readonly DescribedFile[];
      ciphertext: string;
    }[];
  }[];
  readonly files: readonly {
    key: string;
    size: number;
    ciphertext_size: number;
    ciphertext_sha256: string;
    begins: string;
    ends: string;
  }[];
}

const FILE = join(import.meta.dirname, "../../../tests/vectors/encryption.json");
export const vectors = JSON.parse(readFileSync(FILE, "utf8")) as Vectors;

export function bytes(text: string): Bytes {
  return unspelt(text)!;
}

/** A private key that everybody knows; those of people cannot be brought in like this, nor got out. */
export async function agreementKey(pair: Pair): Promise<AgreementKey> {
  const jwk = { kty: "OKP", crv: "X25519", d: pair.private, x: pair.public };
  return {
    privateKey: await crypto.subtle.importKey("jwk", jwk, { name: "X25519" }, false, ["deriveBits"]),
    publicKey: bytes(pair.public),
  };
}

export async function signingKey(pair: Pair): Promise<CryptoKey> {
  const jwk = { kty: "OKP", crv: "Ed25519", d: pair.private, x: pair.public };
  return crypto.subtle.importKey("jwk", jwk, { name: "Ed25519" }, false, ["sign"]);
}

export async function root(text: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes(text), "HKDF", false, ["deriveBits"]);
}
