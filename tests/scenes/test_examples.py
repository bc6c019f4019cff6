"""docs/examples, run as programs of their own against the real server, as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.harness import AGENT_SECRET, PASSWORD, Json, Person, Scene, open_scene

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
HOW_TO = ROOT / "docs" / "how-to" / "write-an-agent.md"


@contextmanager
def program(scene: Scene, name: str, *arguments: str, **options: object) -> Iterator[subprocess.Popen[str]]:
    """An example at work; ended with the block."""
    own = {
        "AMTRIO_URL": f"http://127.0.0.1:{scene.running.port}",
        "AMTRIO_AGENT_TOKEN": AGENT_SECRET,
        "AMTRIO_USER": "alice",
        "AMTRIO_PASSWORD": PASSWORD,
    }
    with subprocess.Popen(
        [sys.executable, EXAMPLES / name, *arguments],
        env=os.environ | own,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        try:
            yield running
        finally:
            running.terminate()


async def online(scene: Scene, person: Person, agent_id: str) -> None:
    """Until the agent is there."""
    async with scene.device(person, "watcher") as watcher:
        agents: list[Json] = await scene.get("/agents", person)
        if not any(each["agent_id"] == agent_id and each["online"] for each in agents):
            await watcher.next("presence_update", id=agent_id, online=True)


async def output(running: subprocess.Popen[str], text: str = "") -> str:
    """What a program says until it ends; it must end well."""
    with trio.fail_after(20):
        said, errors = await trio.to_thread.run_sync(running.communicate, text, abandon_on_cancel=True)
    assert running.returncode == 0, errors
    return said


async def test_the_echo_agent_is_asked_by_the_script(tmp_path: Path) -> None:
    """
    Words come as they are said; SIGTERM ends the agent in order.
    """
    async with open_scene(tmp_path) as scene:
        alice, _ = await scene.register("alice"), await scene.register_agent("echo")
        with program(scene, "echo_agent.py") as agent:
            await online(scene, alice, "echo")
            with program(scene, "ask.py", "echo", "to be", "or not") as asking:
                assert await output(asking) == "to be or not \n"
            agent.terminate()
            with trio.fail_after(10):
                assert await trio.to_thread.run_sync(agent.wait, abandon_on_cancel=True) == 0


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("1", r"- `\S+` \d+\n"),
        ("2", r"Here they are\.\n\[words\.csv, \d+ bytes\]"),
    ],
)
async def test_the_agent_with_tools_asks_back(tmp_path: Path, choice: str, expected: str) -> None:
    """
    The question reaches the script, its answer the agent; plan, thoughts and tool are in the message.
    """
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("counter")
        with program(scene, "tools_agent.py"):
            await online(scene, alice, "counter")
            with program(scene, "ask.py", "counter", "/count these words") as asking:
                said = await output(asking, f"{choice}\n")
        assert "1. The top three" in said
        assert re.search(expected, said), said
        room = await scene.conversation(alice, helper)
        last = (await scene.get(f"/conversations/{room}/messages", alice))[-1]
        assert {part["kind"] for part in last["run"]["parts"]} >= {"plan", "reasoning", "tool", "text"}
        assert last["run"]["usage"]["words"] >= 3


async def test_the_agent_with_tools_says_what_it_cannot(tmp_path: Path) -> None:
    """
    In its own words, as a failed run.
    """
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("counter")
        with program(scene, "tools_agent.py"):
            await online(scene, alice, "counter")
            room = await scene.conversation(alice, helper)
            async with scene.device(alice, "phone") as phone:
                await phone.send(room, "dance")
                answer = await phone.next("message", sender_type="agent")
        assert (answer["run"]["outcome"], answer["run"]["error"]) == ("failed", "I can only count. Say /count.")


def test_the_page_for_authors_shows_what_is_run_here() -> None:
    """
    Its first program is the echo agent, and every name it mentions exists.
    """
    page = HOW_TO.read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    echo = (EXAMPLES / "echo_agent.py").read_text(encoding="utf-8")
    assert programs[0].strip() in echo
    for each in programs:
        compile(each, str(HOW_TO), "exec", flags=0x2000)  # PyCF_ALLOW_TOP_LEVEL_AWAIT: pieces of handlers
    for name in re.findall(r"docs/examples/(\w+\.py)|\(\.\./examples/(\w+\.py)\)", page):
        assert (EXAMPLES / (name[0] or name[1])).exists()
