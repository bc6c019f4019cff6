"""How two agree on a secret (X3DH) and what they do with it: messages under keys of their own, a number to compare.

Sans I/O: randomness comes in. Knows keys and bytes; knows no file, no server and no agent. The browser's side of the
same is `webchat/src/encryption`; tests/vectors/encryption.json holds both to it.
Source: docs/discussion/encryption.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from amtrio.client.envelope import (
    KEY_BYTES,
    SESSION_ID_BYTES,
    Envelope,
    Identity,
    Opening,
    header_of,
    prefixed,
    written,
)
from amtrio.client.errors import CannotEncrypt, Unreadable

# Who began the session. Each direction has keys of its own, so that nothing can be sent back to its sender.
Role = Literal["initiator", "responder"]

_CONTEXT: Final = b"spk1"
# X3DH, 2.2: never the beginning of a key that is also used for signatures.
_DOMAIN: Final = b"\xff" * 32
_NO_SALT: Final = bytes(32)
_NONCE_BYTES: Final = 12
# Each half is 30 digits, about 100 bits; so many rounds make a search for other keys with the same digits that much
# slower.
_ROUNDS: Final = 100_000
_CHUNKS: Final = 6
_CHUNK_BYTES: Final = 5
_CHUNK_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """The private halves of an account's identity."""

    identity: X25519PrivateKey
    signing: Ed25519PrivateKey

    @property
    def public(self) -> Identity:
        return Identity(self.identity.public_key().public_bytes_raw(), self.signing.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Bundle:
    """What somebody published. Check it by `require_signed` before it is used."""

    owner: Identity
    prekey: bytes
    signature: bytes
    one_time: bytes | None


@dataclass(frozen=True, slots=True)
class Parties:
    """Who agrees, as `user:ID` or `agent:ID`, and for which conversation; the secret is worth nothing elsewhere."""

    initiator: str
    responder: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands and who says it; elsewhere, or as somebody else's, it cannot be opened."""

    conversation_id: str
    sender: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """Attributes: root: 32 bytes, from which the keys of single messages are made. session_id: made from the same."""

    root: bytes
    session_id: bytes


def sign(own: OwnIdentity, prekey: bytes) -> bytes:
    """That a prekey belongs to an identity (`signature_over` is `context`)."""
    return own.signing.sign(_CONTEXT + own.public.identity + prekey)


def require_signed(bundle: Bundle) -> None:
    """
    Raises:
        CannotEncrypt: the prekey is not its owner's.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(bundle.owner.signing)
        key.verify(bundle.signature, _CONTEXT + bundle.owner.identity + bundle.prekey)
    except (InvalidSignature, ValueError) as exc:
        raise CannotEncrypt("their prekey is not signed by its owner") from exc


def initiate(own: OwnIdentity, ephemeral: X25519PrivateKey, peer: Bundle, parties: Parties) -> tuple[Agreed, Opening]:
    """
    The side that begins.

    Raises:
        CannotEncrypt: a key is of low order.
    """
    opening = Opening(own.public, ephemeral.public_key().public_bytes_raw(), peer.prekey, peer.one_time)
    try:
        secrets = [
            _exchange(own.identity, peer.prekey),
            _exchange(ephemeral, peer.owner.identity),
            _exchange(ephemeral, peer.prekey),
        ]
        if peer.one_time is not None:
            secrets.append(_exchange(ephemeral, peer.one_time))
    except ValueError as exc:
        raise CannotEncrypt("one of their keys is no key") from exc
    return _derived(secrets, opening, peer.owner, parties), opening


def respond(
    own: OwnIdentity,
    prekey: X25519PrivateKey,
    one_time: X25519PrivateKey | None,
    opening: Opening,
    parties: Parties,
) -> Agreed:
    """
    The side that was written to.

    Raises:
        Unreadable: `tampered`, a key is of low order.
    """
    try:
        secrets = [
            _exchange(prekey, opening.initiator.identity),
            _exchange(own.identity, opening.ephemeral),
            _exchange(prekey, opening.ephemeral),
        ]
        if one_time is not None:
            secrets.append(_exchange(one_time, opening.ephemeral))
    except ValueError as exc:
        raise Unreadable("tampered") from exc
    return _derived(secrets, opening, own.public, parties)


def seal(
    agreed: Agreed,
    opening: Opening | None,
    role: Role,
    place: Place,
    salt: bytes,
    text: str,
    *,
    has_files: bool = False,
) -> str:
    """
    The field `ciphertext`.

    Args:
        salt: 32 random bytes, never used before.
        has_files: the text is a `payload`, with files in it.
    """
    header = header_of(agreed.session_id, salt, opening, has_files=has_files)
    key, nonce = _message_key(agreed.root, salt, role)
    return written(header, AESGCM(key).encrypt(nonce, text.encode(), _bound(header, place)))


def unseal(root: bytes, role: Role, place: Place, envelope: Envelope) -> str:
    """
    The text.

    Args:
        role: of the sender.

    Raises:
        Unreadable: `tampered`, something was changed, or it is not from here, or not from them.
    """
    key, nonce = _message_key(root, envelope.salt, role)
    try:
        return AESGCM(key).decrypt(nonce, envelope.sealed, _bound(envelope.header, place)).decode()
    except (InvalidTag, ValueError) as exc:
        raise Unreadable("tampered") from exc


def safety_number(one: tuple[str, Identity], other: tuple[str, Identity]) -> str:
    """
    60 digits of two accounts, in either order, to be compared on another way.

    Args:
        one, other: `user:ID` or `agent:ID`, and its keys.
    """
    return "".join(sorted((fingerprint(*one), fingerprint(*other))))


def fingerprint(account: str, keys: Identity) -> str:
    """30 digits of one account: a half of all its safety numbers."""
    salt = b"amtrio safety number 1" + prefixed(account)
    bits = hashlib.pbkdf2_hmac("sha512", keys.identity + keys.signing, salt, _ROUNDS, _CHUNKS * _CHUNK_BYTES)
    chunks = [int.from_bytes(bits[at : at + _CHUNK_BYTES]) for at in range(0, len(bits), _CHUNK_BYTES)]
    return "".join(f"{chunk % 10**_CHUNK_DIGITS:0{_CHUNK_DIGITS}}" for chunk in chunks)


def other(role: Role) -> Role:
    return "responder" if role == "initiator" else "initiator"


def _derived(secrets: Sequence[bytes], opening: Opening, responder: Identity, parties: Parties) -> Agreed:
    """Everything that was agreed on goes in, so that both have the same root only if they mean the same."""
    first = opening.initiator
    identities = first.identity + first.signing + responder.identity + responder.signing
    keys = opening.ephemeral + opening.prekey + (opening.one_time or b"")
    who = b"".join(map(prefixed, (parties.initiator, parties.responder, parties.conversation_id)))
    digest = hashlib.sha256(identities + keys + who).digest()
    material = _DOMAIN + b"".join(secrets)

    def expand(label: bytes, length: int) -> bytes:
        return HKDF(SHA256(), length, _NO_SALT, label + digest).derive(material)

    return Agreed(expand(b"amtrio session 1", KEY_BYTES), expand(b"amtrio session id 1", SESSION_ID_BYTES))


def _exchange(own: X25519PrivateKey, theirs: bytes) -> bytes:
    return own.exchange(X25519PublicKey.from_public_bytes(theirs))


def _message_key(root: bytes, salt: bytes, role: Role) -> tuple[bytes, bytes]:
    """Key and nonce of one message: the salt makes both new, so neither is ever used twice."""
    info = b"amtrio message 1" + (b"\x00" if role == "initiator" else b"\x01")
    made = HKDF(SHA256(), KEY_BYTES + _NONCE_BYTES, salt, info).derive(root)
    return made[:KEY_BYTES], made[KEY_BYTES:]


def _bound(header: bytes, place: Place) -> bytes:
    return header + prefixed(place.conversation_id) + prefixed(place.sender)
