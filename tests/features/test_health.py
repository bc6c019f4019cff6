"""/health, /metrics and /version, as operators and their tools read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from amtrio import __version__
from amtrio.errors import StorageUnavailable
from tests.features.conftest import Cast
from tests.harness import Scene, open_scene

# Contract 6: the older server's names, with the types that they should have had.
COUNTERS = {"messages_in", "messages_out", "connections", "errors", "rate_limited"}
GAUGES = {
    "agents_connected", "clients_connected", "client_conns_total", "uptime_seconds", "version", "goroutines",
    "memory_alloc_bytes", "memory_sys_bytes", "offline_queue_depth", "agent_heartbeat_enabled", "stale_agents",
}  # fmt: skip
HISTOGRAMS = {"commit_seconds", "ack_seconds", "delivery_seconds", "loop_lag_seconds"}


async def test_health_has_the_older_servers_fields(scene: Scene, cast: Cast) -> None:
    """Of the types that its tools read, and the names that its documents promised."""
    async with scene.device(cast.alice), scene.device(cast.alice) as phone, scene.device(cast.helper):
        await phone.send(cast.talk, "hello")
        answer = await scene.http.get("/health")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        body = answer.json()
    kinds = {
        "status": str, "version": str, "db": str, "tracing_enabled": bool, "uptime_seconds": int, "start_time": str,
        "messages_in": int, "messages_out": int, "connections_total": int, "errors_total": int, "rate_limited": int,
        "agents_connected": int, "clients_connected": int, "client_conns_total": int, "offline_queue_depth": int,
        "goroutines": int, "memory_alloc_mb": float, "memory_sys_mb": float, "agent_heartbeat": dict,
        "uptime": str, "connections": dict, "messages_routed": int,
    }  # fmt: skip
    assert {name: type(body[name]) for name in kinds} == kinds
    assert (body["status"], body["db"], body["version"]) == ("ok", "ok", __version__)
    assert (body["agents_connected"], body["clients_connected"], body["client_conns_total"]) == (1, 1, 2)
    assert body["connections_total"] >= 3
    assert body["messages_routed"] == 1
    assert set(body["agent_heartbeat"]) == {"enabled", "interval_s", "timeout_s", "stale_agents"}


async def test_health_answers_head(scene: Scene) -> None:
    """Container health checks send it."""
    answer = await scene.http.head("/health")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/health", "/metrics", "/version"])
async def test_these_need_no_token_and_tell_nothing_secret(scene: Scene, cast: Cast, path: str) -> None:
    answer = await scene.http.get(path)
    assert answer.status_code == 200
    assert "alice" not in answer.text
    assert cast.talk not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_database_that_refuses_is_503(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is wrong in words."""
    commit = scene.running.services.store._commit  # type: ignore[attr-defined]  # the adapter in use
    commit.trouble = "the disk is full"
    answer = await scene.http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
    assert answer.json()["db"] == "error: the disk is full"
    assert StorageUnavailable.http == 503
    commit.trouble = ""
    assert (await scene.http.get("/health")).status_code == 200


async def test_metrics_have_the_older_servers_names_and_right_types(scene: Scene, cast: Cast) -> None:
    """Prometheus can read every line of it."""
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        await phone.send(cast.talk, "hello")
        await agent.next("message")
        answer = await scene.http.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}
    for names, kind in ((COUNTERS, "counter"), (GAUGES, "gauge"), (HISTOGRAMS, "histogram")):
        for name in names:
            assert families[f"agent_messenger_{name}"].type == kind, name
    lines = answer.text.splitlines()
    for name in COUNTERS:
        assert any(line.startswith(f"agent_messenger_{name}_total ") for line in lines), name
    values = {sample.name: sample.value for each in families.values() for sample in each.samples if not sample.labels}
    assert values["agent_messenger_messages_stored_total"] == 1
    assert values["agent_messenger_agents_connected"] == 1
    assert values["agent_messenger_ack_seconds_count"] == 1
    assert values["agent_messenger_commit_seconds_count"] >= 1
    assert values["agent_messenger_delivery_seconds_count"] >= 1


async def test_metrics_are_json_for_who_says_what_no_scraper_says(scene: Scene) -> None:
    """The Python SDK decodes every answer as JSON, and sends this header with every request."""
    answer = await scene.http.get("/metrics", headers={"X-Requested-With": "XMLHttpRequest"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["agent_messenger_agents_connected"] == 0


async def test_metrics_can_be_switched_off(tmp_path: Path) -> None:
    async with open_scene(tmp_path, metrics={"enabled": False}) as scene:
        assert (await scene.http.get("/metrics")).status_code == 404


async def test_version_says_what_is_spoken(scene: Scene) -> None:
    body = (await scene.http.get("/version")).json()
    assert (body["name"], body["version"], body["protocol_versions"]) == ("amtrio", __version__, ["v1", "v2"])
