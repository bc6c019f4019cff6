"""Every feature's routes on Quart-Trio; the only file that imports Quart.

Turns a request into the struct of a handler and its result into an answer. Knows no rule of any feature.
"""

from __future__ import annotations

import functools
import math
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import msgspec
import structlog
import trio
from quart import Quart, Response, g, request
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection
from werkzeug.exceptions import HTTPException

from amtrio.context import NOBODY, Answer, Chunks, Context, Request, Services
from amtrio.errors import (
    AmtrioError,
    Malformed,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    TooLarge,
    UpgradeRequired,
)
from amtrio.feature import Registry, RouteSpec
from amtrio.idempotency import call
from amtrio.limits import TokenBucket
from amtrio.model.posting import MessageSent
from amtrio.protocol.codec import check_nesting, convert, encode
from amtrio.transports.addresses import client_address, own_origin
from amtrio.transports.aliases import aliases_of
from amtrio.transports.answers import JSON, error_body, error_headers
from amtrio.transports.bodies import Dressing, Scope
from amtrio.transports.credentials import Credentials
from amtrio.transports.fields import from_texts
from amtrio.transports.openapi import describe
from amtrio.transports.openapi_page import CONTENT_SECURITY_POLICY, page
from amtrio.transports.origins import Origins
from amtrio.transports.proving import Proving, Shown
from amtrio.transports.webchat import Webchat

if TYPE_CHECKING:
    from amtrio.tracing import Tracing

log = structlog.stdlib.get_logger(__name__)

# Where a streamed body's chunks wait, in the ASGI scope of its request.
_BODY = "amtrio.body"
# For a sender to notice that its upload was refused (nginx: lingering_timeout 5s).
_LINGER_SECONDS = 5.0
_SLASHES = re.compile(r"/{2,}")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_SOCKET_PATHS = ("/client/connect", "/agent/connect")
# For answers that a browser might be talked into showing as a page.
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def streamed_paths(table: Registry) -> Callable[[str, str], bool]:
    """Whether the route of a method and path takes its body as it arrives."""
    places = [(route.method, route.path, route) for route in table.routes]
    places += [(method, path, route) for (method, path), route in aliases_of(table.routes)]
    patterns = {
        (method, re.compile(re.sub(r"<[^>]+>", "[^/]+", path) + "/?"))
        for method, path, route in places
        if route.streams
    }

    def is_streamed(method: str, path: str) -> bool:
        path = _SLASHES.sub("/", path)
        return any(method == of and pattern.fullmatch(path) for of, pattern in patterns)

    return is_streamed


def dressing(services: Services) -> Dressing:
    """The headers of a refusal that is made before the app is asked, which notes it as the app would."""
    origins = Origins(services.config.server.cors_allowed_origins)

    def dress(scope: Scope, error: AmtrioError) -> Iterator[tuple[str, str]]:
        given = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = _request_id(given.get(b"x-request-id", ""), services)
        _count(services, scope["method"], error.http)
        log.info("body_refused", request=request_id, method=scope["method"], path=scope["path"], status=error.http)
        yield "X-Request-ID", request_id
        yield from _SECURITY_HEADERS.items()
        yield from origins.headers(given.get(b"origin"), given.get(b"host", ""))

    return dress


def _request_id(asked: str, services: Services) -> str:
    return asked if _REQUEST_ID.match(asked) else services.clock.new_id("req")


def _count(services: Services, method: str, status: int) -> None:
    requests = services.metrics.requests
    # Methods are the client's own words; only those we know become labels.
    key = (method if method in _METHODS else "other", status)
    requests[key] = requests.get(key, 0) + 1


def build_app(services: Services, credentials: Credentials, webchat: Webchat | None = None) -> Quart:
    """The ASGI application that answers everything but sockets; `webchat` has what no route of its own has."""
    app = _App("amtrio", static_folder=None)
    app.is_streamed = streamed_paths(services.registry)
    app.config["MAX_CONTENT_LENGTH"] = services.config.server.max_body_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.strict_slashes = False
    app.tracing = services.tracing
    gateway = _Gateway(services, credentials, webchat)
    for number, route in enumerate(services.registry.routes):
        app.add_url_rule(
            route.path,
            f"{number}:{route.function.__name__}",
            functools.partial(gateway.route, route),
            methods=["GET", "HEAD"] if route.method == "GET" else [route.method],
        )
    for (method, path), route in aliases_of(services.registry.routes):
        app.add_url_rule(
            path,
            f"alias:{method} {path}",
            functools.partial(gateway.route, route),
            methods=["GET", "HEAD"] if method == "GET" else [method],
        )
    for path in ("/openapi.json", "/docs"):
        app.add_url_rule(path, path, functools.partial(gateway.documentation, path), methods=["GET", "HEAD"])
    for path in _SOCKET_PATHS:
        app.add_url_rule(path, path, gateway.socket_path, methods=["GET"])
    gateway.reserved = frozenset(rule.rule.split("/")[1] for rule in app.url_map.iter_rules())
    app.before_request(gateway.begin)
    app.after_request(gateway.finish)
    app.register_error_handler(HTTPException, gateway.http_error)
    app.register_error_handler(Exception, gateway.failure)
    return app


class _Connection(TrioASGIHTTPConnection):
    """One request. Quart would take a body into memory as fast as it comes; a streamed one waits for its reader."""

    def __init__(self, app: Any, scope: Any) -> None:
        super().__init__(app, scope)
        self._feed: trio.MemorySendChannel[bytes] | None = None
        self._has_all = trio.Event()
        if scope["method"] not in {"GET", "HEAD"} and app.is_streamed(scope["method"], scope["path"]):
            self._feed, scope[_BODY] = trio.open_memory_channel[bytes](0)

    async def handle_messages(  # type: ignore[override]  # as the class above, whose own says the same
        self, nursery: trio.Nursery, request: Any, receive: Any
    ) -> None:
        if self._feed is None:
            await super().handle_messages(nursery, request, receive)
            return
        while (message := await receive())["type"] == "http.request":
            if not message.get("more_body", False):
                self._has_all.set()
            if message.get("body"):
                with suppress(trio.BrokenResourceError):  # the answer was made without it
                    await self._feed.send(message["body"])
            if self._has_all.is_set():
                self._feed.close()
        nursery.cancel_scope.cancel()

    async def _send_response(self, send: Any, response: Any) -> None:
        """An early answer is not lost: what still comes is taken for a while, since closing at once would reset."""
        if self._feed is None:
            await super()._send_response(send, response)
            return
        cast("Any", self.scope)[_BODY].close()

        async def send_last_late(message: Any) -> None:
            if message["type"] == "http.response.body" and not message["more_body"]:
                with trio.move_on_after(_LINGER_SECONDS):
                    await self._has_all.wait()
            await send(message)

        if not self._has_all.is_set() and self.scope["http_version"] != "2":
            response.headers["Connection"] = "close"
        await super()._send_response(send_last_late, response)


class _App(QuartTrio):
    """
    Two things around Quart: slashes, and the trace of a request.

    COMPAT: a shipped client doubles slashes, and a redirect would lose its body, so there is none.
    """

    asgi_http_class = _Connection
    is_streamed: Callable[[str, str], bool]
    tracing: Tracing | None = None

    async def asgi_app(self, scope: Any, receive: Any, send: Any) -> None:
        # A request in absolute form (RFC 9112, 3.2.2) has slashes of another meaning.
        path: str = scope.get("path", "")
        if "//" in path and path.startswith("/"):
            scope = {**scope, "path": _SLASHES.sub("/", path)}
        if self.tracing is None or scope["type"] != "http":
            await super().asgi_app(scope, receive, send)
            return
        # Quart's tasks for this request are begun inside and know it.
        with self.tracing.request(scope["method"], scope["scheme"], scope["headers"]):
            await super().asgi_app(scope, receive, send)


class _Gateway:
    """
    What stands between a request and a handler: identity, budgets, shapes, errors.

    Attributes:
        reserved: what the paths of the API begin with; no page of the web client does.
    """

    def __init__(self, services: Services, credentials: Credentials, webchat: Webchat | None = None) -> None:
        self.services = services
        self.reserved: frozenset[str] = frozenset()
        self._webchat = webchat
        self._proving = Proving(credentials)
        self._documentation: dict[str, bytes] = {}
        self._origins = Origins(services.config.server.cors_allowed_origins)

    # -- around every request -----------------------------------------------

    async def begin(self) -> Response | None:
        g.began = time.perf_counter()
        g.request_id = _request_id(request.headers.get("X-Request-ID", ""), self.services)
        structlog.contextvars.bind_contextvars(request=g.request_id)
        tracing = self.services.tracing
        if tracing is not None and (trace_id := tracing.trace_id()):
            structlog.contextvars.bind_contextvars(trace=trace_id)
        if request.method == "OPTIONS":
            # Preflights are answered before anything is proved or counted.
            # With a body, though an empty one: without any, Quart's iterator looks for asyncio's loop.
            answer = Response(b"", status=204)
            del answer.headers["Content-Length"]  # RFC 9110, 8.6
            return answer
        headers = request.headers
        self._origins.check_write(
            request.method, headers.get("Origin"), headers.get("Sec-Fetch-Site"), headers.get("Host", "")
        )
        return None

    async def finish(self, response: Response) -> Response:
        headers = response.headers
        headers["X-Request-ID"] = g.request_id
        for name, value in _SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        bucket: TokenBucket | None = g.get("bucket")
        if bucket is not None and bucket.limit:
            headers["X-RateLimit-Limit"] = str(bucket.limit)
            headers["X-RateLimit-Remaining"] = str(bucket.remaining())
            # Seconds from now, as in the IETF's RateLimit fields; a time of day would ask for equal clocks.
            headers["X-RateLimit-Reset"] = str(math.ceil(bucket.full_in_seconds()))
        for name, value in self._origins.headers(request.headers.get("Origin"), request.headers.get("Host", "")):
            if name == "Vary":
                headers.add(name, value)  # a handler may have named others
            else:
                headers[name] = value
        method, status = request.method, response.status_code
        _count(self.services, method, status)
        if self.services.tracing is not None:
            rule = request.url_rule
            self.services.tracing.answered(None if rule is None else rule.rule, status, g.request_id)
        log.debug(
            "request_answered",
            method=method,
            path=request.path,
            status=status,
            took_ms=round((time.perf_counter() - g.began) * 1000, 2),
        )
        return response

    async def http_error(self, error: HTTPException) -> Response:
        """What the framework refuses itself, in our one shape; unless it is the web client's."""
        code = error.code or 500
        if code == HTTPStatus.NOT_FOUND and (answer := self._of_webchat()) is not None:
            return answer
        known: Mapping[int, Callable[[], AmtrioError]] = {
            404: lambda: NotFound(f"nothing at {request.path[:200]!r}"),
            405: lambda: MethodNotAllowed(f"method not allowed: {request.method[:20]} {request.path[:200]!r}"),
            413: lambda: TooLarge(f"the body must have at most {self.services.config.server.max_body_bytes} bytes"),
        }
        made = known.get(code, lambda: Malformed(error.description or "bad request"))()
        headers = {}
        allowed = getattr(error, "valid_methods", None)
        if allowed:
            headers["Allow"] = ", ".join(sorted(allowed))
        return self._failed(made, headers)

    def _of_webchat(self) -> Response | None:
        """Asked only where no route is, so that it costs the API nothing and can hide nothing of it."""
        if self._webchat is None or request.url_rule is not None or request.method not in {"GET", "HEAD"}:
            return None
        found = self._webchat.answer(
            request.path,
            request.query_string.decode("ascii", "ignore"),
            request.headers.get,
            may_be_page=request.path.removeprefix("/").partition("/")[0] not in self.reserved,
        )
        if found is None:
            return None
        response = Response(found.body, found.status)
        if "Content-Type" not in found.headers:
            del response.headers["Content-Type"]
        if found.status == HTTPStatus.NOT_MODIFIED:
            del response.headers["Content-Length"]
        response.headers.update(found.headers)
        return response

    async def failure(self, error: Exception) -> Response:
        """Whatever a handler raised."""
        if isinstance(error, AmtrioError):
            if error.http >= HTTPStatus.INTERNAL_SERVER_ERROR:
                log.warning("request_refused", path=request.path, code=error.code, error=str(error))
            return self._failed(error, {})
        self.services.metrics.errors += 1
        log.error("request_failed", path=request.path, method=request.method, exc_info=error)
        return self._failed(AmtrioError("the server failed to do this"), {})

    def _failed(self, error: AmtrioError, headers: Mapping[str, str]) -> Response:
        response = Response(error_body(error), error.http)
        response.headers.update({**error_headers(error), **headers})
        if isinstance(error, RateLimited):
            self.services.metrics.rate_limited += 1
        return response

    async def socket_path(self) -> Response:
        """A plain request where only sockets are spoken."""
        text = f"{request.path} speaks WebSocket only (RFC 6455)"
        return self._failed(UpgradeRequired(text), {"Upgrade": "websocket", "Connection": "Upgrade"})

    async def documentation(self, path: str) -> Response:
        """The routes, described for programs or for people; made once, when somebody first asks."""
        if not self._documentation:
            document = describe(self.services.registry.routes)
            self._documentation = {"/openapi.json": encode(document) + b"\n", "/docs": page(document).encode()}
        if path == "/openapi.json":
            return Response(self._documentation[path], content_type=JSON)
        response = Response(self._documentation[path], content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    # -- one route ----------------------------------------------------------------

    async def route(self, route: RouteSpec, **path: str) -> Response:
        """Prove, charge, decode, run, encode."""
        address = client_address(
            request.remote_addr or "",
            ",".join(request.headers.getlist("X-Forwarded-For")),
            self.services.config.server.trusted_proxies,
        )
        if route.budget == "auth":
            self._charge(self.services.limits.auth_by_address.of(address), "too many attempts from this address")
        shown = Shown(
            request.headers.get,
            request.path,
            address,
            request.args.get("token", ""),
            is_form=_is_form(),
            secret_in_body=self._secret_in_body,
        )
        principal, actor = await self._proving.prove(route, shown)
        if principal is not None and route.budget in {"message", "rest"}:
            limits = self.services.limits
            is_message = route.budget == "message"
            g.bucket = limits.messages(principal.account) if is_message else limits.requests(principal.account)
            self._charge(g.bucket, "too many messages" if is_message else "too many requests")
        fields, texts = await self._fields(route, path)
        shape = convert(fields, route.shape, texts=texts)
        asked = Request(request.method, request.headers.get, path=request.path, cookie=request.cookies.get)
        if route.streams:
            # A path that only the router could read (RFC 9112, 3.2.2: absolute form) was not known to be streamed.
            body = cast("Any", request.scope).get(_BODY, request.body)
            asked = replace(asked, body=body, length=request.content_length)
        context = Context(
            self.services,
            principal or NOBODY,
            address,
            request.headers.get("User-Agent", ""),
            origin=self._own_origin(),
            request=asked,
            actor=actor,
        )
        result = await call(route, context, shape)
        if isinstance(result, MessageSent) and result.repeated and "bucket" in g:
            g.bucket.give_back()  # docs/protocol.md, "Resending": it costs nothing
        return _response(result)

    def _own_origin(self) -> str:
        """What the client calls this server, for links that it is handed."""
        return own_origin(
            request.scheme,
            request.headers.get("Host", ""),
            request.headers.get,
            peer=request.remote_addr or "",
            trusted=self.services.config.server.trusted_proxies,
        )

    def _charge(self, bucket: TokenBucket, text: str) -> None:
        if not bucket.take():
            wait = bucket.wait_seconds()
            raise RateLimited(f"rate limit exceeded: {text}", retry_after_ms=int(wait * 1000) + 1)

    async def _secret_in_body(self) -> str:
        if request.method in {"GET", "HEAD"}:
            return ""
        if _is_form():
            return str((await request.form).get("admin_secret", ""))
        raw = cast("bytes", await request.get_data(as_text=False))
        given = _json_object(raw).get("admin_secret") if raw.strip() else None
        return given if isinstance(given, str) else ""

    async def _fields(self, route: RouteSpec, path: Mapping[str, str]) -> tuple[dict[str, Any], bool]:
        """Path over body over query, as one set of fields; and whether its values are text."""
        query = [(name, text) for name, text in request.args.items(multi=True) if name not in _SECRETS]
        fields = from_texts(route.shape, query)
        texts = True
        if not route.streams and request.method not in {"GET", "HEAD"}:
            if _is_form():
                fields.update(from_texts(route.shape, (await request.form).items(multi=True)))
            else:
                raw = cast("bytes", await request.get_data(as_text=False))
                if raw.strip():
                    body = _json_object(raw)
                    texts = not body and bool(fields)
                    fields.update(body)
        secret = request.headers.get("X-Agent-Secret")
        if secret is not None:
            fields.setdefault("agent_secret", secret)
        fields.update(path)
        return fields, texts


# Never taken from the URL, which ends up in logs.
_SECRETS = frozenset({"password", "old_password", "new_password", "agent_secret", "admin_secret", "invitation"})
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _is_form() -> bool:
    return (request.mimetype or "").lower() in _FORMS


def _json_object(raw: bytes) -> dict[str, Any]:
    check_nesting(raw, "request")
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        text = "the body is neither a form nor JSON in UTF-8"
        raise Malformed(text) from exc
    if not isinstance(body, dict):
        text = "the body must be a JSON object"
        raise Malformed(text)
    # 7.0 is a whole number to JSON Schema (2020-12, 6.1.1), and some languages write it so.
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in body.items()
    }


def _response(result: Any) -> Response:
    if not isinstance(result, Answer):
        return Response(encode(result) + b"\n", content_type=JSON)
    body = result.body
    if isinstance(body, AsyncGenerator):
        # A reader who takes nothing is cut by the port. One who is only slow may take as long as it takes.
        data = _fair(body) if request.method != "HEAD" else b""
        response = Response(data, result.status, content_type=result.content_type)
        response.timeout = None
        del response.headers["Content-Length"]
    else:
        data = body if isinstance(body, bytes) else encode(body) + b"\n"
        response = Response(data, result.status, content_type=result.content_type)
    if result.status == HTTPStatus.NOT_MODIFIED:
        del response.headers["Content-Length"]  # it would be that of the body that is not sent (RFC 9110, 8.6)
    response.headers.update(result.headers)
    return response


async def _fair(chunks: AsyncGenerator[bytes, None]) -> Chunks:
    """Let others run between two chunks, and notice there that the reader has gone."""
    async with aclosing(chunks):
        async for chunk in chunks:
            yield chunk
            await trio.lowlevel.checkpoint()
