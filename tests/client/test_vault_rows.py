"""What a vault's file holds, as the things it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from amtrio.client import Unreadable
from amtrio.client.encryption import Agreed
from amtrio.client.envelope import Envelope, Identity, Opening
from amtrio.client.vault_file import VaultFile
from amtrio.client.vault_rows import Session, keep, note, prekey_of, public_of, session_of

ID = b"i" * 16
OPENING = Opening(Identity(b"a" * 32, b"b" * 32), b"c" * 32, b"d" * 32, b"e" * 32)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[VaultFile]:
    made = VaultFile(tmp_path / "keys")
    yield made
    made.close()


def session(opening: Opening | None = None, *, is_ours: bool = True) -> Session:
    return Session(
        "c1", "agent:demo", b"p" * 32, "initiator" if is_ours else "responder", Agreed(b"r" * 32, ID), opening
    )


def said(salt: bytes, opening: Opening | None = None) -> Envelope:
    return Envelope(ID, salt, opening, False, b"", b"")


@pytest.mark.parametrize("opening", [None, OPENING])
def test_a_session_is_kept_as_it_is(file: VaultFile, opening: Opening | None) -> None:
    """
    With what the other side needs to begin it, if it does.
    """
    with file.transaction() as rows:
        assert session_of(rows, ID) is None
        keep(rows, session(opening))
        assert session_of(rows, ID) == session(opening)


def test_the_other_side_knows_the_session_once_it_has_said_something(file: VaultFile) -> None:
    """
    From then on messages are shorter.
    """
    with file.transaction() as rows:
        keep(rows, session(OPENING))
        note(rows, session(OPENING), said(b"1"), "m1")
        assert session_of(rows, ID) == session(None)


def test_a_one_time_key_is_gone_once_it_has_served(file: VaultFile) -> None:
    """
    A session of the other side is kept by its first message.
    """
    key, kept = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    begins = Opening(OPENING.initiator, OPENING.ephemeral, public_of(kept), public_of(key))
    with file.transaction() as rows:
        rows.executemany(
            "INSERT INTO prekey VALUES (?, ?)", [(public_of(k), k.private_bytes_raw()) for k in (key, kept)]
        )
        note(rows, session(is_ours=False), said(b"1", begins), "m1")
        assert session_of(rows, ID) == session(is_ours=False)
        assert prekey_of(rows, public_of(key)) is None
        again = prekey_of(rows, public_of(kept))
        assert again is not None
        assert again.private_bytes_raw() == kept.private_bytes_raw()


def test_the_same_salt_is_the_same_message_or_a_replay(file: VaultFile) -> None:
    """
    Reading it again is none.
    """
    with file.transaction() as rows:
        keep(rows, session())
        note(rows, session(), said(b"1"), "m1")
        note(rows, session(), said(b"1"), "m1")
        note(rows, session(), said(b"2"), "m2")
        with pytest.raises(Unreadable, match="replayed"):
            note(rows, session(), said(b"1"), "m3")
