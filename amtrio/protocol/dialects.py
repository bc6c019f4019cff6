"""One event, as each kind of client understands it.

Chosen once, at the handshake. Sans I/O; knows words and field names, no feature and no socket. `v2` is native and gets
every event; the older dialect, in `amtrio.protocol.v1`, is an allow-list.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import msgspec

from amtrio.protocol.codec import encode, frame
from amtrio.protocol.frames import Event, Failed, Kind, Reply

SUPPORTED_VERSIONS = ("v1", "v2")


class Viewer(NamedTuple):
    """
    From where an event is looked at.

    Attributes:
        is_own: the viewer's account caused it. is_same_device: even this device of it did.
    """

    kind: Kind
    is_own: bool = False
    is_same_device: bool = False


class Dialect(Protocol):
    """Turns events and answers into the JSON texts of one kind of client, none if it would not understand them."""

    @property
    def name(self) -> str:
        """The protocol version, as the handshake says it."""
        ...

    def form(self, viewer: Viewer, seq: int | None, account: str) -> object:
        """Viewers with the same form, of whatever dialect, are sent the same bytes for one event."""
        ...

    def event(self, event: Event, viewer: Viewer, seq: int | None) -> list[bytes]: ...

    def reply(self, reply: Any, ref: bytes | None, *, word: str, is_delivered: bool) -> list[bytes]:
        """
        The answer to a command.

        Args:
            word: what was asked. is_delivered: the other side has an open socket.
        """
        ...

    def failure(self, failed: Failed, ref: bytes | None) -> list[bytes]: ...


class V2:
    """The native protocol."""

    name = "v2"

    def form(self, viewer: Viewer, seq: int | None, account: str) -> object:
        del account
        return ("v2", seq, viewer.is_own)

    def event(self, event: Event, viewer: Viewer, seq: int | None) -> list[bytes]:
        if not viewer.is_own and getattr(event, "client_id", None) is not None:
            event = msgspec.structs.replace(event, client_id=None)
        return [frame(event.type, encode(event), seq=seq)]

    def reply(self, reply: Any, ref: bytes | None, *, word: str, is_delivered: bool) -> list[bytes]:
        del is_delivered
        if isinstance(reply, Reply):
            return [frame(reply.type, encode(reply), ref=ref)]
        del word
        data = encode(reply)
        return [frame("done", data if data.startswith(b"{") else b'{"result":%b}' % data, ref=ref)]

    def failure(self, failed: Failed, ref: bytes | None) -> list[bytes]:
        return [frame("error", encode(failed), ref=ref)]


V2_DIALECT = V2()
