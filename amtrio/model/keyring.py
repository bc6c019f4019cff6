"""What the features of public keys share: their rows, and how the wire shows them.

Knows SQL and wire names. Knows no route, no private key, and nothing of signatures.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from amtrio.clock import rfc3339
from amtrio.context import Context, id_of, kind_of
from amtrio.protocol.frames import Kind
from amtrio.store.database import ReadTx, Tx

# A device refills when it is told that fewer are left.
LOW = 10
# Several times what an owner can have waiting: an upload that is repeated is repeated soon.
REMEMBERED_SPENT_KEYS = 1000


class KeyView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One public key.

    Attributes:
        public_key: as its owner spelt it: base64, base64url or hexadecimal of 32 bytes.
        key_id: its owner's number for it.
        version: of an identity, 1, 2, 3 ...; it grows with each change.
        signing_key: of an identity, the Ed25519 key that signs for it, if it is another one.
        signature: of a signed prekey, by the identity (or its signing_key).
        signature_scheme: `ed25519` or `xeddsa`. signature_over: `prekey`, `typed_prekey` or `context`.
    """

    id: str
    owner_id: str
    owner_type: Kind
    key_type: str
    public_key: str
    created_at: str
    key_id: int | None = None
    version: int | None = None
    signing_key: str | None = None
    signature: str | None = None
    signature_scheme: str | None = None
    signature_over: str | None = None


class OneTimeKeyCount(msgspec.Struct, frozen=True, kw_only=True):
    """
    How many one-time keys are waiting to be handed out; COMPAT: under two names.

    Attributes:
        low: fewer than 10: time to upload more.
    """

    one_time_prekey_count: int
    count: int
    low: bool
    status: str = "stored"


class Key(NamedTuple):
    """A row of public_key; the first and the last fields are filled in when it is stored."""

    id: str = ""
    account_key: str = ""
    kind: Literal["identity", "signed_prekey", "one_time_prekey"] = "identity"
    key_id: int | None = None
    public_key: str = ""
    fingerprint: str = ""
    signing_key: str | None = None
    signature: str | None = None
    signature_scheme: str | None = None
    signature_over: str | None = None
    version: int = 1
    created_us: int = 0


KEY_COLUMNS = ", ".join(Key._fields)


def store_key(tx: Tx, ctx: Context, key: Key) -> Key:
    """Store a key of the asker's."""
    key = key._replace(id=ctx.clock.new_id("key"), account_key=ctx.principal.account, created_us=tx.at_us)
    values = ", ".join(f":{name}" for name in Key._fields)
    tx.run(f"INSERT INTO public_key ({KEY_COLUMNS}) VALUES ({values})", **key._asdict())  # noqa: S608 - our own columns
    return key


def keys_of(tx: ReadTx, account: str, kind: str) -> list[Key]:
    """All of one kind; identities newest first, one-time keys in the order of their numbers."""
    rows = tx.all(
        f"""
        SELECT {KEY_COLUMNS} FROM public_key WHERE account_key = :account AND kind = :kind
        ORDER BY version DESC, key_id""",  # noqa: S608 - our own column list
        account=account,
        kind=kind,
    )
    return [Key(*row) for row in rows]


def identity_of(tx: ReadTx, account: str) -> Key | None:
    """The one in force."""
    return next(iter(keys_of(tx, account, "identity")), None)


def count_of(tx: ReadTx, account: str) -> OneTimeKeyCount:
    """How many one-time keys an account has left."""
    row = tx.one(
        "SELECT count(*) FROM public_key WHERE account_key = :account AND kind = 'one_time_prekey'", account=account
    )
    count = row[0] if row is not None else 0
    return OneTimeKeyCount(one_time_prekey_count=count, count=count, low=count < LOW)


def key_view(key: Key) -> KeyView:
    """As the wire shows it."""
    return KeyView(
        id=key.id,
        owner_id=id_of(key.account_key),
        owner_type=kind_of(key.account_key),
        key_type=key.kind,
        public_key=key.public_key,
        created_at=rfc3339(key.created_us),
        key_id=key.key_id,
        version=key.version if key.kind == "identity" else None,
        signing_key=key.signing_key,
        signature=key.signature,
        signature_scheme=key.signature_scheme,
        signature_over=key.signature_over,
    )


def is_spent(tx: ReadTx, account: str, fingerprint: str) -> bool:
    """Whether this one-time key was handed out."""
    found = tx.one(
        "SELECT 1 FROM spent_key WHERE account_key = :account AND fingerprint = :fingerprint",
        account=account,
        fingerprint=fingerprint,
    )
    return found is not None


def remember_spent(tx: Tx, key: Key) -> None:
    """A one-time key was handed out; uploaded again it is passed over."""
    tx.run(
        "INSERT INTO spent_key (account_key, fingerprint, spent_us) VALUES (:account, :fingerprint, :at)"
        " ON CONFLICT DO NOTHING",
        account=key.account_key,
        fingerprint=key.fingerprint,
        at=tx.at_us,
    )
    tx.run(
        """
        DELETE FROM spent_key WHERE account_key = :account AND spent_us < (
            SELECT spent_us FROM spent_key WHERE account_key = :account
            ORDER BY spent_us DESC LIMIT 1 OFFSET :kept)""",
        account=key.account_key,
        kept=REMEMBERED_SPENT_KEYS - 1,
    )


def share_a_conversation(tx: ReadTx, one: str, other: str) -> bool:
    """Whether two accounts are in one now."""
    found = tx.one(
        """
        SELECT 1 FROM member mine JOIN member theirs ON theirs.conversation_id = mine.conversation_id
        WHERE mine.account_key = :one AND theirs.account_key = :other
            AND mine.left_at_seq IS NULL AND theirs.left_at_seq IS NULL LIMIT 1""",
        one=one,
        other=other,
    )
    return found is not None
