"""Public keys, with which people and agents agree on secrets that this server does not know: uploading one's own.

Knows frames and SQL. Knows no private key and no plaintext; what may be concluded from a key stands in
docs/discussion/encryption.md.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.clock import MICROS_PER_SECOND, rfc3339
from amtrio.context import Context, Nothing, account_key, id_of, kind_of
from amtrio.context import Services as Services  # noqa: PLC0414 - read by type hints of removals
from amtrio.errors import Conflict, Malformed, RateLimited
from amtrio.feature import get, on_removal, post, put, replay
from amtrio.model.keyring import (
    Key,
    KeyView,
    OneTimeKeyCount,
    count_of,
    identity_of,
    is_spent,
    key_view,
    keys_of,
    share_a_conversation,
    store_key,
)
from amtrio.protocol.frames import ClientId, Command, Event, Kind
from amtrio.public_keys import agreement_key_bytes, check_signature, key_bytes, signing_key_bytes
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import LogRow
from amtrio.text.printed import value_of

# They carry a busy account over a week in which it is away.
MAX_ONE_TIME_KEYS = 200
# Old ones tell a person who looks when a contact's key changed; nobody looks further back than this.
KEPT_IDENTITIES = 20
# Everybody who talks with the account is told of each change.
IDENTITIES_PER_HOUR = 10
_HOUR_US = 3600 * MICROS_PER_SECOND
# Of a form's list: 200 keys in their longest spelling, quoted, with numbers.
MAX_LIST_CHARS = 65_536

# What the interface's description says of them; `public_keys` is what checks, with an answer that names the rule.
_KEY = {"pattern": r"^([A-Za-z0-9+/_-]{43}=?|[0-9A-Fa-f]{64})$"}
_SIGNATURE = {"pattern": r"^([A-Za-z0-9+/_-]{86}(==)?|[0-9A-Fa-f]{128})$"}
KeyText = Annotated[str, Meta(max_length=128, extra_json_schema=_KEY)]
Signature = Annotated[str, Meta(max_length=256, extra_json_schema=_SIGNATURE)]
KeyId = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class IdentityKeyChanged(Event, frozen=True, kw_only=True):
    """
    An account has another identity key: whoever compared the old one has to compare again.

    Attributes:
        version: of the key in force now.
    """

    type = "identity_key_changed"
    log_kind = "identity_key_changed"
    account_kind: Kind
    account_id: str
    version: int
    public_key: str
    changed_at: str

    @property
    def log_subject(self) -> str:
        return account_key(self.account_kind, self.account_id)


class PutIdentity(Command, frozen=True, kw_only=True):
    """
    One's identity key. The same one again changes nothing; another one drops all prekeys of the old one.

    Attributes:
        signing_key: an Ed25519 key for signatures. Without it the identity signs for itself, as Ed25519 or XEdDSA.
    """

    public_key: KeyText
    signing_key: KeyText | None = None
    client_id: ClientId | None = None


@put("/keys/identity")
def put_identity(tx: Tx, ctx: Context, frame: PutIdentity) -> KeyView:
    """
    Set the identity key; when it replaces another one, everybody who shares a conversation is told.

    Raises:
        Malformed: not a key. RateLimited: changed too often within an hour.
    """
    account = ctx.principal.account
    fingerprint = agreement_key_bytes(frame.public_key, "public_key").hex()
    if frame.signing_key is not None:
        signing_key_bytes(frame.signing_key, "signing_key")
    old = identity_of(tx, account)
    if old is not None and old.fingerprint == fingerprint and frame.signing_key in (None, old.signing_key):
        return key_view(old)
    _check_pace(tx, account)
    version = 1
    if old is not None:
        version = old.version + 1
        tx.run(
            """
            DELETE FROM public_key WHERE account_key = :account
                AND (kind <> 'identity' OR version <= :forgotten)""",
            account=account,
            forgotten=version - KEPT_IDENTITIES,
        )
    made = store_key(
        tx,
        ctx,
        Key(
            kind="identity",
            public_key=frame.public_key,
            fingerprint=fingerprint,
            signing_key=frame.signing_key,
            version=version,
        ),
    )
    if old is not None:
        tx.announce(_changed(made), [account, *_partners(tx, account)], device=ctx.principal.device)
    return key_view(made)


def _check_pace(tx: Tx, account: str) -> None:
    recent = tx.all(
        """
        SELECT created_us FROM public_key WHERE account_key = :account AND kind = 'identity' AND created_us > :since
        ORDER BY created_us""",
        account=account,
        since=tx.at_us - _HOUR_US,
    )
    if len(recent) >= IDENTITIES_PER_HOUR:
        text = f"rate limit exceeded: an identity key may change {IDENTITIES_PER_HOUR} times an hour"
        raise RateLimited(text, retry_after_ms=(recent[0][0] + _HOUR_US - tx.at_us) // 1000 + 1)


class PutSignedPrekey(Command, frozen=True, kw_only=True):
    """The prekey of everybody who finds no one-time key; it replaces the one before."""

    public_key: KeyText
    signature: Signature | None = None
    key_id: KeyId | None = None
    client_id: ClientId | None = None


@put("/keys/signed-prekey")
def put_signed_prekey(tx: Tx, ctx: Context, frame: PutSignedPrekey) -> KeyView:
    """
    Set the signed prekey.

    Raises:
        Malformed: not a key, no signature, or not a good one. Conflict: there is no identity key yet.
    """
    raw = agreement_key_bytes(frame.public_key, "public_key")
    identity = _own_identity(tx, ctx)
    if frame.signature is None:
        text = "signature is required: a prekey that nobody signed could be anybody's"
        raise Malformed(text)
    signed = check_signature(
        raw,
        frame.signature,
        identity=bytes.fromhex(identity.fingerprint),
        signing_key=key_bytes(identity.signing_key, "signing_key") if identity.signing_key is not None else None,
    )
    tx.run(
        "DELETE FROM public_key WHERE account_key = :account AND kind = 'signed_prekey'",
        account=ctx.principal.account,
    )
    made = Key(
        kind="signed_prekey",
        key_id=frame.key_id,
        public_key=frame.public_key,
        fingerprint=raw.hex(),
        signature=frame.signature,
        signature_scheme=signed.scheme,
        signature_over=signed.over,
    )
    return key_view(store_key(tx, ctx, made))


class OneTimeKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key for one session; without `key_id` it gets the next number."""

    public_key: KeyText
    key_id: KeyId | None = None


# COMPAT: SDKs send bare texts, and one of them the text of a Python list.
OneTimeKeys = list[OneTimeKey | KeyText] | str


class AddOneTimeKeys(Command, frozen=True, kw_only=True):
    """More one-time keys, at most 200 with those that are there."""

    keys: OneTimeKeys
    client_id: ClientId | None = None


@post("/keys/one-time-prekeys")
def add_one_time_keys(tx: Tx, ctx: Context, frame: AddOneTimeKeys) -> OneTimeKeyCount:
    """
    Store one-time keys; one that is there, or was handed out already, is passed over.

    Raises:
        Malformed: not a key. Conflict: no identity key yet, a key_id is another key's, or there is no room.
    """
    _add(tx, ctx, _listed(frame.keys))
    return count_of(tx, ctx.principal.account)


def _add(tx: Tx, ctx: Context, keys: list[OneTimeKey]) -> list[Key]:
    """The keys as they are stored now, but for those that were handed out."""
    account = ctx.principal.account
    _own_identity(tx, ctx)
    stored = {key.fingerprint: key for key in keys_of(tx, account, "one_time_prekey")}
    numbers = {key.key_id for key in stored.values()}
    following = max((number for number in numbers if number is not None), default=0) + 1
    added = []
    for key in keys:
        fingerprint = agreement_key_bytes(key.public_key, "public_key").hex()
        if fingerprint in stored:
            added.append(stored[fingerprint])
            continue
        if is_spent(tx, account, fingerprint):
            continue
        number = key.key_id if key.key_id is not None else following
        if number in numbers:
            text = f"key_id {number} is another one-time key's"
            raise Conflict(text)
        if len(stored) >= MAX_ONE_TIME_KEYS:
            text = f"at most {MAX_ONE_TIME_KEYS} one-time keys are kept"
            raise Conflict(text)
        made = Key(kind="one_time_prekey", key_id=number, public_key=key.public_key, fingerprint=fingerprint)
        stored[fingerprint] = store_key(tx, ctx, made)
        numbers.add(number)
        following = max(following, number + 1)
        added.append(stored[fingerprint])
    return added


def _listed(keys: OneTimeKeys) -> list[OneTimeKey]:
    """Each as a struct, whatever way they came."""
    if isinstance(keys, str):
        keys = _from_text(keys)
    if len(keys) > MAX_ONE_TIME_KEYS:
        text = f"at most {MAX_ONE_TIME_KEYS} one-time keys are kept"
        raise Conflict(text)
    return [OneTimeKey(public_key=key) if isinstance(key, str) else key for key in keys]


def _from_text(text: str) -> list[OneTimeKey | KeyText]:
    """A list out of a form: JSON, or COMPAT what Python prints of one."""
    rule = "one-time keys must be a list of keys, or of {key_id, public_key}"
    try:
        return msgspec.convert(value_of(text, most_chars=MAX_LIST_CHARS), list[OneTimeKey | KeyText])
    except ValueError as exc:  # which msgspec's own is, too
        raise Malformed(rule) from exc


class UploadKeys(Command, frozen=True, kw_only=True):
    """
    COMPAT: one key at a time, or (the SDKs) everything at once under other names.

    Attributes:
        key_type: `identity`, `signed_prekey` or `one_time_prekey`, of `public_key`.
    """

    key_type: str | None = None
    public_key: str | None = None
    signature: str | None = None
    key_id: KeyId | None = None
    signing_key: str | None = None
    identity_key: str | None = None
    signed_prekey: str | None = None
    prekey_signature: str | None = None
    one_time_prekeys: OneTimeKeys | None = None
    client_id: ClientId | None = None


class UploadedKey(KeyView, frozen=True, kw_only=True, omit_defaults=False):
    """COMPAT: the key that was uploaded, of a whole bundle the identity; and how many one-time keys are there now."""

    one_time_prekey_count: int
    count: int
    low: bool
    status: str = "stored"


@post("/keys/upload")
def upload(tx: Tx, ctx: Context, frame: UploadKeys) -> UploadedKey:
    """
    COMPAT: store one key, or a whole bundle.

    Raises:
        Malformed: not a key, or not signed. Conflict: no identity key yet, or a key_id is another key's.
        RateLimited: the identity changed too often within an hour.
    """
    if frame.identity_key is None and frame.one_time_prekeys is None and frame.signed_prekey is None:
        key = _upload_one(tx, ctx, frame)
    else:
        _upload_bundle(tx, ctx, frame)
        key = key_view(_own_identity(tx, ctx))
    count = msgspec.structs.asdict(count_of(tx, ctx.principal.account))
    return UploadedKey(**msgspec.structs.asdict(key), **count)


def _upload_bundle(tx: Tx, ctx: Context, frame: UploadKeys) -> None:
    if frame.identity_key:
        put_identity(tx, ctx, PutIdentity(public_key=frame.identity_key, signing_key=frame.signing_key or None))
    if frame.signed_prekey:
        prekey = PutSignedPrekey(public_key=frame.signed_prekey, signature=frame.prekey_signature or None)
        put_signed_prekey(tx, ctx, prekey)
    if frame.one_time_prekeys:
        _add(tx, ctx, _listed(frame.one_time_prekeys))


def _upload_one(tx: Tx, ctx: Context, frame: UploadKeys) -> KeyView:
    public_key = frame.public_key
    if not public_key:
        text = "public_key is required"
        raise Malformed(text)
    match frame.key_type:
        case "identity":
            return put_identity(tx, ctx, PutIdentity(public_key=public_key, signing_key=frame.signing_key or None))
        case "signed_prekey":
            prekey = PutSignedPrekey(public_key=public_key, signature=frame.signature or None, key_id=frame.key_id)
            return put_signed_prekey(tx, ctx, prekey)
        case "one_time_prekey":
            added = _add(tx, ctx, [OneTimeKey(public_key=public_key, key_id=frame.key_id)])
            if not added:
                text = "this one-time key was handed out already"
                raise Conflict(text)
            return key_view(added[0])
    text = "invalid key_type, must be identity/signed_prekey/one_time_prekey"
    raise Malformed(text)


@get("/keys/one-time-prekeys/count")
def count_one_time_keys(tx: ReadTx, ctx: Context, request: Nothing) -> OneTimeKeyCount:
    """How many of one's own are left."""
    del request
    return count_of(tx, ctx.principal.account)


def _own_identity(tx: ReadTx, ctx: Context) -> Key:
    identity = identity_of(tx, ctx.principal.account)
    if identity is None:
        text = "no identity key yet: upload that one first"
        raise Conflict(text)
    return identity


def _partners(tx: ReadTx, account: str) -> list[str]:
    """Everybody who shares a conversation with `account`."""
    rows = tx.all(
        """
        SELECT DISTINCT theirs.account_key FROM member mine
        JOIN member theirs ON theirs.conversation_id = mine.conversation_id AND theirs.left_at_seq IS NULL
        WHERE mine.account_key = :account AND mine.left_at_seq IS NULL AND theirs.account_key <> :account""",
        account=account,
    )
    return [row[0] for row in rows]


def _changed(identity: Key) -> IdentityKeyChanged:
    return IdentityKeyChanged(
        account_kind=kind_of(identity.account_key),
        account_id=id_of(identity.account_key),
        version=identity.version,
        public_key=identity.public_key,
        changed_at=rfc3339(identity.created_us),
    )


@replay("identity_key_changed")
def replay_changed(tx: ReadTx, account: str, row: LogRow) -> IdentityKeyChanged | None:
    """The key in force now; nothing if the two have nothing to do with each other any more."""
    owner = row.subject_id or ""
    identity = identity_of(tx, owner)
    if identity is None or not (owner == account or share_a_conversation(tx, account, owner)):
        return None
    return _changed(identity)


@on_removal
def remove_keys(tx: Tx, services: Services, account: str) -> None:
    """Nobody can write to an account that is gone."""
    del services
    tx.run("DELETE FROM public_key WHERE account_key = :account", account=account)
    tx.run("DELETE FROM spent_key WHERE account_key = :account", account=account)
