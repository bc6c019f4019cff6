"""What operators look at: /health, /metrics, /version.

Knows counters and what the parts say of themselves. Knows nothing of any account.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from amtrio import __version__
from amtrio.clock import MICROS_PER_SECOND, rfc3339
from amtrio.context import Answer, Context, Nothing, Services
from amtrio.errors import NotFound
from amtrio.feature import get
from amtrio.metrics import CONTENT_TYPE, Exposition, Gauges, resident_bytes
from amtrio.model.open_runs import OpenRuns
from amtrio.protocol.codec import encode
from amtrio.protocol.dialects import SUPPORTED_VERSIONS

_MIB = 1 << 20
_OK = 200
_UNAVAILABLE = 503


class _Gathered:
    """The exposition, made on first use."""

    def __init__(self) -> None:
        self.exposition: Exposition | None = None


class Connections(msgspec.Struct, frozen=True, kw_only=True):
    """Who is connected now."""

    agents: int
    clients: int


class AgentHeartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Whether silent agents are given up, and how many are overdue now; times in seconds."""

    enabled: bool
    interval_s: int
    timeout_s: int
    stale_agents: int


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the server says of itself. COMPAT: the older server's fields and more.

    Attributes:
        status: `ok`, or `degraded` when the database refuses. db: `ok`, or what is wrong.
        messages_in, messages_out: frames since the start. messages_routed: messages stored since the start.
        clients_connected: people with a socket. client_conns_total: their sockets.
        offline_queue_depth: events that open sockets have still to confirm. goroutines: tasks.
        memory_alloc_mb, memory_sys_mb: resident memory.
    """

    status: Literal["ok", "degraded"]
    version: str
    db: str
    tracing_enabled: bool
    uptime_seconds: int
    uptime: str
    start_time: str
    messages_in: int
    messages_out: int
    messages_routed: int
    connections_total: int
    errors_total: int
    rate_limited: int
    agents_connected: int
    clients_connected: int
    client_conns_total: int
    connections: Connections
    offline_queue_depth: int
    goroutines: int
    memory_alloc_mb: float
    memory_sys_mb: float
    agent_heartbeat: AgentHeartbeat


@get("/health", who="anyone", answers=(_OK, _UNAVAILABLE))
async def health(ctx: Context, request: Nothing) -> Answer[Health]:
    """200 if the server does all it should, 503 if the database refuses; the older server's fields and more."""
    del request
    services, metrics, gauges = ctx.services, ctx.services.metrics, ctx.services.gauges()
    store = services.store.health()
    is_ok = store == "ok"
    config = services.config.sessions
    resident = round(resident_bytes() / _MIB, 2)
    uptime = int(gauges.uptime_seconds)
    body = Health(
        status="ok" if is_ok else "degraded",
        version=__version__,
        db="ok" if is_ok else f"error: {store}",
        tracing_enabled=services.tracing is not None,
        uptime_seconds=uptime,
        uptime=_words(uptime),
        start_time=rfc3339(services.started_us),
        messages_in=metrics.messages_in,
        messages_out=metrics.messages_out,
        messages_routed=metrics.messages_stored,
        connections_total=metrics.connections,
        errors_total=metrics.errors,
        rate_limited=metrics.rate_limited,
        agents_connected=gauges.agents_connected,
        clients_connected=gauges.clients_connected,
        client_conns_total=gauges.client_sockets,
        connections=Connections(agents=gauges.agents_connected, clients=gauges.clients_connected),
        offline_queue_depth=gauges.offline_queue_depth,
        goroutines=gauges.tasks,
        memory_alloc_mb=resident,
        memory_sys_mb=resident,
        agent_heartbeat=AgentHeartbeat(
            enabled=config.agent_heartbeat_enabled,
            interval_s=int(config.agent_heartbeat_interval_s),
            timeout_s=int(config.agent_heartbeat_timeout_s),
            stale_agents=gauges.stale_agents,
        ),
    )
    return Answer(body, _OK if is_ok else _UNAVAILABLE)


def _words(seconds: int) -> str:
    """`1h2m3s`, as the older server's documents show it."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}s"


@get("/metrics", who="anyone", produces="text/plain")
async def metrics_page(ctx: Context, request: Nothing) -> Answer[bytes]:
    """
    Prometheus text. COMPAT: JSON for the Python SDK, which decodes whatever it gets as that.

    That client says `X-Requested-With`, which no scraper does.
    """
    del request
    if not ctx.config.metrics.enabled:
        text = "metrics are switched off"
        raise NotFound(text)
    gathered = ctx.services.own(_Gathered)
    if gathered.exposition is None:
        gathered.exposition = Exposition(ctx.services.metrics, ctx.services.gauges, __version__)
    if ctx.request is not None and ctx.request.header("X-Requested-With"):
        return Answer(encode(gathered.exposition.values()) + b"\n")
    return Answer(gathered.exposition.text(), content_type=CONTENT_TYPE)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which server this is.

    Attributes:
        epoch: names this history of numbers; another one after a restored backup.
    """

    name: str = "amtrio"
    version: str
    protocol_versions: tuple[str, ...]
    epoch: str
    time: str
    uptime_seconds: int


@get("/version", who="anyone")
async def version(ctx: Context, request: Nothing) -> Version:
    """Which server this is and what it speaks."""
    del request
    return Version(
        version=__version__,
        protocol_versions=SUPPORTED_VERSIONS,
        epoch=ctx.store.epoch,
        time=rfc3339(ctx.clock.now_us()),
        uptime_seconds=(ctx.clock.now_us() - ctx.services.started_us) // MICROS_PER_SECOND,
    )


def gauges_of(services: Services, *, tasks: int, stale_agents: int, waiting: int, uptime_seconds: float) -> Gauges:
    """What is true now, for health and metrics alike."""
    online = list(services.fanout.online())
    return Gauges(
        agents_connected=sum(1 for account in online if account[0] == "a"),
        clients_connected=sum(1 for account in online if account[0] == "u"),
        client_sockets=sum(services.fanout.connections(account) for account in online if account[0] == "u"),
        offline_queue_depth=services.fanout.unconfirmed(),
        uptime_seconds=uptime_seconds,
        tasks=tasks,
        heartbeat_enabled=services.config.sessions.agent_heartbeat_enabled,
        stale_agents=stale_agents,
        store_healthy=services.store.health() == "ok",
        waiting_units=waiting,
        open_runs=len(services.own(OpenRuns)),
    )
