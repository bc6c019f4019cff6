"""What stands in a vault's file, as the things it stands for.

Knows SQL and keys. Knows nothing of messages and servers, nor when what is kept or forgotten.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from amtrio.client.encryption import Agreed, OwnIdentity, Role
from amtrio.client.envelope import Envelope, Opening
from amtrio.client.errors import Unreadable
from amtrio.client.vault_file import row


@dataclass(frozen=True, slots=True)
class Session:
    """
    What two agreed on for one conversation.

    Attributes:
        peer: the other side, as `user:ID` or `agent:ID`. role: one's own.
        opening: what the peer needs to begin it, until it has answered.
    """

    conversation_id: str
    peer: str
    peer_identity: bytes
    role: Role
    agreed: Agreed
    opening: Opening | None


def own_of(file: sqlite3.Connection) -> tuple[OwnIdentity, bytes]:
    """The identity, and the public half of the prekey in force."""
    identity, signing, prekey = row(file, "SELECT identity, signing, prekey FROM own")
    keys = X25519PrivateKey.from_private_bytes(identity), Ed25519PrivateKey.from_private_bytes(signing)
    return OwnIdentity(*keys), prekey


def prekey_of(file: sqlite3.Connection, public: bytes) -> X25519PrivateKey | None:
    """The private half of a prekey, signed or for one time."""
    found = row(file, "SELECT private FROM prekey WHERE public = ?", public)
    return X25519PrivateKey.from_private_bytes(found[0]) if found is not None else None


def session_of(file: sqlite3.Connection, session_id: bytes) -> Session | None:
    sql = "SELECT conversation_id, peer, peer_identity, role, root, opening FROM session WHERE id = ?"
    found = row(file, sql, session_id)
    if found is None:
        return None
    conversation_id, peer, peer_identity, role, root, opening = found
    unpacked = Opening.unpacked(opening) if opening is not None else None
    return Session(conversation_id, peer, peer_identity, role, Agreed(root, session_id), unpacked)


def keep(file: sqlite3.Connection, session: Session) -> None:
    opening = session.opening.packed() if session.opening is not None else None
    fields = session.conversation_id, session.peer, session.peer_identity, session.role, session.agreed.root, opening
    file.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?)", (session.agreed.session_id, *fields))


def note(file: sqlite3.Connection, session: Session, envelope: Envelope, message_id: str) -> None:
    """
    A message of the other side was opened: it knows the session, its one-time key has served, its salt is used up.

    Raises:
        Unreadable: `replayed`, another message had that salt before.
    """
    place = session.agreed.session_id, envelope.salt
    seen = row(file, "SELECT message_id FROM seen WHERE session_id = ? AND salt = ?", *place)
    if seen is not None and seen[0] != message_id:
        raise Unreadable("replayed")
    if seen is None:
        file.execute("INSERT INTO seen VALUES (?, ?, ?)", (*place, message_id))
        file.execute("UPDATE session SET opening = NULL WHERE id = ?", (session.agreed.session_id,))
    if session_of(file, session.agreed.session_id) is None:
        keep(file, session)
    if session.role == "responder" and envelope.opening is not None and envelope.opening.one_time is not None:
        file.execute("DELETE FROM prekey WHERE public = ?", (envelope.opening.one_time,))


def public_of(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
