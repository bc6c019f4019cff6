"""Fixtures for whatever needs a port."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from trio.testing import MockClock

from tests.harness import Agent, Person, Scene


@pytest.fixture
def quick_clock() -> MockClock:
    """
    A clock that jumps to the next deadline whenever nothing has moved for 20 ms of real time: time limits are
    tested at their real length, and bytes on the loopback are not overtaken.
    """
    return MockClock(autojump_threshold=0.02)


def filled(path: str) -> str:
    """A path with something for each part that varies."""
    return re.sub(r"<\w+>", "x_1", path)


async def cast(scene: Scene) -> tuple[Person, Agent, str]:
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    return alice, helper, await scene.conversation(alice, helper)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """An error of the one shape; its body."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert isinstance(body["error"], str)
    assert body["retry"] in {"no", "after_ms", "same_client_id"}
    assert body["status"] == httpx.codes.get_reason_phrase(status)
    assert answer.headers["Content-Type"] == "application/json"
    return body
