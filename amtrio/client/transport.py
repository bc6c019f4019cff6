"""One WebSocket, from the upgrade to its end: the only file that knows httpx-ws.

Knows text frames, close codes and how to say what went wrong. Knows nothing of what the frames mean.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import anyio
import httpx
from httpx_ws import (
    AsyncWebSocketSession,
    HTTPXWSException,
    WebSocketDisconnect,
    WebSocketInvalidTypeReceived,
    WebSocketNetworkError,
    WebSocketUpgradeError,
    aconnect_ws,
)
from wsproto.utilities import ProtocolError

from amtrio.client.errors import Dropped

SUBPROTOCOL: Final = "v2"
# The bound of every good-bye: a peer that reads nothing any more must not hold us.
_CLOSE_WITHIN_S = 1.0
# What httpx-ws and the libraries below it raise when a socket ends, or when the peer breaks the protocol.
_ENDINGS = (HTTPXWSException, httpx.HTTPError, ProtocolError, anyio.ClosedResourceError, anyio.EndOfStream)


class _Session(AsyncWebSocketSession):
    """
    What httpx-ws 0.9 does, but for three traps.

    It writes its close frame shielded and would wait for a full socket for ever; it ends with KeyError at a pong that
    it has not asked for, which RFC 6455, 5.5.3 allows; and where a write fails while it has a frame to hand over, it
    ends its reading without a word, so that whoever receives would wait for ever.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        known = self._ping_manager.ack

        def ack(ping_id: bytes | bytearray) -> None:
            with suppress(KeyError):
                known(ping_id)

        self._ping_manager.ack = ack  # type: ignore[method-assign]

    async def _background_receive(self, max_bytes: int) -> None:
        await super()._background_receive(max_bytes)
        # Behind the last event, where there is one; nobody takes it then, and the end of the session cancels this.
        await self._send_event.send(WebSocketNetworkError())

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        with anyio.move_on_after(_CLOSE_WITHIN_S, shield=True) as scope:
            await super().close(code, reason)
        if scope.cancelled_caught:
            await self.stream.aclose()


class Socket:
    """Sends and receives text frames."""

    def __init__(self, session: AsyncWebSocketSession) -> None:
        self._session = session

    async def send(self, frame: bytes) -> None:
        """
        Send one text frame. From one task only.

        Raises:
            Dropped: the socket is gone.
        """
        with _told_as_dropped():
            await self._session.send_text(frame.decode())

    async def receive(self) -> str:
        """
        The next text frame. Must be called again at once: pings are answered only while somebody receives.

        Raises:
            Dropped: the socket is gone, or the server closed it.
        """
        with _told_as_dropped():
            while True:
                try:
                    return await self._session.receive_text()
                except WebSocketInvalidTypeReceived:
                    continue  # the protocol has no binary frames; a newer server may


@asynccontextmanager
async def open_socket(
    http: httpx.AsyncClient, url: str, *, ping_every_s: float, ping_timeout_s: float
) -> AsyncIterator[Socket]:
    """
    Connect and upgrade.

    Args:
        url: http or https; the upgrade makes it a socket.
        ping_every_s: how often to ask whether the server lives; it is given up `ping_timeout_s` later.

    Raises:
        Dropped: no connection, a refused upgrade (its `status` and `retry_after_s` say more), or it ended.
    """
    with _told_as_dropped():
        async with aconnect_ws(
            url,
            http,
            keepalive_ping_interval_seconds=ping_every_s,
            keepalive_ping_timeout_seconds=ping_timeout_s,
            subprotocols=[SUBPROTOCOL],
            session_class=_Session,
        ) as session:
            yield Socket(session)


class _told_as_dropped:  # noqa: N801 - reads as a function, like contextlib's own
    """
    Says `Dropped` for every way in which a socket ends, taken out of the groups that httpx-ws wraps it in.

    A class, since a generator with `yield` inside `except` would also swallow what leaves the block by other ways.
    """

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BaseExceptionGroup):
            endings, others = error.split((*_ENDINGS, Dropped))
            # Cancellation, or what the block itself raised, goes first. How the socket ended is of no interest then,
            # and beside a cancellation it would survive the scope that takes that away.
            if others is not None:
                found = _leaves(others)
                raise found[0] if len(found) == 1 else others
            if endings is None:
                return
            # The close code says most; a network error is often only its echo.
            found = sorted(_leaves(endings), key=lambda e: isinstance(e, (Dropped, WebSocketDisconnect)))
            error = found[-1]
        if isinstance(error, _ENDINGS):
            raise _as_dropped(error) from error
        if isinstance(error, Dropped):
            raise error


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found.extend(_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found


def _as_dropped(error: BaseException) -> Dropped:
    if isinstance(error, WebSocketDisconnect):
        return Dropped(error.reason, code=error.code)
    if isinstance(error, WebSocketUpgradeError):
        response = error.response
        return Dropped(
            f"the server answered the upgrade with {response.status_code}",
            status=response.status_code,
            retry_after_s=retry_after_s(response),
        )
    return Dropped(str(error) or "the connection was cut")


def retry_after_s(response: httpx.Response) -> float | None:
    """Header Retry-After in seconds (RFC 9110, 10.2.3), None without one; dates are not used by this protocol."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None
