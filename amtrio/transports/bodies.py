"""Request bodies that are too large or too slow: the ASGI layer between the port and the routes.

Knows ASGI, Trio and the one shape of errors. Knows nothing of Hypercorn, Quart or any route.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

import trio

from amtrio.errors import AmtrioError, Malformed, TooLarge, TooSlow
from amtrio.transports.answers import error_body, error_headers

__all__ = ["ASGIApp", "BodyGuard", "Receive", "Scope", "Send"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
# What else goes with a refusal of this request; a page of another host could not read it without.
Dressing = Callable[[Scope, AmtrioError], Iterable[tuple[str, str]]]

# Received bytes buy further patience at this rate, so that one byte every few seconds does not hold a
# request for hours (Apache's mod_reqtimeout: MinRate=500).
_SLOWEST_BYTES_PER_SECOND: Final = 500
_DISCONNECT: Final[Message] = {"type": "http.disconnect"}


class BodyGuard:
    """Wraps an app: answers 413 to bodies over the limit and 408 to bodies that stall."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int | None,
        idle_seconds: float,
        is_streamed: Callable[[str, str], bool] = lambda method, path: False,  # noqa: ARG005
        dressing: Dressing = lambda scope, error: (),  # noqa: ARG005
    ) -> None:
        """
        Guard `app`.

        Args:
            app: what to guard.
            max_body_bytes: of one request, announced or streamed; None leaves it to the app.
            idle_seconds: how long to wait for more of a body; only waiting counts, not the app's own time.
            is_streamed: whether the app counts the body of this method and path itself, as it reads it.
            dressing: headers that the app's own refusals would have.
        """
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._idle_seconds = idle_seconds
        self._is_streamed = is_streamed
        self._dressing = dressing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass on whatever is not one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not scope["path"]:
            # "GET ?x" is well-formed for the parsers below and breaks the router above.
            await self._refuse(scope, receive, send, Malformed("the path is empty"))
            return
        if _is_ambiguous(scope):
            # Parsers disagree on where such a request ends, which smuggles another one past a proxy (RFC 9112, 6.1).
            text = "Content-Length and Transfer-Encoding contradict each other"
            await self._refuse(scope, receive, send, Malformed(text))
            return
        announced, has_body = _body_of(scope)
        if not has_body:
            await self._app(scope, receive, send)
            return
        max_bytes = None if self._is_streamed(scope["method"], scope["path"]) else self._max_body_bytes
        if max_bytes is not None and announced > max_bytes:
            await self._refuse(scope, receive, send, self._too_large())
            return
        guarded = _GuardedBody(receive, send, max_bytes=max_bytes, idle_seconds=self._idle_seconds)
        await self._app(scope, guarded.receive, guarded.send)
        if guarded.is_answered:
            return
        if guarded.is_too_large:
            await self._refuse(scope, receive, send, self._too_large())
        elif guarded.is_too_slow:
            await self._refuse(scope, receive, send, TooSlow("the body came too slowly"))

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body must have at most {self._max_body_bytes} bytes")

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: AmtrioError) -> None:
        """Answer in the app's place, and forget what still comes: an unread body would block the answer's end."""

        async def forget() -> None:
            while (await receive())["type"] == "http.request":
                pass

        body = error_body(error)
        named = {**error_headers(error), "Content-Length": str(len(body)), **dict(self._dressing(scope, error))}
        if scope["http_version"] != "2":  # RFC 9113, 8.2.2: HTTP/2 has no such header
            named["Connection"] = "close"
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(forget)
            await send({"type": "http.response.start", "status": error.http, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})
            nursery.cancel_scope.cancel()


class _GuardedBody:
    """One request's `receive` and `send`, counted and timed."""

    def __init__(self, receive: Receive, send: Send, *, max_bytes: int | None, idle_seconds: float) -> None:
        self.is_answered = False
        self.is_too_large = False
        self.is_too_slow = False
        self._receive = receive
        self._send = send
        self._left = max_bytes
        self._most_patience = self._patience = idle_seconds
        self._is_complete = False

    async def receive(self) -> Message:
        if self._is_complete:
            return await self._receive()
        if self.is_too_large or self.is_too_slow:
            return _DISCONNECT
        began = trio.current_time()
        with trio.move_on_after(self._patience) as waiting:
            message = await self._receive()
        if waiting.cancelled_caught:
            self.is_too_slow = True
            return _DISCONNECT
        if message["type"] != "http.request":
            return message
        size = len(message.get("body", b""))
        earned = self._patience - (trio.current_time() - began) + size / _SLOWEST_BYTES_PER_SECOND
        self._patience = min(self._most_patience, max(0.0, earned))
        self._is_complete = not message.get("more_body", False)
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                self.is_too_large = True
                self._is_complete = False
                return _DISCONNECT
        return message

    async def send(self, message: Message) -> None:
        if self.is_answered or not (self.is_too_large or self.is_too_slow):
            self.is_answered = True
            await self._send(message)


def _is_ambiguous(scope: Scope) -> bool:
    """Say whether the length of the body is given in two ways."""
    return {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}


def _body_of(scope: Scope) -> tuple[int, bool]:
    """Say how many bytes of body are announced (0 if that is unknown), and whether any may come."""
    announced, has_body = 0, scope["http_version"] == "2" and scope["method"] not in ("GET", "HEAD")
    for name, value in scope["headers"]:
        if name == b"content-length":
            announced = int(value) if value.isdigit() else 0
            has_body = has_body or announced > 0
        elif name == b"transfer-encoding":
            has_body = True
    return announced, has_body
