"""The server: opens everything in order, supervises it, and takes it down in order.

The only file that names concrete backends. Nurseries are opened outside-in and closed inside-out; see docs/discussion/
task-tree.md for who ends when.
"""

from __future__ import annotations

import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import structlog
import trio

from amtrio import __version__
from amtrio.chores import open_chores
from amtrio.clock import Clock, SystemClock
from amtrio.config import Config
from amtrio.context import Services
from amtrio.fanout.hub import Hub
from amtrio.feature import Registry, registry
from amtrio.features.health import gauges_of
from amtrio.limits import Limits
from amtrio.metrics import Gauges, Metrics
from amtrio.passwords import Passwords
from amtrio.proofs import Proofs
from amtrio.protocol.frames import Event
from amtrio.protocol.session import Close
from amtrio.push.dispatch import Dispatcher, open_dispatcher, open_providers
from amtrio.store.chores import ChoreSettings
from amtrio.store.sqlite import SqliteDatabase, StoreSettings, open_sqlite
from amtrio.transports.admin import open_admin_socket
from amtrio.transports.bodies import ASGIApp
from amtrio.transports.credentials import Credentials
from amtrio.transports.handshakes import Handshakes
from amtrio.transports.http import build_app, dressing, streamed_paths
from amtrio.transports.listener import ListenerSettings, Server, open_sockets, tls_context, tune_gc
from amtrio.transports.sessions import Sessions
from amtrio.transports.webchat import open_webchat
from amtrio.transports.wheel import turn_wheel

if TYPE_CHECKING:
    from amtrio.store.commit import Unit
    from amtrio.store.database import Committed
    from amtrio.tracing import Tracing

log = structlog.stdlib.get_logger(__name__)

# Shares of the budget of an orderly stop (config.server.drain_s): sessions end by themselves, then by force.
GRACE_SHARE = 0.5
FORCE_SHARE = 0.55
# Pushes that are on their way; the others are found again after the restart.
PUSH_SHARE = 0.15
# The last one, after the store is closed: a collector that is away must not hold the process.
TRACES_SHARE = 0.1


class CannotTrace(Exception):
    """Traces are switched on and cannot be sent; the text says what to do."""


class Stop:
    """The wish to stop, with what sockets are told."""

    def __init__(self) -> None:
        self._event = trio.Event()
        self.code = Close.GOING_AWAY
        self.reason = ""

    def request(self, code: Close, reason: str) -> None:
        """Stop; the first wish counts."""
        if not self._event.is_set():
            self.code, self.reason = code, reason
            self._event.set()

    async def wait(self) -> None:
        """Until somebody wishes it."""
        await self._event.wait()


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections."""

    services: Services
    sessions: Sessions
    hub: Hub
    server: Server
    addresses: Sequence[tuple[str, int]]
    stop: Stop
    pushes: Dispatcher
    has_webchat: bool

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.addresses[0][1]


@asynccontextmanager
async def open_services(
    config: Config, *, clock: Clock | None = None, table: Registry = registry, tracing: Tracing | None = None
) -> AsyncIterator[tuple[Services, Hub]]:
    """The store and what features share, without any socket: enough for the command line."""
    clock = clock or SystemClock()
    hub = Hub(now=time.perf_counter)
    storage = config.storage
    started = trio.current_time()
    settings = StoreSettings(readers=storage.reader_threads, chores=ChoreSettings(alarm_bytes=storage.wal_alarm_bytes))
    metrics = Metrics()

    def observe(units: Sequence[Unit], seconds: float) -> None:
        metrics.commit_seconds.observe(seconds)
        if tracing is not None:
            tracing.committed((unit.cause for unit in units), len(units), seconds)

    publish: Callable[[Sequence[Committed]], None] = hub.publish
    if tracing is not None:
        publish = tracing.around(publish, written=lambda: metrics.delivery_seconds.count, sockets=hub.connections)
    async with open_sqlite(
        Path(storage.db_path),
        clock=clock,
        publish=publish,
        observe=observe,
        cause=None if tracing is None else tracing.cause,
        settings=settings,
    ) as store:
        limits = config.limits
        services = Services(
            store=store,
            clock=clock,
            fanout=hub,
            config=config,
            limits=Limits(
                user_messages=limits.user_messages_per_minute,
                agent_messages=limits.agent_messages_per_minute,
                ephemeral=limits.ephemeral_per_minute,
                auth=config.auth.attempts_per_minute,
                requests=limits.requests_per_minute,
                run_frames=config.runs.frames_per_minute,
                tiers={
                    "free": limits.free_requests_per_minute,
                    "pro": limits.pro_requests_per_minute,
                    "enterprise": limits.enterprise_requests_per_minute,
                },
            ),
            passwords=Passwords(),
            proofs=Proofs(),
            metrics=metrics,
            registry=table,
            started_us=clock.now_us(),
            gauges=lambda: _gauges(services, store, started),
            tracing=tracing,
        )
        yield services, hub


@asynccontextmanager
async def open_tracing(config: Config, clock: Clock) -> AsyncIterator[Tracing | None]:
    """
    Traces if they are wanted; leaving sends what is left of them. Without, nothing of OpenTelemetry is imported.

    Raises:
        CannotTrace: it is not installed, or does not take its settings.
    """
    otel = config.otel
    if not otel.enabled:
        yield None
        return
    if not (otel.endpoint or otel.traces_endpoint):
        log.warning("tracing_off", reason="otel.enabled is set, but there is no otel.endpoint to send traces to")
        yield None
        return
    try:
        from amtrio.tracing import Tracing  # noqa: PLC0415 - an optional dependency, and slow to import

        tracing = Tracing(otel, clock)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"opentelemetry", "grpc"}:
            raise
        extra = "otel-grpc" if otel.protocol == "grpc" else "otel"
        text = f"otel.enabled is set, but {error.name} is not installed: pip install 'amtrio[{extra}]'"
        hint = ", or send by OTEL_EXPORTER_OTLP_PROTOCOL=http, which needs only 'amtrio[otel]'"
        raise CannotTrace(text + hint * (otel.protocol == "grpc")) from error
    except (ValueError, OSError) as error:
        raise CannotTrace(f"traces cannot be sent: {error}") from error
    if tracing.is_disabled:
        log.warning("tracing_off", reason="OTEL_SDK_DISABLED is set")
        yield None
        return
    log.info("tracing_started", protocol=otel.protocol, sampling_rate=otel.sampling_rate)
    try:
        yield tracing
    finally:
        await tracing.close(config.server.drain_s * TRACES_SHARE)


def _gauges(services: Services, store: SqliteDatabase, started: float) -> Gauges:
    stale = services.state.get(Sessions)
    return gauges_of(
        services,
        tasks=trio.lowlevel.current_statistics().tasks_living,
        stale_agents=stale.stale_agents() if stale is not None else 0,
        waiting=store.waiting,
        uptime_seconds=trio.current_time() - started,
    )


async def serve(
    config: Config,
    *,
    clock: Clock | None = None,
    sockets: Sequence[socket.socket] | None = None,
    table: Registry = registry,
    has_signals: bool = False,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """
    Run a server until it is asked to stop, by signal or through `Running.stop`.

    Args:
        sockets: bound ones to listen on, instead of those that the configuration names.
        has_signals: SIGTERM and SIGINT stop it; a second one ends the process at once.

    Raises:
        CannotOpen: the database; the text says what to do. CannotTrace, CannotPush, CannotServe: as they say.
        OSError: the port.
    """
    bound = list(sockets) if sockets is not None else open_sockets(config.server.host, config.server.port)
    stop = Stop()
    async with AsyncExitStack() as stack:
        for each in bound:
            # Also if the database cannot be opened; closing twice is harmless.
            stack.callback(each.close)
        webchat = await open_webchat(config.server)
        clock = clock or SystemClock()
        tracing = await stack.enter_async_context(open_tracing(config, clock))
        services, hub = await stack.enter_async_context(
            open_services(config, clock=clock, table=table, tracing=tracing)
        )
        sessions = Sessions(services, hub)
        services.state[Sessions] = sessions
        for starter in table.starters:
            await starter(services)
        pushes = await stack.enter_async_context(
            open_dispatcher(services, open_providers(services), drain_seconds=config.server.drain_s * PUSH_SHARE)
        )
        news = _News(services, pushes)
        hub.heard, hub.presence_changed, hub.attached = news.heard, news.presence_changed, news.attached
        credentials = Credentials(services)
        server = Server(
            cast("ASGIApp", build_app(services, credentials, webchat)),
            admit=Handshakes(sessions, credentials).admit,
            sockets=bound,
            settings=_listener_settings(config, table, services),
            tls=_tls(config),
        )
        try:
            async with (
                open_chores(
                    services, {"wheel": partial(turn_wheel, sessions), "confirmations": sessions.ask_confirmations}
                ),
                open_admin_socket(services, Path(config.storage.data_dir)),
                server.lifespan(),
                trio.open_nursery() as connections,
            ):
                async with trio.open_nursery() as listeners:
                    await listeners.start(_accept, server, connections)
                    if has_signals:
                        # Waited for: whoever reads `server_started` may send a signal the next moment.
                        await listeners.start(_watch_signals, stop, name="signal watcher")
                    tune_gc()
                    addresses = [each.getsockname()[:2] for each in bound]
                    log.info("server_started", version=__version__, addresses=addresses, epoch=services.store.epoch)
                    has_webchat = webchat is not None and webchat.is_built
                    task_status.started(Running(services, sessions, hub, server, addresses, stop, pushes, has_webchat))
                    await stop.wait()
                    listeners.cancel_scope.cancel()
                log.info("server_stopping", reason=stop.reason, connections=server.connections)
                with trio.CancelScope(shield=True):
                    budget = config.server.drain_s
                    sessions.leave(stop.code, stop.reason)
                    await server.drain(
                        stop.code,
                        stop.reason,
                        grace_seconds=budget * GRACE_SHARE,
                        force_seconds=budget * FORCE_SHARE,
                    )
        finally:
            # Whatever ended the server: what was confirmed is written down while the store is still open.
            with trio.move_on_after(config.server.drain_s * 0.1, shield=True):
                await sessions.write_cursors()
                for stopper in table.stoppers:
                    await stopper(services)
    log.info("server_stopped", reason=stop.reason)


async def _accept(
    server: Server, connections: trio.Nursery, *, task_status: trio.TaskStatus[object] = trio.TASK_STATUS_IGNORED
) -> None:
    await server.accept(connections=connections, task_status=task_status)


async def _watch_signals(stop: Stop, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            is_term = number == signal.SIGTERM
            stop.request(
                Close.RESTART if is_term else Close.GOING_AWAY,
                "the server restarts" if is_term else "the server goes away",
            )
            break
    # Whoever asks twice does not want to wait.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


class _News:
    """Calls the features that listen, and the pushes."""

    def __init__(self, services: Services, pushes: Dispatcher) -> None:
        self._services = services
        self._pushes = pushes

    def heard(self, event: Event) -> None:
        for listener in self._services.registry.listeners.get(type(event), ()):
            self._call(listener, self._services, event)
        self._call(self._pushes.heard, event)

    def presence_changed(self, account: str, is_online: bool) -> None:  # noqa: FBT001 - the hub's signature
        for listener in self._services.registry.presence_listeners:
            self._call(listener, self._services, account, is_online)

    def attached(self, account: str) -> None:
        for listener in self._services.registry.attach_listeners:
            self._call(listener, self._services, account)

    def _call(self, listener: Callable[..., None], *news: object) -> None:
        """What a feature does wrong with news must not reach the writer, which brings them."""
        try:
            listener(*news)
        except Exception:
            self._services.metrics.errors += 1
            log.exception("listener_failed", listener=listener.__qualname__)


def _listener_settings(config: Config, table: Registry, services: Services) -> ListenerSettings:
    server, limits, sessions = config.server, config.limits, config.sessions
    return ListenerSettings(
        keep_alive_seconds=server.keep_alive_s,
        header_timeout_seconds=server.header_timeout_s,
        body_idle_seconds=server.body_timeout_s,
        max_header_bytes=server.max_header_bytes,
        max_body_bytes=server.max_body_bytes,
        is_streamed=streamed_paths(table),
        dressing=dressing(services),
        handshake_timeout_seconds=sessions.hello_timeout_s,
        max_message_bytes=limits.max_ws_message_bytes,
        high_water_bytes=sessions.high_water_bytes,
        max_connections=limits.connections or None,
        # It counts who connects, which behind a proxy is the proxy for everybody.
        max_connections_per_address=None if server.trusted_proxies else limits.connections_per_address or None,
    )


def _tls(config: Config) -> ssl.SSLContext | None:
    if config.server.tls_cert is None or config.server.tls_key is None:
        return None
    return tls_context(config.server.tls_cert, config.server.tls_key)
