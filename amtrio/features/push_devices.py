"""Which devices of a person can be woken: registering them and taking them off.

Knows frames and SQL. Knows nothing of how and when they are woken; `amtrio.push` does. The older server's verbs are in
`older_push`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.context import Context, Nothing, Services
from amtrio.errors import Malformed, NotFound
from amtrio.feature import chore, delete, get, on_removal, post, put
from amtrio.model.attention import Attention
from amtrio.model.push_device import TOKEN, Platform, PushKeys, register, register_browser
from amtrio.protocol.frames import ID_PATTERN, ClientId, Command
from amtrio.signing import BadKey, base64url, p256_key, public_point
from amtrio.store.database import ReadTx, Row, Tx

DeviceId = Annotated[str, Meta(pattern=ID_PATTERN)]
_COLUMNS = "d.id, d.platform, d.device_id, d.session_id, d.can_withdraw, d.created_us, d.updated_us"
_OPEN = """
FROM push_device d JOIN login_session s ON s.id = d.session_id
WHERE d.account_key = :account AND s.ended_us IS NULL"""


class RegisterDevice(Command, frozen=True, kw_only=True):
    """
    A device that may be woken.

    Attributes:
        token: of `ios` and `android`: what Apple or Google gave the app.
        endpoint, keys: of `web`: the browser's `PushSubscription`.
        device_id: the app's own name for the device, as in `hello`; a new token of it replaces the old one.
        can_withdraw: it understands `withdraw: true`, which takes back a notification that was read elsewhere.
    """

    platform: Platform
    token: Annotated[str, TOKEN] | None = None
    endpoint: str | None = None
    keys: PushKeys | None = None
    device_id: DeviceId | None = None
    can_withdraw: bool = False
    client_id: ClientId | None = None


class PushDevice(msgspec.Struct, frozen=True, kw_only=True):
    """
    A device that may be woken. Its token or endpoint is never shown.

    Attributes:
        current: registered by the login that asks.
        updated_at: when it was registered last.
    """

    id: str
    platform: Platform
    device_id: str | None
    can_withdraw: bool
    created_at: str
    updated_at: str
    current: bool


@put("/push/devices", who="user")
@post("/push/devices", who="user")
def register_device(tx: Tx, ctx: Context, request: RegisterDevice) -> PushDevice:
    """
    Let a device be woken from now on; again for the same one brings it up to date.

    It belongs to the login that registers it and goes when that ends. A token or endpoint belongs to one account at a
    time: whoever registered it last.

    Raises:
        Malformed: no token, or no endpoint with keys; an endpoint that cannot be a push service's.
    """
    device_id, can_withdraw = request.device_id, request.can_withdraw
    if request.platform == "web":
        address = register_browser(
            tx, ctx, request.endpoint, request.keys, device_id=device_id, can_withdraw=can_withdraw
        )
    elif request.token:
        address = register(tx, ctx, request.platform, request.token, device_id=device_id, can_withdraw=can_withdraw)
    else:
        text = f"token is required for {request.platform}"
        raise Malformed(text)
    row = tx.one(f"SELECT {_COLUMNS} FROM push_device d WHERE d.address = :address", address=address)  # noqa: S608
    assert row is not None, "it was stored a moment ago"
    return _view(ctx, row)


def _view(ctx: Context, row: Row) -> PushDevice:
    id_, platform, device_id, session, can_withdraw, created_us, updated_us = row
    return PushDevice(
        id=id_,
        platform=platform,
        device_id=device_id,
        can_withdraw=bool(can_withdraw),
        created_at=rfc3339(created_us),
        updated_at=rfc3339(updated_us),
        current=session == ctx.principal.session,
    )


@get("/push/devices", who="user")
def list_devices(tx: ReadTx, ctx: Context, request: Nothing) -> list[PushDevice]:
    """One's own devices that may be woken, the last registered first."""
    del request
    rows = tx.all(
        f"SELECT {_COLUMNS} {_OPEN} ORDER BY d.updated_us DESC, d.id DESC",
        account=ctx.principal.account,
    )
    return [_view(ctx, row) for row in rows]


class NamePushDevice(msgspec.Struct, frozen=True, kw_only=True):
    """Which one: the `id` that registering it answered."""

    push_device_id: str


class PushDeviceRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """It is woken no more."""

    id: str
    status: str = "removed"


@delete("/push/devices/<push_device_id>", who="user")
def remove_device(tx: Tx, ctx: Context, request: NamePushDevice) -> PushDeviceRemoved:
    """
    Let a device of one's own be woken no more.

    Raises:
        NotFound: no such device, or somebody else's.
    """
    removed = tx.run(
        "DELETE FROM push_device WHERE id = :id AND account_key = :account",
        id=request.push_device_id,
        account=ctx.principal.account,
    )
    if not removed:
        text = f"push device not found: {request.push_device_id[:64]!r}"
        raise NotFound(text)
    return PushDeviceRemoved(id=request.push_device_id)


class VapidKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser needs as `applicationServerKey` to subscribe."""

    public_key: str


@get("/push/vapid-key", who="user")
def vapid_key(tx: ReadTx, ctx: Context, request: Nothing) -> VapidKey:
    """
    The server's public key for Web Push.

    Raises:
        NotFound: there is none.
    """
    del tx, request
    secret = ctx.config.push.vapid_private_key
    try:
        if secret:
            return VapidKey(public_key=base64url(public_point(p256_key(secret.reveal()))))
    except BadKey:  # which stops the start; only a server without pushes comes here
        pass
    raise NotFound("VAPID not configured on server")


@chore(every_seconds=3600)
async def forget_ended_logins(services: Services) -> None:
    """Devices of logins that were ended are woken no more from that moment on; here their addresses go."""
    await services.store.write(_forget_ended)


def _forget_ended(tx: Tx) -> None:
    tx.run(
        """
        DELETE FROM push_device WHERE id IN (
            SELECT d.id FROM push_device d JOIN login_session s ON s.id = d.session_id
            WHERE s.ended_us IS NOT NULL LIMIT 1000)"""
    )


@on_removal
def remove_devices(tx: Tx, services: Services, account: str) -> None:
    """Nobody else knows of them."""
    tx.run("DELETE FROM push_device WHERE account_key = :account", account=account)
    tx.run("DELETE FROM push_shown WHERE account_key = :account", account=account)
    tx.on_commit(lambda: services.own(Attention).reachable.discard(account))
