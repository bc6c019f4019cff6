"""Makes `encryption.json`: two who talk encrypted, with keys and salts that everybody may know.

`python -m tests.vectors.encryption > tests/vectors/encryption.json`
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
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
from amtrio.client.file_encryption import CHUNK_BYTES, FileSealer
from amtrio.client.payload import packed
from amtrio.client.shapes import SealedAttachment

USER, AGENT, CONVERSATION = "user:usr_01", "agent:demo", "conv_01"
# Nothing; some bytes; as many as a chunk has, and one more; three chunks.
FILE_SIZES = (0, 5, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 1000)
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


def file_key(name: str) -> str:
    return spelt(secret(f"file {name}"))


FILES = (
    SealedAttachment(
        attachment_id="att_01",
        key=file_key("picture"),
        filename='Grüße "aus" 世界 👋🏽.png',
        content_type="image/png",
        size=481_516,
        width=640,
        height=480,
    ),
    SealedAttachment(
        attachment_id="att_02", key=file_key("text"), filename="notes.txt", content_type="text/plain", size=0
    ),
)


def described(file: SealedAttachment) -> dict[str, Any]:
    """As the payload has it."""
    pixels = {name: value for name in ("width", "height") if (value := getattr(file, name)) is not None}
    name, media_type = file.filename, file.content_type
    said = {"attachment_id": file.attachment_id, "key": file.key, "name": name, "media_type": media_type}
    return {**said, "size": file.size, **pixels}


def content_of(size: int) -> bytes:
    """A file that everybody can make: its bytes count to 250, again and again."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def file(size: int) -> dict[str, Any]:
    """The ciphertext of longer files by its digest, beginning and end."""
    sealer = FileSealer(secret(f"file {size}"))
    sealed = sealer.feed(content_of(size)) + sealer.finish()
    return {
        "key": file_key(str(size)),
        "size": size,
        "ciphertext_size": len(sealed),
        "ciphertext_sha256": spelt(hashlib.sha256(sealed).digest()),
        "begins": spelt(sealed[:48]),
        "ends": spelt(sealed[-48:]),
    }


def session(*, with_one_time_key: bool) -> dict[str, Any]:
    agreed, opening = initiate(
        identity("initiator"),
        agreement_key("ephemeral"),
        bundle(with_one_time_key=with_one_time_key),
        Parties(USER, AGENT, CONVERSATION),
    )

    def message(
        number: int, text: str, role: Role, opening: Opening | None, files: Sequence[SealedAttachment] = ()
    ) -> dict[str, Any]:
        salt = secret(f"salt {number} {with_one_time_key}")
        place = Place(CONVERSATION, USER if role == "initiator" else AGENT)
        return {
            "role": role,
            "is_opening": opening is not None,
            "salt": spelt(salt),
            "text": text,
            "files": [described(each) for each in files],
            "ciphertext": seal(
                agreed, opening, role, place, salt, packed(text, files) if files else text, has_files=bool(files)
            ),
        }

    return {
        "with_one_time_key": with_one_time_key,
        "root": spelt(agreed.root),
        "session_id": spelt(agreed.session_id),
        "messages": [
            *(message(number, text, "initiator", opening) for number, text in enumerate(TEXTS)),
            *(message(number + 100, text, "responder", None) for number, text in enumerate(TEXTS)),
            message(200, "The session goes on", "initiator", None),
            message(300, "Two files \u2028 beside a text", "initiator", opening, FILES),
            message(301, "", "responder", None, FILES[1:]),
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
        "files": [file(size) for size in FILE_SIZES],
        "sessions": [session(with_one_time_key=True), session(with_one_time_key=False)],
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2, ensure_ascii=False))
