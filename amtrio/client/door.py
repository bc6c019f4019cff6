"""The first frames of a socket: `hello` and what the server says to it.

Knows the handshake of docs/protocol.md, "Hello". Knows nothing of what comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import anyio
import msgspec

from amtrio.client.backoff import SESSION_ENDED
from amtrio.client.errors import Dropped, Refused
from amtrio.client.stream import Frame, encode_frame, read_frame, read_refusal
from amtrio.client.transport import Socket

# The server waits 10 s for `hello`; its answer is one read of the database.
_HELLO_WITHIN_S = 10.0
# How long to wait for the close frame behind a refusal.
_LEAVE_WITHIN_S = 1.0


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """The data of `connected`. Attributes: seq: the place in the log `epoch` from which this socket goes on."""

    id: str
    kind: Literal["user", "agent"]
    epoch: str
    seq: int
    device_id: str | None = None
    limits: dict[str, int] = {}
    capabilities: list[str] = []


async def say_hello(socket: Socket, hello: Mapping[str, Any]) -> Opening:
    """
    Say who we are and wait to be let in.

    Raises:
        Dropped: refused, with the server's words and the close code that says whether to come back; or cut.
    """
    await socket.send(encode_frame("hello", hello))
    try:
        with anyio.fail_after(_HELLO_WITHIN_S):
            frame = await next_frame(socket)
    except TimeoutError as exc:
        raise Dropped("no answer to hello") from exc
    if frame.word == "error":
        raise await _refused_at_the_door(socket, read_refusal(frame.data))
    if frame.word != "connected":
        raise Dropped(f"the first frame was {frame.word[:40]!r}, not 'connected'")
    try:
        return msgspec.convert(frame.data, Opening)
    except msgspec.ValidationError as exc:
        raise Dropped(f"'connected' of another shape: {exc}") from exc


async def next_frame(socket: Socket) -> Frame:
    """The next one of a shape that this protocol has."""
    while True:
        frame = read_frame(await socket.receive())
        if frame is not None:
            return frame


async def _refused_at_the_door(socket: Socket, refusal: Refused) -> Dropped:
    """The close code that follows says whether to come back; the error says why in better words."""
    code = SESSION_ENDED if refusal.code == "unauthorized" else 1006
    wait_s = None if refusal.retry_after_ms is None else refusal.retry_after_ms / 1000
    try:
        with anyio.move_on_after(_LEAVE_WITHIN_S):
            while True:
                await socket.receive()
    except Dropped as exc:
        code = code if exc.code == 1006 else exc.code  # noqa: PLR2004 - RFC 6455, 7.4.1: cut without a close frame
        if wait_s is None and exc.reason.isdecimal():
            wait_s = float(exc.reason)
    return Dropped(str(refusal), code=code, retry_after_s=wait_s)
