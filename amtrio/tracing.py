"""What the server tells OpenTelemetry: spans for requests, frames, commits, deliveries and pushes.

The only file that imports OpenTelemetry, and imported only when traces are switched on. Knows spans and what causes
them; knows no message: no text, name, id, token or address of anybody is ever put into a span, nor the text of an
error, which may quote one.

A request or frame that the sampler picks is the *cause* of what follows from it. The cause goes with the unit of work
through the writer, hence by value and not by context: the writer serves everybody. What has no cause is not traced.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

import structlog
import trio
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NoOpTracer, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from amtrio import __version__
from amtrio.clock import Clock
from amtrio.config import Otel
from amtrio.errors import AmtrioError

log = structlog.stdlib.get_logger(__name__)

# A collector that is away for a day must not fill the log; the SDK says it again every few seconds.
QUIET_SECONDS: Final = 60.0
# What the SDK's thread gets to notice that nobody waits for it any longer.
_LAST_WORD_SECONDS: Final = 0.1

_SERVER_ERROR: Final = 500
_TRACES_PATH: Final = "/v1/traces"
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_CARRIED: Final = (b"traceparent", b"tracestate")
# Semantic conventions: any other method is the client's own invention and must not become a value of its own.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})


class Told(Protocol):
    """What the store says of one committed announcement, as far as traces care."""

    @property
    def event(self) -> Any: ...
    @property
    def seqs(self) -> Sequence[tuple[str, int]]: ...
    @property
    def cause(self) -> object: ...


T = TypeVar("T", bound=Told)

# What others may hold without knowing the library: a request or frame that is traced.
Traced: TypeAlias = Span


class Tracing:
    """
    The spans.

    Every method that returns a span returns None instead if the sampler did not pick it. All are for the Trio thread.
    """

    def __init__(self, otel: Otel, clock: Clock) -> None:
        """
        Args:
            otel: with an endpoint.

        Raises:
            ImportError: the exporter of this protocol is not installed.
            ValueError, OSError: it does not take its settings.
        """
        self._clock = clock
        self._exporter = _exporter(otel)
        _listen_to_the_sdk()
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(otel.sampling_rate)),
            resource=Resource.create({"service.name": otel.service_name, "service.version": __version__}),
            shutdown_on_exit=False,  # it would wait half a minute for a collector that is away; `close` does not
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("amtrio", __version__)
        self._telling: Span | None = None

    @property
    def is_disabled(self) -> bool:
        """OTEL_SDK_DISABLED, which switches off every program of a host, is set."""
        return isinstance(self._tracer, NoOpTracer)

    async def close(self, seconds: float) -> None:
        """Send what is left, for so long at most; what cannot be sent by then is lost."""
        with trio.move_on_after(seconds + _LAST_WORD_SECONDS, shield=True) as limit:
            # In a thread that may be left behind: it waits for sockets that know nothing of our deadlines.
            await trio.to_thread.run_sync(self._shut_down, seconds, abandon_on_cancel=True)
        if limit.cancelled_caught:
            log.warning("traces_unsent", waited_s=seconds)

    def _shut_down(self, seconds: float) -> None:
        give_up = threading.Timer(seconds, self._exporter.shutdown)
        give_up.daemon = True
        give_up.start()
        try:
            self._provider.shutdown()
        finally:
            give_up.cancel()

    # -- causes ----------------------------------------------------------------------

    def cause(self) -> Span | None:
        """What happens now happens because of this, if that is traced."""
        if self._telling is not None:
            return self._telling
        span = trace.get_current_span()
        return span if span.is_recording() else None

    @contextmanager
    def under(self, span: Span) -> Iterator[None]:
        """What is done inside, in this task or in tasks begun by it, has this cause."""
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            yield

    def _start(
        self,
        name: str,
        cause: Span | Context | None,
        kind: SpanKind,
        attributes: dict[str, str | int],
        *,
        links: Sequence[Link] = (),
        began_ns: int | None = None,
    ) -> Span | None:
        # Never the ambient context: whoever tells an event is not always who caused it.
        context = trace.set_span_in_context(cause, Context()) if isinstance(cause, Span) else cause or Context()
        span = self._tracer.start_span(
            name,
            context,
            kind,
            attributes,
            links,
            self._now_ns() if began_ns is None else began_ns,
        )
        return span if span.is_recording() else None

    def _now_ns(self) -> int:
        return self._clock.now_us() * 1000

    # -- requests ---------------------------------------------------------------------

    @contextmanager
    def request(self, method: str, scheme: str, headers: Iterable[tuple[bytes, bytes]]) -> Iterator[None]:
        """
        One REST request, from its head to the last byte of its answer; continues the caller's trace.

        The conventions also want the path, but ids are in it: `answered` tells the route instead.
        """
        carried: dict[str, str] = {}
        for name, value in headers:
            if name in _CARRIED:
                key = name.decode()
                carried[key] = (
                    f"{carried[key]},{value.decode('latin-1')}" if key in carried else value.decode("latin-1")
                )
        method = method if method in _METHODS else "_OTHER"
        about: dict[str, str | int] = {"http.request.method": method, "url.scheme": scheme}
        span = self._start(method, _PROPAGATOR.extract(carried, Context()), SpanKind.SERVER, about)
        if span is None:
            yield
            return
        try:
            with self.under(span):
                yield
        finally:
            # Also of a request whose client went away: then it has no status.
            span.end(self._now_ns())

    def answered(self, route: str | None, status: int, request_id: str) -> None:
        """What has become of the request around this call."""
        span = trace.get_current_span()
        if not span.is_recording():
            return
        if route is not None:
            # The pattern and never the path, in which the ids are.
            method = cast("Any", span).attributes["http.request.method"]
            span.update_name(f"{'HTTP' if method == '_OTHER' else method} {route}")
            span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("amtrio.request_id", request_id)
        if status >= _SERVER_ERROR:
            span.set_attribute("error.type", str(status))
            span.set_status(StatusCode.ERROR)

    def trace_id(self) -> str:
        """Of the request around this call, as collectors show it; empty if it is not traced."""
        span = trace.get_current_span()
        return trace.format_trace_id(span.get_span_context().trace_id) if span.is_recording() else ""

    # -- frames -----------------------------------------------------------------------

    def frame(self, word: str, dialect: str, kind: str) -> Span | None:
        """
        One command over a socket, decoded a moment ago; `end_frame` it when its answer is written.

        Args:
            word: of a command that exists. kind: user or agent, and not which one.
        """
        about: dict[str, str | int] = {
            "amtrio.frame.word": word,
            "amtrio.dialect": dialect,
            "amtrio.account.kind": kind,
        }
        return self._start(f"frame {word}", None, SpanKind.SERVER, about)

    def end_frame(self, span: Span, error: BaseException | None = None) -> None:
        """It was answered; with `error` if it was refused."""
        if error is not None:
            refusal = error if isinstance(error, AmtrioError) else None
            span.set_attribute("error.type", refusal.code if refusal else type(error).__name__)
            # As with HTTP: what the client did wrong is no failure of the server.
            if refusal is None or refusal.http >= _SERVER_ERROR:
                span.set_status(StatusCode.ERROR)
        span.end(self._now_ns())

    # -- what follows from them --------------------------------------------------------

    def committed(self, causes: Iterable[object], units: int, seconds: float) -> None:
        """
        A transaction is over: a span under the first of its traced causes, linked to all of them.

        Args:
            causes: of its units; those that are not traced have None.
        """
        spans = list(dict.fromkeys(cause for cause in causes if isinstance(cause, Span)))
        if not spans:
            return
        ended_ns = self._now_ns()
        span = self._start(
            "commit",
            spans[0],
            SpanKind.INTERNAL,
            {"amtrio.commit.units": units},
            links=[Link(each.get_span_context()) for each in spans],
            began_ns=ended_ns - int(seconds * 1e9),
        )
        if span is not None:
            span.end(ended_ns)

    def around(
        self,
        publish: Callable[[Sequence[T]], None],
        *,
        written: Callable[[], int],
        sockets: Callable[[str], int],
    ) -> Callable[[Sequence[T]], None]:
        """
        `publish`, with one span per event that has a traced cause, however many sockets it goes to.

        Args:
            written: how many events were ever written to sockets at once. sockets: open ones of an account.
        """

        def traced(batch: Sequence[T]) -> None:
            others: list[T] = []
            for each in batch:
                if not isinstance(each.cause, Span):
                    others.append(each)
                    continue
                if others:
                    publish(others)
                    others = []
                self._deliver(publish, each, each.cause, written, sum(sockets(account) for account, _ in each.seqs))
            if others:
                publish(others)

        return traced

    def _deliver(
        self,
        publish: Callable[[Sequence[T]], None],
        committed: T,
        cause: Span,
        written: Callable[[], int],
        sockets: int,
    ) -> None:
        word: str = committed.event.type
        about: dict[str, str | int] = {
            "amtrio.event.type": word,
            "amtrio.delivery.by": "live",
            "amtrio.delivery.sockets_open": sockets,
        }
        span = self._start(f"delivery {word}", cause, SpanKind.PRODUCER, about)
        before = written()
        self._telling = span
        try:
            publish([committed])
        finally:
            self._telling = None
        if span is not None:
            # The rest shows it to nobody new (the sender's own device), or is behind and gets it from a pump.
            span.set_attribute("amtrio.delivery.sockets", written() - before)
            span.end(self._now_ns())

    def caught_up(self, dialect: str, events: int, seconds: float) -> None:
        """A pump has written a page of the log to one socket that was behind; a trace of its own."""
        ended_ns = self._now_ns()
        about: dict[str, str | int] = {
            "amtrio.dialect": dialect,
            "amtrio.delivery.by": "pump",
            "amtrio.delivery.events": events,
            "amtrio.delivery.sockets": 1,
        }
        span = self._start("delivery pump", None, SpanKind.PRODUCER, about, began_ns=ended_ns - int(seconds * 1e9))
        if span is not None:
            span.end(ended_ns)

    @contextmanager
    def push(self, provider: str, cause: Span | None) -> Iterator[None]:
        """
        One push on its way to a provider.

        Args:
            provider: webpush, apns or fcm. cause: what `cause()` said when the event was told.
        """
        span = self._start(f"push {provider}", cause, SpanKind.CLIENT, {"amtrio.push.provider": provider})
        if span is None:
            yield
            return
        try:
            with self.under(span):
                yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            span.end(self._now_ns())


# -- the SDK --------------------------------------------------------------------------------


def traces_url(endpoint: str) -> str:
    """
    Where traces go over HTTP: `endpoint` is a base to which the path is added, unless it ends in it already.

    Source: OpenTelemetry protocol exporter, "Endpoint URLs for OTLP/HTTP".
    """
    scheme, host, path, query, _ = urlsplit(endpoint)
    path = path.rstrip("/")
    return urlunsplit((scheme, host, path if path.endswith(_TRACES_PATH) else path + _TRACES_PATH, query, ""))


def with_scheme(endpoint: str) -> str:
    """
    COMPAT: the older server took host and port alone, without TLS.

    Raises:
        ValueError: another scheme than those of OTLP.
    """
    if "://" not in endpoint:
        endpoint = f"http://{endpoint}"
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("otel.endpoint must look like http://collector:4318 or https://collector:4317")
    return endpoint


def _exporter(otel: Otel) -> SpanExporter:
    """The one that is asked for; headers, time-outs, certificates and compression are the SDK's own variables."""
    # Each may be missing, and gRPC's is heavy.
    if otel.protocol == "http":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter  # noqa: PLC0415

        url = with_scheme(otel.traces_endpoint) if otel.traces_endpoint else traces_url(with_scheme(otel.endpoint))
        return HttpExporter(endpoint=url)
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter  # noqa: PLC0415

    return GrpcExporter(endpoint=with_scheme(otel.traces_endpoint or otel.endpoint))


class _Grumble(logging.Handler):
    """
    What the SDK logs: at most one line a minute, and never as an error.

    A collector that is away is no bug of ours and disturbs nobody but those who look at traces.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(logging.WARNING)
        self._now = now
        self._quiet_until = 0.0
        self._kept_back = 0

    def emit(self, record: logging.LogRecord) -> None:
        now = self._now()
        if now < self._quiet_until:
            self._kept_back += 1
            return
        self._quiet_until = now + QUIET_SECONDS
        log.warning("tracing_troubled", text=record.getMessage(), by=record.name, kept_back=self._kept_back)
        self._kept_back = 0


def _listen_to_the_sdk(now: Callable[[], float] = time.monotonic) -> None:
    """For good: a thread of the SDK that was left behind may still complain after the end."""
    logger = logging.getLogger("opentelemetry")
    logger.handlers[:] = [_Grumble(now)]
    logger.propagate = False
