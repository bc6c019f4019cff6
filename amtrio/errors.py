"""Every failure a client can be told about: one class, one code, one HTTP status, one rule for trying again.

Whose fault it is stands in the name. Knows nothing of HTTP or sockets; they read the class attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

Retry = Literal["no", "after_ms", "same_client_id"]


class AmtrioError(Exception):
    """
    A failure with an answer for the client.

    Attributes:
        code: one word for machines; stable, part of the protocol.
        http: status of the REST answer.
        retry: `no` (the same request fails again), `after_ms` (wait `retry_after_ms` first) or
            `same_client_id` (send it again as it was; the server stores it once).
        retry_after_ms: how long to wait, milliseconds; only with `after_ms`.
        details: what a program needs beside the code to go on.
        headers: what goes with it over HTTP, beside what its class brings.
    """

    code: ClassVar[str] = "internal"
    http: ClassVar[int] = 500
    retry: ClassVar[Retry] = "same_client_id"

    def __init__(
        self,
        text: str,
        /,
        *,
        retry_after_ms: int | None = None,
        details: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.retry_after_ms = retry_after_ms
        self.details = details
        self.headers = headers or {}


class Malformed(AmtrioError):
    """The client sent something that is not of the shape the protocol names."""

    code = "malformed"
    http = 400
    retry = "no"


class UnknownType(Malformed):
    """A frame of a type this server does not know; the connection stays open."""

    code = "unknown_type"


class Unauthorized(AmtrioError):
    """No credential, a wrong one, or one that has ended."""

    code = "unauthorized"
    http = 401
    retry = "no"


class Forbidden(AmtrioError):
    """The credential is good, but its holder may not do this."""

    code = "forbidden"
    http = 403
    retry = "no"


class NotFound(AmtrioError):
    """Not there, or not yours: one answer for both, so that strangers learn nothing."""

    code = "not_found"
    http = 404
    retry = "no"


class MethodNotAllowed(AmtrioError):
    """The path exists, the method does not."""

    code = "method_not_allowed"
    http = 405
    retry = "no"


class Conflict(AmtrioError):
    """The name is taken, or the thing is in a state that forbids this."""

    code = "conflict"
    http = 409
    retry = "no"


class ClientIdReused(Conflict):
    """The same client_id came with another command before."""

    code = "client_id_reused"


class RunClosed(Conflict):
    """The run has ended: nothing more can be said in it."""

    code = "run_closed"


class RunGap(Conflict):
    """Text for a run that does not go on where its part ends; the details say where that is."""

    code = "run_gap"


class Unsupported(Conflict):
    """The agent does not say that it can do this."""

    code = "unsupported"


class Taken(Conflict):
    """The agent has taken the message already."""

    code = "taken"


class Withdrawn(Conflict):
    """Its sender has taken the message back."""

    code = "withdrawn"


class Answered(Conflict):
    """Somebody was faster; the details say what the answer is."""

    code = "answered"


class Closed(Conflict):
    """The question takes no answer any more."""

    code = "closed"


class TooManyReplacements(AmtrioError):
    """Two programs share one credential and push each other out; the holder stays."""

    code = "replacement_loop"
    http = 409
    retry = "after_ms"


class TooLarge(AmtrioError):
    """Longer than the limit that the text names."""

    code = "too_large"
    http = 413
    retry = "no"


class TooSlow(AmtrioError):
    """The request did not arrive in time; nothing was done."""

    code = "timeout"
    http = 408
    retry = "same_client_id"


class QuotaExceeded(TooLarge):
    """It would fit by itself, but not beside what the account has stored already."""

    code = "quota_exceeded"


class UpgradeRequired(AmtrioError):
    """The path speaks WebSocket only."""

    code = "upgrade_required"
    http = 426
    retry = "no"


class RateLimited(AmtrioError):
    """The client's budget is used up; nothing was done."""

    code = "rate_limited"
    http = 429
    retry = "after_ms"


class StorageUnavailable(AmtrioError):
    """The disk refused; nothing was stored, numbers did not move."""

    code = "storage_unavailable"
    http = 503
    retry = "same_client_id"


class ShuttingDown(AmtrioError):
    """The server is leaving; the next one answers."""

    code = "shutting_down"
    http = 503
    retry = "same_client_id"


class Overloaded(AmtrioError):
    """The server has too much to do right now; nothing was done."""

    code = "overloaded"
    http = 503
    retry = "after_ms"
