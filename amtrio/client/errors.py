"""What can go wrong for a client, and whether trying again helps.

Knows nothing of sockets or HTTP; the words are those of docs/protocol.md, "Errors and retry".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

Retry = Literal["no", "after_ms", "same_client_id"]
# Why an encrypted message cannot be read.
Why = Literal["malformed", "newer", "elsewhere", "unknown_session", "lost_key", "changed", "tampered", "replayed"]


class ClientError(Exception):
    """Everything this library raises because of the server or the way there."""


class Refused(ClientError):
    """
    The server understood and said no; the one class for both REST answers and commands on the socket.

    Attributes:
        code: one word for machines, such as `not_found`.
        status: HTTP status of a REST answer, 0 on the socket.
        retry: `no`, `after_ms` (wait `retry_after_ms`) or `same_client_id` (send it again as it was).
        retry_after_ms: milliseconds, only with `after_ms`.
        details: what the code means here, such as the answer that was faster; empty where there is nothing to add.
    """

    def __init__(
        self,
        text: str,
        *,
        code: str,
        status: int = 0,
        retry: Retry = "no",
        retry_after_ms: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.status = status
        self.retry = retry
        self.retry_after_ms = retry_after_ms
        self.details: Mapping[str, Any] = details or {}

    def __str__(self) -> str:
        return f"{self.args[0]} ({self.code})"

    def wait_s(self, otherwise_s: float) -> float:
        """Seconds until the next try, where one makes sense."""
        return otherwise_s if self.retry_after_ms is None else self.retry_after_ms / 1000


class Unreachable(ClientError):
    """Nobody answered a REST request: no route, refused, timed out or cut in the middle."""


class AuthenticationEnded(ClientError):
    """The credential is wrong or has ended; only a new one helps."""


class Replaced(ClientError):
    """A newer socket of the same device or agent took over; coming back at once would start a fight."""


class Dropped(ClientError):
    """
    The socket is gone.

    Attributes:
        code: close code of RFC 6455 7.4, 1006 when the stream was cut or never opened.
        reason: the server's words.
        status: HTTP status if the server refused the upgrade, else 0.
        retry_after_s: the server's wish, seconds.
    """

    def __init__(
        self, reason: str = "", *, code: int = 1006, status: int = 0, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{reason or 'connection lost'} (close code {code})")
        self.code = code
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s


class RunClosed(ClientError):
    """
    The run that was written to has ended: a person stopped it, or we were away too long.

    Attributes:
        outcome: `stopped`, `interrupted`, ... as far as it is known.
    """

    def __init__(self, text: str, *, outcome: str | None = None) -> None:
        super().__init__(text)
        self.outcome = outcome


class RunFailed(Exception):
    """Raised by a handler that knows what to tell the person: its text ends the run as `failed`."""


class Unreadable(Exception):
    """
    An encrypted message that cannot be read here.

    Attributes:
        why: `malformed`: of no format known here. `newer`: of a later version. `elsewhere`: for other keys than these.
            `unknown_session`: of one that is not here (any more). `lost_key`: its prekey is gone. `changed`: begun with
            an identity that is not the one known. `tampered`: changed, or moved from somewhere else. `replayed`:
            another message said the very same before.
    """

    def __init__(self, why: Why) -> None:
        super().__init__(f"it cannot be read here: {why}")
        self.why = why


class CannotEncrypt(ClientError):
    """They have no keys, or not good ones; or it can only be said in the clear, and the conversation is encrypted."""


def as_retry(word: object) -> Retry:
    """The retry rule, `no` for a word from a newer server."""
    return next((known for known in get_args(Retry) if known == word), "no")
