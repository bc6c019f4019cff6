"""Whose web pages may call the server: one rule for REST and for sockets.

A browser says which page makes a request (`Origin`), programs say nothing and are not asked. Knows headers; knows no
framework, no request and no socket.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from amtrio.errors import Forbidden

# RFC 9110, 9.2.1: these change nothing, so a page may make them; whether it may read the answer is another question.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FOREIGN_SITES = frozenset({"cross-site", "same-site"})
_READABLE = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Content-Type, Content-Disposition, Authorization, X-Requested-With, X-CSRF-Token, X-Agent-Secret, X-Agent-ID, "
        "X-Admin-Secret, X-Admin-Key, X-Request-ID, Range, If-Range, If-None-Match, traceparent"
    ),
    "Access-Control-Expose-Headers": (
        "X-Amtrio-Epoch, X-Amtrio-Seq, X-Amtrio-Has-More, X-RateLimit-Limit, X-RateLimit-Remaining, "
        "X-RateLimit-Reset, Retry-After, X-Request-ID, ETag, Accept-Ranges, Content-Range, Content-Disposition"
    ),
    "Access-Control-Max-Age": "86400",
}


class Origins:
    """
    The pages that may call: those of the server's own host, and those that are listed.

    Args:
        allowed: origins as browsers spell them (`https://chat.example.org`); `*` lets every page call.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(each.lower() for each in allowed)
        self.is_open = "*" in self._allowed

    def allows(self, origin: str, host: str) -> bool:
        """
        Whether pages of `origin` may call and read.

        Args:
            host: what the browser calls this server; a proxy in front may speak another scheme than we do, so the
                scheme is not compared.
        """
        if self.is_open:
            return True
        origin = origin.lower()
        return origin in self._allowed or (bool(host) and origin.partition("://")[2] == host.lower())

    def check_write(self, method: str, origin: str | None, site: str | None, host: str) -> None:
        """
        Refuse what a foreign page talks a browser into (CSRF).

        Args:
            site: `Sec-Fetch-Site`, for requests that come without an Origin.

        Raises:
            Forbidden: the page is of another host and not listed.
        """
        if method in SAFE_METHODS:
            return
        if origin is None:
            if site not in _FOREIGN_SITES or self.is_open:
                return
            raise Forbidden("a page of another host may not do this; list its origin in CORS_ALLOWED_ORIGINS")
        if not self.allows(origin, host):
            text = f"pages of {origin[:100]!r} may not do this; list that origin in CORS_ALLOWED_ORIGINS"
            raise Forbidden(text)

    def headers(self, origin: str | None, host: str) -> Iterator[tuple[str, str]]:
        """What goes with an answer: whether a page may read it, and to caches, that not every page may."""
        if self.is_open:
            yield "Access-Control-Allow-Origin", "*"
        else:
            # Also on answers to requests without one: a cache must not hand them to a page.
            yield "Vary", "Origin"
            if origin is None or not self.allows(origin, host):
                return
            yield "Access-Control-Allow-Origin", origin
        yield from _READABLE.items()
