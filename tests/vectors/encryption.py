"""Makes `encryption.json`: two who talk encrypted, with keys and salts that everybody may know.

`python -m tests.vectors.encryption > tests/vectors/encryption.json`
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from amtrio.client.encryption import (
    Bundle,
    OwnIdentity,
    Parties,
    Place,
    Role,
    fingerprint,
    initiate,
    safety_number,
    seal,
    sign,
)
from amtrio.client.envelope import Opening, spelt

USER, AGENT, CONVERSATION = "user:usr_01", "agent:demo", "conv_01"
TEXTS = ("Hello **world**", "Grüße, 世界 👋🏽", "", "\ufeffbegins with a mark", "line\r\nline\n" * 20)


def secret(name: str) -> bytes:
    """32 bytes that look like none of the others."""
    return hashlib.sha256(f"amtrio test vector {name}".encode()).digest()


def agreement_key(name: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(secret(name))


def identity(name: str) -> OwnIdentity:
    return OwnIdentity(
        agreement_key(f"{name} identity"), Ed25519PrivateKey.from_private_bytes(secret(f"{name} signing"))
    )


def pair(key: X25519PrivateKey | Ed25519PrivateKey) -> dict[str, str]:
    return {"private": spelt(key.private_bytes_raw()), "public": spelt(key.public_key().public_bytes_raw())}


def bundle(*, with_one_time_key: bool) -> Bundle:
    """What the responder published."""
    own, prekey = identity("responder"), agreement_key("prekey").public_key().public_bytes_raw()
    once = agreement_key("one-time key").public_key().public_bytes_raw() if with_one_time_key else None
    return Bundle(own.public, prekey, sign(own, prekey), once)


def session(*, with_one_time_key: bool) -> dict[str, Any]:
    agreed, opening = initiate(
        identity("initiator"),
        agreement_key("ephemeral"),
        bundle(with_one_time_key=with_one_time_key),
        Parties(USER, AGENT, CONVERSATION),
    )

    def message(number: int, text: str, role: Role, opening: Opening | None) -> dict[str, Any]:
        salt = secret(f"salt {number} {with_one_time_key}")
        place = Place(CONVERSATION, USER if role == "initiator" else AGENT)
        return {
            "role": role,
            "is_opening": opening is not None,
            "salt": spelt(salt),
            "text": text,
            "ciphertext": seal(agreed, opening, role, place, salt, text),
        }

    return {
        "with_one_time_key": with_one_time_key,
        "root": spelt(agreed.root),
        "session_id": spelt(agreed.session_id),
        "messages": [
            *(message(number, text, "initiator", opening) for number, text in enumerate(TEXTS)),
            *(message(number + 100, text, "responder", None) for number, text in enumerate(TEXTS)),
            message(200, "The session goes on", "initiator", None),
        ],
    }


def vectors() -> dict[str, Any]:
    """All of it, as the file has it."""
    initiator, responder = identity("initiator"), identity("responder")
    return {
        "about": "See docs/discussion/encryption.md. Bytes are base64url; none of these keys is secret.",
        "conversation_id": CONVERSATION,
        "initiator": {
            "account": USER,
            "identity": pair(initiator.identity),
            "signing": pair(initiator.signing),
            "ephemeral": pair(agreement_key("ephemeral")),
            "fingerprint": fingerprint(USER, initiator.public),
        },
        "responder": {
            "account": AGENT,
            "identity": pair(responder.identity),
            "signing": pair(responder.signing),
            "prekey": pair(agreement_key("prekey")),
            "signature": spelt(bundle(with_one_time_key=False).signature),
            "one_time": pair(agreement_key("one-time key")),
            "fingerprint": fingerprint(AGENT, responder.public),
        },
        "safety_number": safety_number((USER, initiator.public), (AGENT, responder.public)),
        "sessions": [session(with_one_time_key=True), session(with_one_time_key=False)],
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2, ensure_ascii=False))
