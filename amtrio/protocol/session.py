"""The rules of a socket's life: where it goes on from, what was confirmed, and how it may end.

Sans I/O: no clock of its own, no socket. `transports.session` moves the bytes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

# A v1 client knows no acks: after so many events, or 250 ms after the first, one ping asks what has arrived.
CONFIRM_AFTER_EVENTS = 64
_NONCE_BYTES = 8
_CURSOR_BYTES = 8


class Close(enum.IntEnum):
    """
    Why a socket is closed. 1000 to 2999: RFC 6455, 7.4.1; 4000 and up are ours.

    Never 1000, 1005 or an empty frame: a shipped client takes those for an end it wanted and stops without a word.
    """

    GOING_AWAY = 1001
    INTERNAL_ERROR = 1011
    RESTART = 1012
    OVERLOADED = 1013
    REPLACED = 4000
    BAD_HELLO = 4400
    UNAUTHORIZED = 4401
    NO_SIGN_OF_LIFE = 4408
    REPLACEMENT_LOOP = 4409
    TOO_SLOW = 4413


@dataclass(frozen=True, slots=True)
class Start:
    """
    From where a socket goes on.

    Attributes:
        position: everything up to this number is with the client.
        resync: why the client has to fetch a snapshot first, if it must.
    """

    position: int
    resync: Literal["epoch", "pruned", "ahead"] | None = None


def start(*, since: int, epoch: str | None, server_epoch: str, pruned: int, head: int) -> Start:
    """
    Decide where a client goes on that says it has everything up to `since` of `epoch`.

    Args:
        epoch: None when the position is the server's own note, which is always of this epoch.
        pruned, head: the log holds the numbers pruned + 1 to head.
    """
    if epoch is not None and epoch != server_epoch:
        return Start(head, "epoch")
    if since > head:
        return Start(head, "ahead")
    if since < pruned:
        return Start(head, "pruned")
    return Start(since)


class Confirmations:
    """
    What a client without acks has certainly received.

    Control frames keep their place among data frames (RFC 6455, 5.4), so the exact pong of a ping proves that
    everything sent before the ping arrived. At most one such ping is on the way.
    """

    __slots__ = ("_after_events", "_asked", "confirmed", "sent", "waiting")

    def __init__(self, position: int, after_events: int = CONFIRM_AFTER_EVENTS) -> None:
        self._after_events = after_events
        self.confirmed = position
        self.sent = position
        self.waiting = 0
        self._asked: tuple[bytes, int] | None = None

    def wrote(self, seq: int) -> bool:
        """Event `seq` went out; True if it is time to ask now rather than in a moment."""
        self.sent = seq
        self.waiting += 1
        return self.waiting >= self._after_events

    def passed(self, seq: int) -> bool:
        """Event `seq` shows this client nothing; True if that alone moves `confirmed`."""
        self.sent = seq
        if self.waiting == 0 and self._asked is None:
            self.confirmed = seq
            return True
        return False

    @property
    def is_complete(self) -> bool:
        """Nothing is unconfirmed."""
        return self.confirmed == self.sent

    def ask(self, nonce: bytes) -> bytes | None:
        """The payload of the ping to send now; None if one is on the way or there is nothing to ask."""
        if self._asked is not None or self.is_complete:
            return None
        payload = nonce[:_NONCE_BYTES] + self.sent.to_bytes(_CURSOR_BYTES, "big")
        self._asked = (payload, self.sent)
        self.waiting = 0
        return payload

    def pong(self, payload: bytes) -> bool:
        """True if this pong moved `confirmed`; any other pong is a mere sign of life."""
        if self._asked is None or payload != self._asked[0]:
            return False
        self.confirmed = self._asked[1]
        self._asked = None
        if self.waiting == 0:
            self.confirmed = self.sent
        return True

    def ack(self, seq: int) -> bool:
        """A client of v2 says what it has stored; True if that moved `confirmed`."""
        if not self.confirmed < seq <= self.sent:
            return False
        self.confirmed = seq
        return True
