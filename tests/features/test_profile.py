"""What the process uses, under the older server's route."""

from __future__ import annotations

import pytest

from tests.features.conftest import ADMIN
from tests.harness import Scene

PATH = "/admin/profile"


async def test_figures_of_the_process(scene: Scene) -> None:
    """By GET and POST; without an action it is `stats`."""
    for answer in (
        await scene.http.get(PATH, headers=ADMIN),
        await scene.http.get(f"{PATH}?action=stats", headers=ADMIN),
        await scene.http.post(PATH, json={"action": "stats"}, headers=ADMIN),
    ):
        body = answer.json()
        assert (body["status"], body["action"]) == ("ok", "stats")
        assert body["memory"]["alloc_bytes"] > 1 << 20
        assert body["memory"]["goroutines"] > 5
        assert set(body) == {"status", "action", "timestamp", "memory"}


async def test_collecting_garbage(scene: Scene) -> None:
    body = (await scene.http.post(PATH, json={"action": "gc"}, headers=ADMIN)).json()
    assert body["after"]["num_gc"] > body["before"]["num_gc"]
    assert body["gc_cycles"] == body["after"]["num_gc"]
    assert body["freed_bytes"] >= 0


async def test_tasks(scene: Scene) -> None:
    """Each of them, by name."""
    body = (await scene.http.get(f"{PATH}?action=goroutine", headers=ADMIN)).json()
    assert sum(each["count"] for each in body["tasks"]) == body["goroutines"]
    assert "admin socket" in {each["name"] for each in body["tasks"]}


@pytest.mark.parametrize("action", ["heap", "cpu", "cpu_stop", "dance"])
async def test_what_python_has_no_truthful_answer_to(scene: Scene, action: str) -> None:
    """400; the text says what to do instead."""
    answer = await scene.http.get(PATH, headers=ADMIN, params={"action": action})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert ("py-spy" in answer.json()["error"]) == (action != "dance")


async def test_nothing_of_it_is_public(scene: Scene) -> None:
    """Nor is anything under the older server's profiling paths."""
    assert (await scene.http.get(PATH)).status_code == 401
    for path in ("/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"):
        assert (await scene.http.get(path, headers=ADMIN)).status_code == 404
