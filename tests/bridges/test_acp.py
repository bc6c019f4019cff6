"""Turns with an agent of the Agent Client Protocol: a stand-in made with the protocol's SDK, as a process of its own.

Every frame that the bridge sends in these scenes is read by the SDK's schema.
"""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from amtrio.client import RunFailed
from tests.bridges.acp_stage import open_stage
from tests.bridges.conftest import Play
from tests.bridges.endpoint import Request, Wire, open_endpoint
from tests.bridges.stage import Note, Record
from tests.bridges.test_files import upload

# A program to start per scene; that all of it runs under asyncio too, the tests of its pieces say.
pytestmark = pytest.mark.parametrize("play", ["trio"], indirect=True)


def played(play: Play, folder: Path, content: str, run: Record | None = None) -> Record:
    run = run or Record()

    async def scene() -> None:
        async with open_stage(folder) as stage:
            await stage.acp.handle(Note(content), run)

    play(scene)
    return run


def test_words_and_thoughts_stream_in(play: Play, tmp_path: Path) -> None:
    """
    Each as what it is, and the tokens are told.
    """
    run = played(play, tmp_path, "hello there")
    assert [(part.kind, part.text) for part in run.parts] == [("reasoning", "Hm. I see."), ("text", "1: hello there")]
    assert run.usage == {"totalTokens": 7, "inputTokens": 3, "outputTokens": 4}


def test_a_tool_shows_its_change_and_its_result(play: Play, tmp_path: Path) -> None:
    """
    What programs repeat with every update is shown once.
    """
    tool, text = played(play, tmp_path, "tool").parts
    assert tool.meta == {
        "name": "edit",
        "title": "Edit a.py",
        "state": "done",
        "arguments": {"path": "a.py"},
        "result": {"output": {"ok": 1}, "locations": [{"path": "/tmp/a.py", "line": 3}]},
    }
    assert tool.text.splitlines()[3:] == ["-old", "+new", " same", "done"]
    assert text.text == "Edited."


def test_a_plan_is_one_part(play: Play, tmp_path: Path) -> None:
    """
    With the states that the protocol of runs knows.
    """
    (plan,) = played(play, tmp_path, "plan").parts
    assert plan.meta == {"items": [{"text": "look", "state": "done"}, {"text": "leap", "state": "running"}]}


def test_a_permission_is_asked_of_the_person(play: Play, tmp_path: Path) -> None:
    """
    A button per option, the exact command, and the tap goes back.
    """
    run = played(play, tmp_path, "ask", Record(choose=lambda options: options[1].id))
    (content, options) = run.questions[0]
    assert content == "rm -rf build\n\n```\nrm -rf build dist\n```"
    assert [(option.label, option.style) for option in options] == [("Allow", "primary"), ("Reject", "default")]
    assert run.text == "outcome: no/once"


def test_a_question_that_nobody_answers_is_cancelled(play: Play, tmp_path: Path) -> None:
    """
    It expired, or somebody closed it.
    """
    assert played(play, tmp_path, "ask", Record(choose=lambda _: None)).text == "outcome: cancelled"


def test_stopping_cancels_the_turn_in_good_order(play: Play, tmp_path: Path) -> None:
    """
    What the program still says is shown, its unfinished tools have failed, and its session goes on.
    """
    run = Record()

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stage.acp.handle, Note("wait"), run)
                await run.until(lambda run: run.text == "waiting")
                tasks.cancel_scope.cancel()
            assert run.text == "waiting, cancelled"
            assert [part.meta["state"] for part in run.of("tool")] == ["failed"]
            assert await stage.asked("go on") == "2: go on"

    play(scene)


def test_stopping_cancels_an_open_question(play: Play, tmp_path: Path) -> None:
    """
    The protocol wants it answered before the turn ends.
    """
    run = Record(choose=lambda _: "never")

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stage.acp.handle, Note("ask"), run)
                await run.until(lambda run: bool(run.questions))
                tasks.cancel_scope.cancel()
            assert run.text == "outcome: cancelled"

    play(scene)


def test_a_program_that_ignores_the_stop_is_ended(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The next message gets a new one, and a session of its own.
    """
    monkeypatch.setattr("amtrio.bridges.acp._CANCELLED_WITHIN_S", 0.1)
    run = Record()

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stage.acp.handle, Note("stubborn"), run)
                await run.until(lambda run: run.text == "never")
                tasks.cancel_scope.cancel()
            assert await stage.asked("hello") == "1: hello"

    play(scene)


def test_one_stuck_conversation_does_not_end_another(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The program lives on for the others; only the stuck session is given up.
    """
    monkeypatch.setattr("amtrio.bridges.acp._CANCELLED_WITHIN_S", 0.1)
    stuck, other = Record(), Record()

    async def scene() -> None:
        async with open_stage(tmp_path) as stage, anyio.create_task_group() as others:
            others.start_soon(stage.acp.handle, Note("wait", conversation_id="c2"), other)
            await other.until(lambda run: run.text == "waiting")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stage.acp.handle, Note("stubborn"), stuck)
                await stuck.until(lambda run: run.text == "never")
                tasks.cancel_scope.cancel()
            assert await stage.asked("hello") == "1: hello"
            others.cancel_scope.cancel()

    play(scene)
    assert other.text == "waiting, cancelled"


def test_conversations_do_not_mix(play: Play, tmp_path: Path) -> None:
    """
    A session each, in one program, at the same time.
    """
    runs = {f"c{number}": Record() for number in range(5)}

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            async with anyio.create_task_group() as tasks:
                for conversation_id, run in runs.items():
                    tasks.start_soon(stage.acp.handle, Note(conversation_id, conversation_id=conversation_id), run)
            assert len([frame for frame in stage.frames() if frame.get("method") == "initialize"]) == 1

    play(scene)
    assert {name: run.text for name, run in runs.items()} == {name: f"1: {name}" for name in runs}


def test_a_program_that_dies_fails_the_run_and_is_started_again(play: Play, tmp_path: Path) -> None:
    """
    With its last words; the conversation goes on where the program remembers it.
    """
    run = Record()

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            with pytest.raises(RunFailed, match=r"failed with exit code 9:\nout of memory"):
                await stage.acp.handle(Note("die"), run)
            assert await stage.asked("hello") == "101: hello"

    play(scene)
    assert run.text in {"farewell", ""}


def test_noise_on_its_output_is_no_matter(play: Play, tmp_path: Path) -> None:
    """
    It goes to the terminal, not to the person.
    """

    async def scene() -> None:
        async with open_stage(tmp_path) as stage:
            assert await stage.asked("noise") == "quiet"
            assert "Warning: a library speaks" in stage.noise
            assert '["no", "object"]' in stage.noise

    play(scene)


def test_our_files_are_not_for_it(play: Play, tmp_path: Path) -> None:
    """
    What was not offered is refused as unknown; it has its own eyes.
    """
    assert played(play, tmp_path, "read").text == "refused: -32601"


def test_an_error_is_told_in_its_words(play: Play, tmp_path: Path) -> None:
    """
    Those of the details too; the program lives on.
    """
    with pytest.raises(RunFailed, match=r"python.*: Internal error: the model is away"):
        played(play, tmp_path, "fail")


def test_an_early_end_is_told(play: Play, tmp_path: Path) -> None:
    """
    As a status beside what was said, as a failure if nothing was.
    """
    run = played(play, tmp_path, "long")
    assert (run.text, run.statuses) == ("so long", ["the answer has reached the model's length limit"])
    with pytest.raises(RunFailed, match="refuses to go on"):
        played(play, tmp_path, "refuse")


def test_pictures_become_files_of_the_answer(play: Play, tmp_path: Path) -> None:
    """
    What is none is told aside.
    """
    run = played(play, tmp_path, "picture")
    assert (run.uploads, run.artifacts) == ([(b"PNG", "picture.png", "image/png")], ["att_1"])


def test_attachments_go_along(play: Play, tmp_path: Path) -> None:
    """
    Pictures as such, other files as links to where they lie.
    """
    run = Record()

    async def answer(request: Request, wire: Wire) -> None:
        await wire.answer(200, request.target[-1])

    async def scene() -> None:
        async with open_endpoint(answer) as server, open_stage(tmp_path, server=server.url) as stage:
            files = [upload("att_1"), upload("att_2", "notes.txt", "text/plain")]
            await stage.acp.handle(Note("", attachments=files), run)

    play(scene)
    assert run.text == "[image image/jpeg MQ==][link notes.txt 2]"
