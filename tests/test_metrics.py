"""Counting, and how Prometheus reads it."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from amtrio.metrics import LATENCY_BUCKETS, Exposition, Gauges, Histogram, Metrics, resident_bytes

GAUGES = Gauges(
    agents_connected=1, clients_connected=2, client_sockets=3, offline_queue_depth=4, uptime_seconds=5.5, tasks=6,
    heartbeat_enabled=True, stale_agents=7, store_healthy=False, waiting_units=8,
)  # fmt: skip


def test_a_histogram_is_cumulative() -> None:
    """A duration on a bound belongs to it; what is longer than all bounds stands under +Inf only."""
    histogram = Histogram()
    for seconds in (0.0, LATENCY_BUCKETS[0], LATENCY_BUCKETS[0] * 1.01, 100.0):
        histogram.observe(seconds)
    histogram.observe(1.0, times=10)
    counts = dict(histogram.buckets())
    assert counts[str(LATENCY_BUCKETS[0])] == 2
    assert counts[str(LATENCY_BUCKETS[1])] == 3
    assert (counts["2.5"], counts["+Inf"], histogram.count) == (13, 14, 14)
    assert histogram.sum == pytest.approx(110 + LATENCY_BUCKETS[0] * 2.01)


def test_the_exposition_shows_totals_and_what_is_true_now() -> None:
    """Read anew each time it is asked for."""
    metrics = Metrics(messages_in=10)
    metrics.requests[("GET", 200)] = 3
    metrics.pushes["webpush", "sent"] = 2
    exposition = Exposition(metrics, lambda: GAUGES, "1.2.3")
    metrics.messages_in += 1
    families = list(text_string_to_metric_families(exposition.text().decode()))
    values = {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}
    assert values[("agent_messenger_messages_in_total",)] == 11
    assert values[("agent_messenger_http_requests_total", "GET", "200")] == 3
    assert values[("agent_messenger_pushes_total", "webpush", "sent")] == 2
    assert values[("agent_messenger_client_conns_total",)] == 3
    assert values[("agent_messenger_version", "1.2.3")] == 1
    assert values[("agent_messenger_store_healthy",)] == 0
    assert values[("agent_messenger_agent_heartbeat_enabled",)] == 1
    assert all(family.documentation for family in families)


def test_the_same_numbers_by_name() -> None:
    """For a program that reads JSON; labels stand in the name as the page writes them."""
    metrics = Metrics(messages_in=11)
    metrics.requests[("GET", 200)] = 3
    values = Exposition(metrics, lambda: GAUGES, "1.2.3").values()
    assert values["agent_messenger_messages_in_total"] == 11
    assert values['agent_messenger_http_requests_total{method="GET",status="200"}'] == 3
    assert values["agent_messenger_uptime_seconds"] == 5.5


def test_memory_is_what_the_system_counts() -> None:
    assert 10 << 20 < resident_bytes() < 10 << 30
