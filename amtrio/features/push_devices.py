"""Which devices of a person can be woken: registering them and taking them off.

Knows frames and SQL. Knows nothing of how and when they are woken; `amtrio.push` does.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.destinations import check_endpoint
from amtrio.errors import Malformed, NotFound
from amtrio.feature import Context, Nothing, Services, chore, delete, get, on_removal, post, put
from amtrio.model.attention import Attention
from amtrio.protocol.frames import ID_PATTERN, ClientId, Command
from amtrio.signing import BadKey, base64url, from_base64url, p256_key, public_point
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.text.printed import value_of

DeviceId = Annotated[str, Meta(pattern=ID_PATTERN)]
Platform = Literal["ios", "android", "web"]

# Tokens of phones that were given away pile up; the ones not renewed for longest make room.
MAX_DEVICES: Final = 32
# Google's have about 160 characters, Apple's 64 and perhaps 200 one day.
_TOKEN: Final = Meta(pattern=r"^[A-Za-z0-9_:.-]{1,1024}(?!\n)$")
_POINT_BYTES: Final = 65
_AUTH_BYTES: Final = 16
_MAX_KEYS_CHARS: Final = 1024

_REGISTER = """
INSERT INTO push_device
    (id, account_key, session_id, device_id, platform, address, p256dh, auth, can_withdraw, created_us, updated_us)
VALUES (:id, :account, :session, :device_id, :platform, :address, :p256dh, :auth, :can_withdraw, :at, :at)
ON CONFLICT (address) DO UPDATE SET
    id = CASE WHEN push_device.account_key = excluded.account_key THEN push_device.id ELSE excluded.id END,
    created_us = CASE WHEN push_device.account_key = excluded.account_key THEN push_device.created_us
        ELSE excluded.created_us END,
    account_key = excluded.account_key, session_id = excluded.session_id, device_id = excluded.device_id,
    platform = excluded.platform, p256dh = excluded.p256dh, auth = excluded.auth,
    can_withdraw = excluded.can_withdraw, updated_us = excluded.updated_us"""
_COLUMNS = "d.id, d.platform, d.device_id, d.session_id, d.can_withdraw, d.created_us, d.updated_us"
_OPEN = """
FROM push_device d JOIN login_session s ON s.id = d.session_id
WHERE d.account_key = :account AND s.ended_us IS NULL"""


class PushKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser's `PushSubscription` has under `keys`, base64url."""

    p256dh: str
    auth: str


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
    token: Annotated[str, _TOKEN] | None = None
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
    if request.platform == "web":
        return _register_web(tx, ctx, request, request.endpoint, request.keys)
    if not request.token:
        text = f"token is required for {request.platform}"
        raise Malformed(text)
    return _register(tx, ctx, request, request.token)


def _register_web(
    tx: Tx, ctx: Context, request: RegisterDevice, endpoint: str | None, keys: PushKeys | None
) -> PushDevice:
    if not endpoint or keys is None or not keys.p256dh or not keys.auth:
        text = "endpoint, p256dh, and auth keys are required"
        raise Malformed(text)
    check_endpoint(endpoint, ctx.config.push.private_networks)
    return _register(tx, ctx, request, endpoint, _checked_keys(keys))


def _checked_keys(keys: PushKeys) -> PushKeys:
    """As they are stored: found wrong here, and not each time somebody is to be woken."""
    try:
        point, auth = from_base64url(keys.p256dh), from_base64url(keys.auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as exc:
        raise Malformed("keys: p256dh must be a point on P-256 in base64url") from exc
    if len(point) != _POINT_BYTES or len(auth) != _AUTH_BYTES:
        raise Malformed("keys: p256dh has 65 bytes and auth 16, in base64url")
    return PushKeys(p256dh=base64url(point), auth=base64url(auth))


def _register(tx: Tx, ctx: Context, request: RegisterDevice, address: str, keys: PushKeys | None = None) -> PushDevice:
    account = ctx.principal.account
    if request.device_id is not None:
        tx.run(
            "DELETE FROM push_device WHERE account_key = :account AND device_id = :device_id AND address <> :address",
            account=account,
            device_id=request.device_id,
            address=address,
        )
    tx.run(
        _REGISTER,
        id=ctx.clock.new_id("push"),
        account=account,
        session=ctx.principal.session,
        device_id=request.device_id,
        platform=request.platform,
        address=address,
        p256dh=keys.p256dh if keys is not None else None,
        auth=keys.auth if keys is not None else None,
        can_withdraw=int(request.can_withdraw),
        at=tx.at_us,
    )
    tx.run(
        """
        DELETE FROM push_device WHERE id IN (
            SELECT id FROM push_device WHERE account_key = :account AND address <> :address
            ORDER BY updated_us DESC, id DESC LIMIT 1000 OFFSET :most)""",
        account=account,
        address=address,
        most=MAX_DEVICES - 1,
    )
    tx.on_commit(lambda: ctx.services.own(Attention).reachable.add(account))
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


# -- the older server's verbs ---------------------------------------------------------------------------------------


class RegisterToken(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT. Attributes: token: what an SDK's documents call `device_token`."""

    device_token: Annotated[str, _TOKEN] | None = None
    token: Annotated[str, _TOKEN] | None = None
    platform: Platform = "ios"
    device_id: str | None = None


class PushDone(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT: it is done."""

    status: str = "ok"


@post("/push/register", who="user")  # COMPAT
def register_token(tx: Tx, ctx: Context, request: RegisterToken) -> PushDone:
    """
    Let a phone be woken.

    Raises:
        Malformed: no token, or a browser, which has more to say.
    """
    token = _token(request.device_token or request.token)
    if request.platform == "web":
        text = "a browser subscribes with POST /push/web-subscribe"
        raise Malformed(text)
    # `device_id` is ignored as the older server did: its clients put the phone's model there.
    _register(tx, ctx, RegisterDevice(platform=request.platform), token)
    return PushDone()


class NameToken(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT. Attributes: token: what an SDK's documents call `device_token`."""

    device_token: str | None = None
    token: str | None = None


@post("/push/unregister", who="user")  # COMPAT
@delete("/push/unregister", who="user")  # COMPAT
def unregister_token(tx: Tx, ctx: Context, request: NameToken) -> PushDone:
    """Let a phone be woken no more; no error if it never was."""
    _forget(tx, ctx, _token(request.device_token or request.token))
    return PushDone()


def _token(given: str | None) -> str:
    if not given:
        text = "device_token is required"
        raise Malformed(text)
    return given


def _forget(tx: Tx, ctx: Context, address: str) -> None:
    tx.run(
        "DELETE FROM push_device WHERE account_key = :account AND address = :address",
        account=ctx.principal.account,
        address=address,
    )


class Subscribe(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT. Attributes: keys: an object; in a form its text, as JSON or as Python prints a dict."""

    endpoint: str | None = None
    keys: PushKeys | str | None = None


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT: it is done."""

    status: str = "subscribed"


@post("/push/web-subscribe", who="user")  # COMPAT
def subscribe(tx: Tx, ctx: Context, request: Subscribe) -> Subscribed:
    """Let a browser be woken."""
    keys = _keys_of_text(request.keys) if isinstance(request.keys, str) else request.keys
    _register_web(tx, ctx, RegisterDevice(platform="web"), request.endpoint, keys)
    return Subscribed()


def _keys_of_text(text: str) -> PushKeys | None:
    """COMPAT: an SDK sends a form, and with it what `str` makes of a dict."""
    try:
        return msgspec.convert(value_of(text, most_chars=_MAX_KEYS_CHARS), PushKeys)
    except ValueError:  # which msgspec's own is, too
        return None


class NameEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT: which one."""

    endpoint: str | None = None


class Unsubscribed(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT: it is done."""

    status: str = "unsubscribed"


@post("/push/web-unsubscribe", who="user")  # COMPAT
def unsubscribe(tx: Tx, ctx: Context, request: NameEndpoint) -> Unsubscribed:
    """Let a browser be woken no more; no error if it never was."""
    if not request.endpoint:
        text = "endpoint is required"
        raise Malformed(text)
    _forget(tx, ctx, request.endpoint)
    return Unsubscribed()


# -- what goes --------------------------------------------------------------------------------------------------------


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
