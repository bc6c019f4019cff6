"""Somebody with keys of their own, as an app or an agent would have them; the server sees the public halves only."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.harness import Agent, Json, Person, Scene


def spelt(raw: bytes) -> str:
    """base64url without padding, as browsers have it in a JWK."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unspelt(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public(key: X25519PrivateKey | Ed25519PrivateKey) -> str:
    return spelt(key.public_key().public_bytes_raw())


def new_key() -> str:
    """A public key whose private half nobody keeps."""
    return public(X25519PrivateKey.generate())


def _secret(*parts: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"amtrio-test").derive(b"".join(parts))


@dataclass
class KeyOwner:
    """Identity (with a signing key beside it), signed prekey and one-time keys, by number."""

    identity: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    prekey: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    one_time: dict[int, X25519PrivateKey] = field(default_factory=dict)

    def identity_body(self) -> Json:
        return {"public_key": public(self.identity), "signing_key": public(self.signing)}

    def prekey_body(self) -> Json:
        return {
            "public_key": public(self.prekey),
            "signature": spelt(self.signing.sign(self.prekey.public_key().public_bytes_raw())),
            "key_id": 1,
        }

    def more(self, count: int) -> list[Json]:
        """Make so many one-time keys, as an upload has them."""
        first = max(self.one_time, default=0) + 1
        made = {number: X25519PrivateKey.generate() for number in range(first, first + count)}
        self.one_time |= made
        return [{"key_id": number, "public_key": public(key)} for number, key in made.items()]

    async def publish(self, scene: Scene, who: Person | Agent, *, one_time: int = 0) -> None:
        """Upload the public half of everything."""
        await put(scene, who, "/keys/identity", self.identity_body())
        await put(scene, who, "/keys/signed-prekey", self.prekey_body())
        if one_time:
            await post(scene, who, "/keys/one-time-prekeys", {"keys": self.more(one_time)})

    def seal_for(self, bundle: Json, text: str) -> Json:
        """Check the bundle's signature, agree on a secret with its owner (X3DH) and encrypt with it."""
        from_owner = {name: unspelt(key["public_key"]) for name, key in bundle.items()}
        signing = unspelt(bundle["identity_key"]["signing_key"])
        prekey = bundle["signed_prekey"]
        assert (prekey["signature_scheme"], prekey["signature_over"]) == ("ed25519", "prekey")
        verify(signing, unspelt(prekey["signature"]), from_owner["signed_prekey"])
        ephemeral = X25519PrivateKey.generate()

        def agree(mine: X25519PrivateKey, theirs: str) -> bytes:
            return mine.exchange(X25519PublicKey.from_public_bytes(from_owner[theirs]))

        parts = [
            agree(self.identity, "signed_prekey"),
            agree(ephemeral, "identity_key"),
            agree(ephemeral, "signed_prekey"),
        ]
        one_time = bundle.get("one_time_prekey")
        if one_time is not None:
            parts.append(agree(ephemeral, "one_time_prekey"))
        iv = ephemeral.public_key().public_bytes_raw()[:12]
        sealed = AESGCM(_secret(*parts)).encrypt(iv, text.encode(), b"")
        return {
            "ciphertext": spelt(ephemeral.public_key().public_bytes_raw() + sealed),
            "iv": spelt(iv),
            "algorithm": "x25519-aes-256-gcm",
            "sender_key_id": public(self.identity),
            "recipient_key_id": str(one_time["key_id"]) if one_time is not None else "",
        }

    def open(self, ciphertext: str, encryption: Json) -> str:
        """The text again; a one-time key is used up."""
        raw = unspelt(ciphertext)
        ephemeral = X25519PublicKey.from_public_bytes(raw[:32])
        sender = X25519PublicKey.from_public_bytes(unspelt(encryption["sender_key_id"]))
        parts = [self.prekey.exchange(sender), self.identity.exchange(ephemeral), self.prekey.exchange(ephemeral)]
        if encryption.get("recipient_key_id"):
            parts.append(self.one_time.pop(int(encryption["recipient_key_id"])).exchange(ephemeral))
        return AESGCM(_secret(*parts)).decrypt(unspelt(encryption["iv"]), raw[32:], b"").decode()


def verify(key: bytes, signature: bytes, content: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(key).verify(signature, content)


async def put(scene: Scene, who: Person | Agent, path: str, body: Json) -> Json:
    """A REST answer that must be good, decoded."""
    answer = await scene.http.put(path, json=body, headers=who.headers)
    assert answer.status_code == 200, answer.text
    decoded: Json = answer.json()
    return decoded


async def post(scene: Scene, who: Person | Agent, path: str, body: Json | None = None) -> Json:
    """The same."""
    answer = await scene.http.post(path, json=body or {}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    decoded: Json = answer.json()
    return decoded


async def refused(scene: Scene, who: Person | Agent, method: str, path: str, **options: Any) -> tuple[int, str, str]:
    """Status, code and text of a REST answer."""
    answer = await scene.http.request(method, path, headers=who.headers, **options)
    body = answer.json()
    return answer.status_code, body["code"], body["error"]
