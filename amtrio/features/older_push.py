"""COMPAT: devices for pushes by the older server's verbs, in its shapes and in those of its SDKs.

Knows frames. What a device is and how it is stored is in `amtrio.model.push_device`.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from amtrio.context import Context
from amtrio.errors import Malformed
from amtrio.feature import delete, post
from amtrio.model.push_device import TOKEN, Platform, PushKeys, forget, register, register_browser
from amtrio.store.database import Tx
from amtrio.text.printed import value_of

_MAX_KEYS_CHARS: Final = 1024


class RegisterToken(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT. Attributes: token: what an SDK's documents call `device_token`."""

    device_token: Annotated[str, TOKEN] | None = None
    token: Annotated[str, TOKEN] | None = None
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
    register(tx, ctx, request.platform, token)
    return PushDone()


class NameToken(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT. Attributes: token: what an SDK's documents call `device_token`."""

    device_token: str | None = None
    token: str | None = None


@post("/push/unregister", who="user")  # COMPAT
@delete("/push/unregister", who="user")  # COMPAT
def unregister_token(tx: Tx, ctx: Context, request: NameToken) -> PushDone:
    """Let a phone be woken no more; no error if it never was."""
    forget(tx, ctx.principal.account, _token(request.device_token or request.token))
    return PushDone()


def _token(given: str | None) -> str:
    if not given:
        text = "device_token is required"
        raise Malformed(text)
    return given


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
    register_browser(tx, ctx, request.endpoint, keys)
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
    forget(tx, ctx.principal.account, request.endpoint)
    return Unsubscribed()
