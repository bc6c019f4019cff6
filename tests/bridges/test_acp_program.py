"""An ACP program's lives: starting, signing in, sessions over restarts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from amtrio.bridges.acp_program import Launch, open_programs
from amtrio.bridges.children import CannotStart, open_children
from amtrio.client import RunFailed, SlashCommand
from tests.bridges.acp_stage import open_stage
from tests.bridges.conftest import Lifeline, Play
from tests.bridges.families import stubborn

# A program to start per scene; that all of it runs under asyncio too, the tests of its pieces say.
pytestmark = pytest.mark.parametrize("play", ["trio"], indirect=True)


def test_sessions_outlive_the_program_and_the_bridge(play: Play, tmp_path: Path) -> None:
    """
    The program loads what it remembers; its replay of what was said is not said again.
    """

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            assert await stage.asked("one") == "1: one"
            assert await stage.asked("two") == "2: two"
        async with open_stage(tmp_path) as stage:
            assert await stage.asked("three") == "101: three"
            assert await stage.asked("other", "c2") == "1: other"

    play(scene)


def test_sessions_are_gone_on_with_where_the_program_can(play: Play, tmp_path: Path) -> None:
    """
    That spares it the replay.
    """

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            await stage.asked("one")
        async with open_stage(tmp_path, "--resume") as stage:
            assert await stage.asked("two") == "201: two"

    play(scene)


@pytest.mark.parametrize("how", [{"flags": ["--no-load"]}, {"state": False}])
def test_what_cannot_be_remembered_begins_anew(play: Play, tmp_path: Path, how: dict[str, Any]) -> None:
    """
    The program cannot load sessions, or nobody wrote down which.
    """

    async def scene() -> None:
        for _ in range(2):
            async with open_stage(tmp_path, *how.get("flags", ()), state=how.get("state", True)) as stage:
                assert await stage.asked("hello") == "1: hello"

    play(scene)


def test_a_session_that_the_program_has_forgotten_begins_anew(play: Play, tmp_path: Path) -> None:
    """
    With a word on the terminal.
    """

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            await stage.asked("one")
        for path in (tmp_path / "memory").iterdir():
            path.unlink()
        async with open_stage(tmp_path) as stage:
            assert await stage.asked("two") == "1: two"
            assert any("earlier session cannot be gone on with" in line for line in stage.noise)

    play(scene)


def test_it_is_signed_in_to_if_asked_for(play: Play, tmp_path: Path) -> None:
    """
    Without, the person learns what is missing, and the owner how to give it.
    """

    async def scene() -> None:
        async with open_stage(tmp_path, "--auth", auth_method="key") as stage:
            assert await stage.asked("hello") == "1: hello"
        async with open_stage(tmp_path, "--auth") as stage:
            with pytest.raises(RunFailed, match=r"wants you to sign in .* --auth-method, one of: key"):
                await stage.asked("hello", "c2")
        async with open_stage(tmp_path, "--auth", auth_method="magic") as stage:
            with pytest.raises(CannotStart, match="no method magic"):
                await stage.programs.running()

    play(scene)


def test_a_mode_is_set_for_each_session(play: Play, tmp_path: Path) -> None:
    """
    One that it does not know fails the message.
    """

    async def scene() -> None:
        async with open_stage(tmp_path, mode=" careful") as stage:
            assert await stage.asked("hello") == "1 careful: hello"
        async with open_stage(tmp_path, mode="no such mode") as stage:
            with pytest.raises(RunFailed, match="no such mode"):
                await stage.asked("hello", "c2")

    play(scene)


def test_its_commands_are_told(play: Play, tmp_path: Path) -> None:
    """
    As it lists them; the card shows them.
    """

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            await stage.asked("hello")
            assert stage.commands == [SlashCommand("web", "Search", "words")]
            assert "standin 1.0 is ready" in stage.noise

    play(scene)


@pytest.mark.parametrize(
    ("argv", "options", "words"),
    [
        (["no-such-program-here"], {}, "cannot start no-such-program-here"),
        (["sh", "-c", "echo no key >&2; exit 2"], {}, "sh failed with exit code 2:\nno key"),
        (["true"], {}, "true ended in the middle of its work"),
        (["sleep", "600"], {"start_s": 0.05}, r"sleep has not answered within 0\.05 s"),
        (["sh", "-c", """read x; echo '{"id":1,"result":{"protocolVersion":2}}'; sleep 600"""], {}, "another version"),
        (["sh", "-c", """read x; echo '{"id":1,"error":"what?"}'; sleep 600"""], {}, "sh: what[?]"),
    ],
)
def test_what_is_no_such_program_is_told_at_the_start(
    play: Play, tmp_path: Path, argv: Sequence[str], options: dict[str, Any], words: str
) -> None:
    """
    And nothing of it is left; the next try is a new one.
    """

    async def scene() -> None:
        async with (
            open_children(0.1) as children,
            open_programs(Launch(argv, tmp_path, **options), children) as programs,
        ):
            for _ in range(2):
                with pytest.raises(CannotStart, match=words):
                    await programs.running()

    play(scene)


def test_leaving_ends_the_whole_family(play: Play, tmp_path: Path, lifeline: Lifeline) -> None:
    """
    Wrappers that start the real program and forget it.
    """
    hello = """print('{"id":1,"result":{"protocolVersion":1}}', flush=True); time.sleep(600)"""

    async def scene() -> None:
        async with open_children(0.1) as children:
            async with open_programs(Launch(stubborn(lifeline.path, then=hello), tmp_path), children) as programs:
                await programs.running()
            await lifeline.all_gone()

    play(scene)


def test_a_session_in_advance_is_for_the_first_who_needs_one(play: Play, tmp_path: Path) -> None:
    """
    It shows at the start whether there can be any; the next one is begun when it is needed.
    """

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            await (await stage.programs.running()).prepare()
            await stage.asked("hello")
            await stage.asked("hello", "c2")
            begun = [frame for frame in stage.frames() if frame.get("method") == "session/new"]
            assert len(begun) == 2
        async with open_stage(tmp_path, "--auth") as stage:
            program = await stage.programs.running()
            with pytest.raises(CannotStart, match="--auth-method, one of: key"):
                await program.prepare()

    play(scene)
