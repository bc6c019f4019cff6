"""What every way of registering a device for pushes shares: what is checked, and the one row it makes.

Knows SQL and key formats. Knows no route, no push service, and nothing of when a device is woken.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from amtrio.context import Context
from amtrio.destinations import check_endpoint
from amtrio.errors import Malformed
from amtrio.model.attention import Attention
from amtrio.signing import base64url, from_base64url
from amtrio.store.database import Tx

Platform = Literal["ios", "android", "web"]

# Tokens of phones that were given away pile up; the ones not renewed for longest make room.
MAX_DEVICES: Final = 32
# Google's have about 160 characters, Apple's 64 and perhaps 200 one day.
TOKEN: Final = Meta(pattern=r"^[A-Za-z0-9_:.-]{1,1024}(?!\n)$")
_POINT_BYTES: Final = 65
_AUTH_BYTES: Final = 16

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


class PushKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser's `PushSubscription` has under `keys`, base64url."""

    p256dh: str
    auth: str


def register_browser(
    tx: Tx,
    ctx: Context,
    endpoint: str | None,
    keys: PushKeys | None,
    *,
    device_id: str | None = None,
    can_withdraw: bool = False,
) -> str:
    """
    Register what a browser's `PushSubscription` says; answers the address.

    Raises:
        Malformed: endpoint or keys are missing, or cannot be a push service's and a browser's.
    """
    if not endpoint or keys is None or not keys.p256dh or not keys.auth:
        text = "endpoint, p256dh, and auth keys are required"
        raise Malformed(text)
    check_endpoint(endpoint, ctx.config.push.private_networks)
    return register(tx, ctx, "web", endpoint, keys=_checked_keys(keys), device_id=device_id, can_withdraw=can_withdraw)


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


def register(
    tx: Tx,
    ctx: Context,
    platform: Platform,
    address: str,
    *,
    keys: PushKeys | None = None,
    device_id: str | None = None,
    can_withdraw: bool = False,
) -> str:
    """
    Register a device of the asker's under his login; answers the address.

    Args:
        address: a token or an endpoint; it belongs to whoever registered it last.
        device_id: the app's own name for the device; a new address of it replaces the old one.
    """
    account = ctx.principal.account
    if device_id is not None:
        tx.run(
            "DELETE FROM push_device WHERE account_key = :account AND device_id = :device_id AND address <> :address",
            account=account,
            device_id=device_id,
            address=address,
        )
    tx.run(
        _REGISTER,
        id=ctx.clock.new_id("push"),
        account=account,
        session=ctx.principal.session,
        device_id=device_id,
        platform=platform,
        address=address,
        p256dh=keys.p256dh if keys is not None else None,
        auth=keys.auth if keys is not None else None,
        can_withdraw=int(can_withdraw),
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
    return address


def forget(tx: Tx, account: str, address: str) -> None:
    """An address of one's own is woken no more; no error if it never was."""
    tx.run(
        "DELETE FROM push_device WHERE account_key = :account AND address = :address", account=account, address=address
    )
