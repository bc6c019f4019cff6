"""What the server counts, and how Prometheus reads it.

Counting is plain integers on the hot path; the exposition is made when somebody asks. Knows nothing of what it counts.
Names and types follow the older server's, mistyped ones corrected; see docs/operations.md.
"""

from __future__ import annotations

import gc
import resource
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

PREFIX = "agent_messenger_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Seconds: from a fast disk's fsync to what a person notices.
LATENCY_BUCKETS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Histogram:
    """Counts seconds by bucket; 0.3 us each, where the library's own takes a lock."""

    __slots__ = ("_counts", "count", "sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(LATENCY_BUCKETS) + 1)
        self.sum = 0.0
        self.count = 0

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count one duration, or the same one several times."""
        self._counts[bisect_left(LATENCY_BUCKETS, seconds)] += times
        self.sum += seconds * times
        self.count += times

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper bound, as the exposition wants them."""
        total, cumulative = 0, []
        for bound, count in zip((*map(str, LATENCY_BUCKETS), "+Inf"), self._counts, strict=True):
            total += count
            cumulative.append((bound, float(total)))
        return cumulative


@dataclass(slots=True)
class Metrics:
    """
    Running totals since the start.

    Attributes:
        messages_in, messages_out: frames of any type, as the older server counted them.
        pushes: by provider and result.
        connections: sockets ever opened. errors: failures whose fault is ours, and refused sign-ins.
        commit_seconds: transaction, with fsync. ack_seconds: frame read to answer written.
        delivery_seconds: stored to written to a device. loop_lag_seconds: how late the 1 Hz wheel was.
    """

    messages_in: int = 0
    messages_out: int = 0
    messages_stored: int = 0
    connections: int = 0
    errors: int = 0
    rate_limited: int = 0
    requests: dict[tuple[str, int], int] = field(default_factory=dict)
    pushes: dict[tuple[str, str], int] = field(default_factory=dict)
    uploads: int = 0
    uploaded_bytes: int = 0
    replaced: int = 0
    run_deltas: int = 0
    slow_closed: int = 0
    stale_agents: int = 0
    commit_seconds: Histogram = field(default_factory=Histogram)
    ack_seconds: Histogram = field(default_factory=Histogram)
    delivery_seconds: Histogram = field(default_factory=Histogram)
    loop_lag_seconds: Histogram = field(default_factory=Histogram)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is true at this moment, read when asked."""

    agents_connected: int
    clients_connected: int
    client_sockets: int
    offline_queue_depth: int
    uptime_seconds: float
    tasks: int
    heartbeat_enabled: bool
    stale_agents: int
    store_healthy: bool
    waiting_units: int
    open_runs: int = 0


def resident_bytes() -> int:
    """Memory of this process as the system counts it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - not a file of ours
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Exposition(Collector):
    """Turns totals and gauges into Prometheus text."""

    def __init__(self, metrics: Metrics, gauges: Callable[[], Gauges], version: str) -> None:
        self._metrics = metrics
        self._gauges = gauges
        self._version = version
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """The page."""
        return generate_latest(self._registry)

    def values(self) -> dict[str, float]:
        """The same numbers by name, with labels as the page writes them."""
        values = {}
        for metric in self.collect():
            for sample in metric.samples:
                labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
                values[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
        return values

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: the registry would otherwise collect once at start."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything, now."""
        yield from self._counters()
        yield from self._histograms()
        yield from self._current()

    def _counters(self) -> Iterator[Metric]:
        m = self._metrics
        for name, text, value in (
            ("messages_in", "frames received", m.messages_in),
            ("messages_out", "frames sent", m.messages_out),
            ("messages_stored", "messages committed to disk", m.messages_stored),
            ("connections", "sockets opened", m.connections),
            ("errors", "failures of the server and refused sign-ins", m.errors),
            ("rate_limited", "requests and frames over a budget", m.rate_limited),
            ("uploads", "attachments stored", m.uploads),
            ("uploaded_bytes", "size of the attachments stored", m.uploaded_bytes),
            ("sessions_replaced", "sockets that gave way to a newer one of the same agent or device", m.replaced),
            ("run_deltas", "changes of live answers sent to devices", m.run_deltas),
            ("slow_closed", "sockets closed because the other side took nothing for too long", m.slow_closed),
            ("stale_agents_closed", "agents' sockets closed for giving no sign of life", m.stale_agents),
        ):
            yield CounterMetricFamily(PREFIX + name, text, value=value)
        requests = CounterMetricFamily(PREFIX + "http_requests", "REST requests", labels=("method", "status"))
        for (method, status), count in tuple(m.requests.items()):
            requests.add_metric((method, str(status)), count)
        yield requests
        pushes = CounterMetricFamily(
            PREFIX + "pushes",
            "pushes by service and what became of them: sent, gone (the device is unknown there and forgotten here),"
            " again (to be repeated), failed",
            labels=("provider", "result"),
        )
        for (provider, result), count in tuple(m.pushes.items()):
            pushes.add_metric((provider, result), count)
        yield pushes

    def _histograms(self) -> Iterator[Metric]:
        m = self._metrics
        for name, text, histogram in (
            ("commit_seconds", "one transaction with its fsync", m.commit_seconds),
            ("ack_seconds", "message read from the socket to its answer written", m.ack_seconds),
            ("delivery_seconds", "committed to written to a device's socket", m.delivery_seconds),
            ("loop_lag_seconds", "how late the event loop was for a timer", m.loop_lag_seconds),
        ):
            yield HistogramMetricFamily(PREFIX + name, text, buckets=histogram.buckets(), sum_value=histogram.sum)

    def _current(self) -> Iterator[Metric]:
        g = self._gauges()
        resident = resident_bytes()
        for name, text, value in (
            ("agents_connected", "agents with an open socket", g.agents_connected),
            ("clients_connected", "people with an open socket", g.clients_connected),
            ("client_conns_total", "open sockets of people (a gauge in spite of its name)", g.client_sockets),
            ("offline_queue_depth", "log rows that open sockets have not confirmed yet", g.offline_queue_depth),
            ("uptime_seconds", "since the start", g.uptime_seconds),
            ("goroutines", "tasks of the event loop; the name is the older server's", g.tasks),
            ("memory_alloc_bytes", "resident memory", resident),
            ("memory_sys_bytes", "resident memory", resident),
            ("agent_heartbeat_enabled", "1 if agents without a sign of life are closed by the heartbeat rule",
             int(g.heartbeat_enabled)),
            ("stale_agents", "agents that are overdue right now", g.stale_agents),
            ("store_healthy", "1 if the database takes writes", int(g.store_healthy)),
            ("waiting_units", "transactions that wait for the writer", g.waiting_units),
            ("open_runs", "live answers that are going on", g.open_runs),
            ("gc_objects", "objects the garbage collector tracks in its youngest generation", gc.get_count()[0]),
        ):  # fmt: skip
            yield GaugeMetricFamily(PREFIX + name, text, value=value)
        version = GaugeMetricFamily(PREFIX + "version", "constant 1", value=None, labels=("version",))
        version.add_metric((self._version,), 1)
        yield version
