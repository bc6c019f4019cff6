"""Handing out public keys: what somebody needs to write to an account that is away.

Knows frames and SQL. Knows nothing of how keys got here; a one-time key goes to one asker and to nobody else.
"""

from __future__ import annotations

import msgspec

from amtrio.context import Context, account_key, kind_of
from amtrio.errors import Malformed, NotFound, RateLimited
from amtrio.feature import Handler, get, post, replay
from amtrio.idempotency import once
from amtrio.limits import Buckets, TokenBucket
from amtrio.model.conversation import may_see_agent
from amtrio.model.keyring import (
    KEY_COLUMNS,
    LOW,
    Key,
    KeyView,
    count_of,
    identity_of,
    key_view,
    keys_of,
    remember_spent,
    share_a_conversation,
)
from amtrio.protocol.frames import ClientId, Command, Event, Kind
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import LogRow


class KeyBundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What somebody needs to write to an account that is away.

    Attributes:
        one_time_prekey: given to nobody else; absent if there are none left, or if one only looked.
    """

    identity_key: KeyView
    signed_prekey: KeyView | None = None
    one_time_prekey: KeyView | None = None


class OldBundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """COMPAT: keys as objects for who asked by `owner_id`, as texts for who asked by `user_id`."""

    identity_key: KeyView | str
    signed_prekey: KeyView | str | msgspec.UnsetType | None = msgspec.UNSET
    one_time_prekey: KeyView | str | msgspec.UnsetType | None = msgspec.UNSET
    prekey_signature: str | msgspec.UnsetType | None = msgspec.UNSET
    user_id: str | msgspec.UnsetType = msgspec.UNSET
    owner_type: Kind | msgspec.UnsetType = msgspec.UNSET


class OneTimeKeysLow(Event, frozen=True, kw_only=True, omit_defaults=False):
    """Few of one's one-time keys are left: upload more."""

    type = "one_time_keys_low"
    log_kind = "one_time_keys_low"
    remaining: int

    @property
    def log_subject(self) -> str:
        return "one_time_prekey"


class AskBundle(msgspec.Struct, frozen=True, kw_only=True):
    """Whose."""

    owner_type: Kind
    owner_id: str


@get("/keys/bundles/<owner_type>/<owner_id>")
def look_at_bundle(tx: ReadTx, ctx: Context, request: AskBundle) -> KeyBundle:
    """
    The keys in force, to compare them; no one-time key is used up.

    Raises:
        NotFound: it has none, or shares no conversation with the asker: one answer for both.
    """
    return _bundle(tx, _owner(tx, ctx, [account_key(request.owner_type, request.owner_id)]))


class TakeBundle(Command, frozen=True, kw_only=True):
    """Whose; with a client_id an answer that got lost is given again and uses up nothing more."""

    owner_type: Kind
    owner_id: str
    client_id: ClientId | None = None


@post("/keys/bundles/<owner_type>/<owner_id>")
async def take_bundle(ctx: Context, frame: TakeBundle) -> KeyBundle:
    """
    What one needs to begin a session with somebody, with a one-time key that nobody else gets.

    Raises:
        NotFound: it has none, or shares no conversation with the asker: one answer for both.
        RateLimited: this asker took too many of this owner.
    """
    _charge(ctx, frame.owner_id)
    answer: KeyBundle = await ctx.store.write(once, ctx, _TAKE, frame)
    return answer


def _take(tx: Tx, ctx: Context, frame: TakeBundle) -> KeyBundle:
    return _handed_out(tx, _owner(tx, ctx, [account_key(frame.owner_type, frame.owner_id)]), ctx)


_TAKE = Handler(_take, TakeBundle, "write", "member")


class AskOldBundle(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whose.

    Attributes:
        owner_id: with `owner_type`, which is a person if left out.
        user_id: what the SDKs send for a person or an agent; they are answered in another shape.
    """

    owner_id: str | None = None
    owner_type: Kind | None = None
    user_id: str | None = None


@get("/keys/bundle")
async def take_old_bundle(ctx: Context, request: AskOldBundle) -> OldBundle:
    """
    COMPAT: as `POST /keys/bundles/...`: it uses up a one-time key though it is a GET; HEAD uses up nothing.

    Raises:
        NotFound: it has none, or shares no conversation with the asker: one answer for both.
        RateLimited: this asker took too many of this owner.
    """
    id_ = request.owner_id or request.user_id
    if not id_:
        text = "owner_id is required"
        raise Malformed(text)
    _charge(ctx, id_)
    kinds: list[Kind] = ["user"] if request.owner_type is None else [request.owner_type]
    if not request.owner_id and request.owner_type is None:
        kinds.append("agent")
    owners = [account_key(kind, id_) for kind in kinds]
    if ctx.request is not None and ctx.request.method == "HEAD":
        # RFC 9110, 9.2.1: it is safe. Whoever only wants to know whether there is a bundle would empty the store.
        bundle = await ctx.store.read(_look_old, ctx, owners)
    else:
        bundle = await ctx.store.write(_take_old, ctx, owners)
    signed, one_time = bundle.signed_prekey, bundle.one_time_prekey
    if request.owner_id:
        return OldBundle(
            identity_key=bundle.identity_key,
            signed_prekey=signed or msgspec.UNSET,
            one_time_prekey=one_time or msgspec.UNSET,
        )
    return OldBundle(
        identity_key=bundle.identity_key.public_key,
        signed_prekey=signed.public_key if signed is not None else None,
        one_time_prekey=one_time.public_key if one_time is not None else None,
        prekey_signature=signed.signature if signed is not None else None,
        user_id=bundle.identity_key.owner_id,
        owner_type=bundle.identity_key.owner_type,
    )


def _look_old(tx: ReadTx, ctx: Context, owners: list[str]) -> KeyBundle:
    """What would be handed out, so that the length is the one that GET would have."""
    owner = _owner(tx, ctx, owners)
    waiting = keys_of(tx, owner.account_key, "one_time_prekey") if owner.account_key != ctx.principal.account else []
    bundle = _bundle(tx, owner)
    return msgspec.structs.replace(bundle, one_time_prekey=key_view(waiting[0])) if waiting else bundle


def _take_old(tx: Tx, ctx: Context, owners: list[str]) -> KeyBundle:
    return _handed_out(tx, _owner(tx, ctx, owners), ctx)


def _handed_out(tx: Tx, owner: Key, ctx: Context) -> KeyBundle:
    bundle = _bundle(tx, owner)
    if owner.account_key == ctx.principal.account:
        return bundle
    taken = tx.one(
        f"""
        DELETE FROM public_key WHERE id = (
            SELECT id FROM public_key WHERE account_key = :account AND kind = 'one_time_prekey'
            ORDER BY key_id LIMIT 1)
        RETURNING {KEY_COLUMNS}""",  # noqa: S608 - our own column list
        account=owner.account_key,
    )
    if taken is None:
        return bundle
    key = Key(*taken)
    remember_spent(tx, key)
    remaining = count_of(tx, owner.account_key).count
    if remaining in (LOW - 1, 0):
        tx.announce(OneTimeKeysLow(remaining=remaining), [owner.account_key])
    return msgspec.structs.replace(bundle, one_time_prekey=key_view(key))


def _owner(tx: ReadTx, ctx: Context, candidates: list[str]) -> Key:
    """
    The identity of the first account that has one and that the asker may know.

    Raises:
        NotFound: there is none.
    """
    for account in candidates:
        identity = identity_of(tx, account) if _may_look(tx, ctx.principal.account, account) else None
        if identity is not None:
            return identity
    text = "no identity key found for this owner"
    raise NotFound(text)


def _may_look(tx: ReadTx, asker: str, owner: str) -> bool:
    if asker == owner or share_a_conversation(tx, asker, owner):
        return True
    return kind_of(asker) == "user" and kind_of(owner) == "agent" and may_see_agent(tx, owner, asker)


def _bundle(tx: ReadTx, identity: Key) -> KeyBundle:
    signed = next(iter(keys_of(tx, identity.account_key, "signed_prekey")), None)
    return KeyBundle(identity_key=key_view(identity), signed_prekey=key_view(signed) if signed is not None else None)


class _Budgets:
    """How many bundles of one owner one asker may still take; who could empty the store would weaken every session."""

    def __init__(self) -> None:
        self._buckets: Buckets | None = None

    def of(self, ctx: Context, owner_id: str) -> TokenBucket:
        if self._buckets is None:
            self._buckets = Buckets(ctx.config.limits.key_bundles_per_minute)
        # As long as an id can be: longer ones name nobody, and would be kept for nothing.
        return self._buckets.of(f"{ctx.principal.account} {owner_id[:64]}")


def _charge(ctx: Context, owner_id: str) -> None:
    bucket = ctx.services.own(_Budgets).of(ctx, owner_id)
    if not bucket.take():
        text = "rate limit exceeded: too many key bundles of this owner"
        raise RateLimited(text, retry_after_ms=int(bucket.wait_seconds() * 1000) + 1)


@replay("one_time_keys_low")
def replay_low(tx: ReadTx, account: str, row: LogRow) -> OneTimeKeysLow | None:
    """How many are left now; nothing if there are plenty again."""
    del row
    count = count_of(tx, account)
    return OneTimeKeysLow(remaining=count.count) if count.low else None
