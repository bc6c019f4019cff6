"""Names and types as dashboards and alert rules of the older server expect them, mistyped ones corrected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from amtrio.metrics import CONTENT_TYPE, LATENCY_BUCKETS, Exposition, Gauges, Histogram, Metrics, resident_bytes
from tests.harness import open_scene

NOW = Gauges(1, 2, 3, 4, 5.5, 6, heartbeat_enabled=True, stale_agents=7, store_healthy=True, waiting_units=8)
# Of the older server's exposition: what its alert rules and its dashboard read.
OLDER = {
    "messages_in_total": "counter",
    "messages_out_total": "counter",
    "connections_total": "counter",
    "agents_connected": "gauge",
    "clients_connected": "gauge",
    "client_conns_total": "gauge",
    "errors_total": "counter",
    "rate_limited_total": "counter",
    "uptime_seconds": "gauge",
    "version": "gauge",
    "goroutines": "gauge",
    "memory_alloc_bytes": "gauge",
    "memory_sys_bytes": "gauge",
    "offline_queue_depth": "gauge",
    "agent_heartbeat_enabled": "gauge",
    "stale_agents": "gauge",
}


def read(text: str) -> tuple[dict[str, float], dict[str, str]]:
    """Samples without labels other than those that are constant, and types by sample name."""
    values, types = {}, {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values[sample.name] = sample.value
            types[sample.name] = family.type
    return values, types


def shown(metrics: Metrics, gauges: Gauges = NOW) -> tuple[dict[str, float], dict[str, str]]:
    return read(Exposition(metrics, lambda: gauges, "1.2.3").text().decode())


def test_names_and_types_of_the_older_server() -> None:
    """Each one is there, with its prefix, its type and exactly one sample."""
    text = Exposition(Metrics(), lambda: NOW, "1.2.3").text().decode()
    values, types = read(text)
    for name, kind in OLDER.items():
        full = f"agent_messenger_{name}"
        assert full in values
        assert types[full] == kind, full
        assert len([line for line in text.splitlines() if line.startswith((f"{full} ", f"{full}{{"))]) == 1
    assert 'agent_messenger_version{version="1.2.3"} 1.0' in text


def test_values_are_those_of_the_moment() -> None:
    """Counters and gauges are read when asked, each under its own name."""
    metrics = Metrics(messages_in=11, messages_out=12, connections=13, errors=14, rate_limited=15, stale_agents=16)
    values, _ = shown(metrics)
    expected = {
        "messages_in_total": 11, "messages_out_total": 12, "connections_total": 13, "errors_total": 14,
        "rate_limited_total": 15, "stale_agents_closed_total": 16, "agents_connected": 1, "clients_connected": 2,
        "client_conns_total": 3, "offline_queue_depth": 4, "uptime_seconds": 5.5, "goroutines": 6,
        "agent_heartbeat_enabled": 1, "stale_agents": 7, "store_healthy": 1, "waiting_units": 8,
    }  # fmt: skip
    assert {name: values[f"agent_messenger_{name}"] for name in expected} == expected
    metrics.messages_in += 1
    later, _ = shown(metrics, replace(NOW, heartbeat_enabled=False, store_healthy=False))
    assert later["agent_messenger_messages_in_total"] == 12
    assert later["agent_messenger_agent_heartbeat_enabled"] == later["agent_messenger_store_healthy"] == 0


def test_requests_by_method_and_status() -> None:
    """One counter, two labels; nothing else grows with what clients send."""
    text = Exposition(Metrics(requests={("GET", 200): 3, ("POST", 429): 1}), lambda: NOW, "x").text().decode()
    assert 'agent_messenger_http_requests_total{method="GET",status="200"} 3.0' in text
    assert 'agent_messenger_http_requests_total{method="POST",status="429"} 1.0' in text


def test_histograms_are_cumulative() -> None:
    """A value on a bound belongs below it (`le`), the last bucket has all, and sum and count fit."""
    histogram = Histogram()
    for seconds in (0.0, LATENCY_BUCKETS[0], LATENCY_BUCKETS[0] * 1.01, 1e9):
        histogram.observe(seconds)
    histogram.observe(0.5, times=10)
    buckets = dict(histogram.buckets())
    assert buckets[str(LATENCY_BUCKETS[0])] == 2
    assert buckets[str(LATENCY_BUCKETS[1])] == 3
    assert buckets["0.25"] == 3
    assert buckets["0.5"] == 13
    assert buckets["2.5"] == 13
    assert buckets["+Inf"] == histogram.count == 14
    assert histogram.sum == pytest.approx(1e9 + 5 + LATENCY_BUCKETS[0] * 2.01)
    counts = [count for _, count in histogram.buckets()]
    assert counts == sorted(counts)


def test_every_histogram_is_shown_with_count_and_sum() -> None:
    """So that averages and quantiles can be had."""
    metrics = Metrics()
    for name in ("commit_seconds", "ack_seconds", "delivery_seconds", "loop_lag_seconds"):
        getattr(metrics, name).observe(0.003)
        values, types = shown(metrics)
        full = f"agent_messenger_{name}"
        assert types[f"{full}_bucket"] == "histogram"
        assert (values[f"{full}_count"], values[f"{full}_sum"]) == (1, 0.003)


def test_memory_is_that_of_this_process() -> None:
    """Bytes, not pages or KiB: an interpreter with this much loaded has 10 MiB at least and less than 4 GiB."""
    assert 10 << 20 < resident_bytes() < 4 << 30


async def scraped(http: httpx.AsyncClient) -> dict[str, float]:
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == CONTENT_TYPE
    return read(answer.text)[0]


async def test_the_page_of_a_running_server(tmp_path: Path) -> None:
    """Agents count once, people once however many sockets they have; frames, messages and refusals are counted."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        before = await scraped(scene.http)
        async with scene.device(helper), scene.device(alice, "phone") as phone, scene.old_device(alice):
            await phone.send(talk, "one")
            await phone.send(talk, "two", client_id="the-same-client-id")
            await phone.send(talk, "two", client_id="the-same-client-id")
            await phone.ask("nonsense")
            await phone.caught_up()
            await scene.knock("/client/connect?token=wrong")
            values = await scraped(scene.http)

        def grown(name: str) -> float:
            return values[f"agent_messenger_{name}"] - before[f"agent_messenger_{name}"]

        assert (grown("agents_connected"), grown("clients_connected"), grown("client_conns_total")) == (1, 1, 2)
        assert grown("connections_total") == 3
        # Two hellos, three messages, a nonsense and a ping.
        assert grown("messages_in_total") == 7
        assert grown("messages_stored_total") == 2
        assert grown("errors_total") == 1
        assert grown("commit_seconds_count") >= 2
        with trio.fail_after(5):
            while (await scraped(scene.http))["agent_messenger_client_conns_total"]:
                await trio.lowlevel.checkpoint()


async def test_metrics_can_be_switched_off(tmp_path: Path) -> None:
    async with open_scene(tmp_path, metrics={"enabled": False}) as scene:
        assert (await scene.http.get("/metrics")).status_code == 404
        assert (await scene.http.get("/health")).status_code == 200
