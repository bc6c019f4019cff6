"""Programs under a bridge, with real processes that ignore signals, start others and break off."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio
import pytest

from amtrio.bridges.children import CannotStart, Child, open_children
from tests.bridges.conftest import Lifeline, Play
from tests.bridges.families import stubborn


async def all_of(child: Child) -> str:
    told = b""
    while data := await child.receive():
        told += data
    return told.decode()


async def ready(child: Child) -> None:
    told = b""
    while b"ready" not in told:
        data = await child.receive()
        assert data, child.last_words()
        told += data


def test_a_program_gets_its_input_and_gives_its_output(play: Play) -> None:
    """
    Standard input until it is closed, standard output until the end, and the exit code.
    """

    async def scene() -> None:
        async with open_children() as children, children.open(["sh", "-c", "tr a-z A-Z; exit 3"]) as child:
            assert await child.send(b"hello")
            await child.close_input()
            assert (await all_of(child), await child.wait()) == ("HELLO", 3)

    play(scene)


def test_it_inherits_the_environment_without_the_credentials(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What the program may do with the agent's name is to answer, not to be it.
    """
    monkeypatch.setenv("AMTRIO_AGENT_TOKEN", "agt_secret")
    monkeypatch.setenv("SOMETHING", "kept")

    async def scene() -> None:
        command = ["sh", "-c", 'echo "$SOMETHING,$MORE,$AMTRIO_AGENT_TOKEN"']
        async with open_children() as children, children.open(command, env={"MORE": "added"}) as child:
            assert await all_of(child) == "kept,added,\n"

    play(scene)


def test_the_last_words_are_those_of_standard_error(play: Play) -> None:
    """
    Eight lines at most, and whoever asked gets each of them.
    """
    heard: list[str] = []

    async def scene() -> None:
        command = ["sh", "-c", "seq 1 20 >&2"]
        async with open_children() as children, children.open(command, on_stderr=heard.append) as child:
            await all_of(child)
            await child.wait()
            with anyio.fail_after(5):
                await child.errors_read.wait()
            assert child.last_words() == "\n".join(map(str, range(13, 21)))

    play(scene)
    assert heard == [str(number) for number in range(1, 21)]


def test_what_cannot_be_started_is_named(play: Play, tmp_path: Path) -> None:
    """
    A program that is not there, one that is none, and a folder that is not there.
    """
    (tmp_path / "letter").write_text("hello")

    async def scene() -> None:
        async with open_children() as children:
            for argv, cwd, words in (
                (["no-such-program-here"], None, "no-such-program-here: No such file"),
                ([str(tmp_path / "letter")], None, "letter: Permission denied"),
                (["sh"], tmp_path / "nowhere", "nowhere: No such file"),
            ):
                with pytest.raises(CannotStart, match=words):
                    async with children.open(argv, cwd=cwd):
                        pass

    play(scene)


def test_leaving_ends_the_whole_family(play: Play, lifeline: Lifeline) -> None:
    """
    Three generations that ignore SIGINT and SIGTERM, one of them in a session of its own: all gone, at once.
    """

    async def scene() -> None:
        async with open_children(grace_s=0.1) as children:
            async with children.open(stubborn(lifeline.path)) as child:
                await ready(child)
            with anyio.fail_after(5):
                await lifeline.all_gone()

    play(scene)


def test_cancelling_ends_the_whole_family(play: Play, lifeline: Lifeline) -> None:
    """
    A stopped run is a cancelled block; its programs end before it is left.
    """

    async def scene() -> None:
        async with open_children(grace_s=0.1) as children:
            with anyio.CancelScope() as scope:
                async with children.open(stubborn(lifeline.path)) as child:
                    await ready(child)
                    scope.cancel()
                    await anyio.sleep_forever()
            with anyio.fail_after(5):
                await lifeline.all_gone()

    play(scene)


def test_what_a_program_leaves_behind_ends_with_it(play: Play, lifeline: Lifeline) -> None:
    """
    The parent says its word and ends; the others hold its output open, and the end comes all the same.
    """

    async def scene() -> None:
        command = stubborn(lifeline.path, then="print('bye', flush=True)")
        async with open_children(grace_s=0.1) as children, children.open(command) as child:
            told = await all_of(child)
            assert "bye" in told
            assert await child.wait() == 0
            with anyio.fail_after(5):
                await lifeline.all_gone()

    play(scene)


def test_a_program_may_end_in_good_order(play: Play) -> None:
    """
    SIGINT comes first, so what handles it has the time to say good-bye.
    """

    async def scene() -> None:
        command = ["sh", "-c", "trap 'echo bye; exit 7' INT; echo ready; while :; do sleep 0.01; done"]
        async with open_children(grace_s=10) as children, children.open(command) as child:
            await ready(child)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(child.stop)
                assert await all_of(child) == "bye\n"
            assert await child.wait() == 7

    play(scene)


def test_sending_to_one_that_has_ended_says_so(play: Play) -> None:
    """
    No error, since its exit code says more.
    """

    async def scene() -> None:
        async with open_children() as children, children.open(["true"]) as child:
            await child.wait()
            assert not await child.send(b"x" * 1_000_000)
            await child.close_input()

    play(scene)


def test_none_outlives_a_bridge_that_is_killed(play: Play, lifeline: Lifeline) -> None:
    """
    SIGKILL to the bridge: its watchdog ends the family.
    """
    program = f"""
import anyio
from amtrio.bridges.children import open_children
async def main():
    async with open_children(grace_s=0.1) as children, children.open({stubborn(lifeline.path)!r}) as child:
        print((await child.receive()).decode(), flush=True)
        await anyio.sleep_forever()
anyio.run(main, backend="trio")
"""

    async def scene() -> None:
        async with await anyio.open_process([sys.executable, "-c", program], stderr=None) as bridge:
            assert bridge.stdout is not None
            assert b"ready" in await bridge.stdout.receive()
            os.kill(bridge.pid, signal.SIGKILL)
            with anyio.fail_after(10):
                await lifeline.all_gone()

    play(scene)
