"""One process per conversation, from its first message to its idle end."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.bridges.children import open_children
from amtrio.bridges.command import Program
from amtrio.bridges.files import Files
from amtrio.bridges.sessions import Ending, MarkedText, Sessions, open_sessions
from amtrio.client import RunFailed
from tests.bridges.conftest import Lifeline, Play
from tests.bridges.families import stubborn
from tests.bridges.stage import Note, Record

DOT = Ending(marker=".")
# Counts what it is told, remembers it, and knows a few words. Says `.` when it has answered.
COUNTER = """
import signal, sys, time
count = 0
def interrupted(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupted)
for line in sys.stdin:
    count += 1
    word = line.strip()
    if word == "die":
        print("farewell", flush=True)
        print("out of paper", file=sys.stderr)
        sys.exit(4)
    if word == "leave":
        print("bye", flush=True)
        sys.exit(0)
    try:
        print(f"{count}: {word}", flush=True)
        if word == "wait":
            time.sleep(600)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    print(".", flush=True)
"""
# The same in JSON lines.
JSON_COUNTER = """
import json, sys
print('{"amtrio":1}', flush=True)
for count, line in enumerate(sys.stdin, start=1):
    message = json.loads(line)
    if message["text"] == "fail":
        print(json.dumps({"type": "error", "text": "I failed"}), flush=True)
        continue
    print(json.dumps({"type": "text", "text": f"{count}: {message['text']}"}))
    print(json.dumps({"type": "end"}), flush=True)
"""


@asynccontextmanager
async def open_program(*argv: str, ending: Ending = DOT, **options: Any) -> AsyncIterator[Sessions]:
    idle_s = options.pop("idle_s", 900.0)
    async with open_children(grace_s=0.2) as children, httpx.AsyncClient() as http:
        files = Files(http, "http://localhost", "agt_secret", "helper")
        async with open_sessions(Program(argv, **options), ending, children, files, idle_s=idle_s) as sessions:
            yield sessions


def counter(**options: Any) -> Any:
    return open_program(sys.executable, "-c", COUNTER, **options)


async def asked(sessions: Sessions, content: str, conversation_id: str = "c1") -> str:
    run = Record()
    await sessions.handle(Note(content, conversation_id=conversation_id), run)
    return run.text


def test_a_conversation_has_one_process(play: Play) -> None:
    """
    It remembers; another conversation has another.
    """

    async def scene() -> None:
        async with counter() as sessions:
            assert await asked(sessions, "one") == "1: one\n"
            assert await asked(sessions, "two") == "2: two\n"
            assert await asked(sessions, "other", "c2") == "1: other\n"
            assert await asked(sessions, "three") == "3: three\n"

    play(scene)


def test_silence_can_end_an_answer(play: Play) -> None:
    """
    Counted from the first output on: a program may think as long as it likes.
    """

    async def scene() -> None:
        script = 'while read word; do sleep 0.3; echo "$word!"; done'
        async with open_program("sh", "-c", script, ending=Ending(quiet_s=0.05)) as sessions:
            assert await asked(sessions, "one") == "one!\n"
            assert await asked(sessions, "two") == "two!\n"

    play(scene)


def test_json_lines_say_when_the_answer_ends(play: Play) -> None:
    """
    The greeting comes once. An error is a whole answer, and the process lives on.
    """

    async def scene() -> None:
        program = open_program(sys.executable, "-c", JSON_COUNTER, ending=Ending(), sends_json=True)
        async with program as sessions:
            assert await asked(sessions, "one") == "1: one"
            with pytest.raises(RunFailed, match="I failed"):
                await asked(sessions, "fail")
            assert await asked(sessions, "three\nlines\nhere") == "3: three\nlines\nhere"

    play(scene)


def test_a_stopped_answer_need_not_end_the_process(play: Play) -> None:
    """
    It is interrupted as by Ctrl-C; if it then ends its answer, it keeps its memory.
    """
    run = Record()

    async def scene() -> None:
        async with counter() as sessions:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(sessions.handle, Note("wait"), run)
                await run.until(lambda run: run.text == "1: wait\n")
                tasks.cancel_scope.cancel()
            assert await asked(sessions, "go on") == "2: go on\n"

    play(scene)
    assert run.text == "1: wait\n"


def test_one_that_does_not_heed_is_ended_with_all_its_family(play: Play, lifeline: Lifeline) -> None:
    """
    The next message gets a new process.
    """
    run = Record()

    async def scene() -> None:
        async with open_program(*stubborn(lifeline.path)) as sessions:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(sessions.handle, Note(), run)
                await run.until(lambda run: "ready" in run.text)
                tasks.cancel_scope.cancel()
            await lifeline.all_gone()

    play(scene)


def test_leaving_ends_every_process(play: Play, lifeline: Lifeline) -> None:
    """
    Those that wait for their next message too.
    """

    async def scene() -> None:
        async with open_program(*stubborn(lifeline.path), ending=Ending(marker="ready")) as sessions:
            assert await asked(sessions, "hello") == ""
        await lifeline.all_gone()

    play(scene)


def test_an_idle_process_is_ended(play: Play, lifeline: Lifeline) -> None:
    """
    Its conversation begins anew with the next message.
    """

    async def scene() -> None:
        program = open_program(*stubborn(lifeline.path), ending=Ending(marker="ready"), idle_s=0.05)
        async with program as sessions:
            assert await asked(sessions, "hello") == ""
            await lifeline.all_gone()

    play(scene)


def test_a_process_that_dies_fails_its_answer_and_is_started_again(play: Play) -> None:
    """
    With its last words; what it had said stays. An end in good order is an end of the answer.
    """
    run = Record()

    async def scene() -> None:
        async with counter() as sessions:
            await asked(sessions, "one")
            with pytest.raises(RunFailed, match=r"failed with exit code 4:\nout of paper"):
                await sessions.handle(Note("die"), run)
            assert await asked(sessions, "again") == "1: again\n"
            assert await asked(sessions, "leave") == "bye\n"
            assert await asked(sessions, "and again") == "1: and again\n"

    play(scene)
    assert run.text == "farewell\n"


def test_too_long_is_broken_off_and_the_process_lives_on_if_it_can(play: Play) -> None:
    """
    As if the person had stopped it, and with a sentence.
    """

    async def scene() -> None:
        async with counter(timeout_s=1.0) as sessions:
            with pytest.raises(RunFailed, match=r"took longer than 1 s"):
                await asked(sessions, "wait")
            assert await asked(sessions, "go on") == "2: go on\n"

    play(scene)


def test_a_program_that_is_not_there_fails_the_run(play: Play) -> None:
    """
    And not the bridge.
    """

    async def scene() -> None:
        async with open_program("no-such-program-here") as sessions:
            for _ in range(2):
                with pytest.raises(RunFailed, match="cannot start no-such-program"):
                    await asked(sessions, "hello")

    play(scene)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["END", "EN", "ENDE", "", "x", " END"])),
    st.integers(1, 5),
    st.sampled_from(["\n", "\r\n"]),
)
def test_the_marker_is_found_however_it_is_cut(lines: list[str], cut: int, end: str) -> None:
    """
    All text before the first line that is the marker is shown, nothing of it or after it.
    """
    told = "".join(line + end for line in [*lines, "END"])
    text, shown, is_over = MarkedText("END"), "", False
    for start in range(0, len(told), cut):
        if not is_over:
            more, is_over = text.feed(told[start : start + cut])
            shown += more
    before = [*lines, "END"][: [*lines, "END"].index("END")]
    assert (shown, is_over) == ("".join(line + end for line in before), True)


def test_only_what_may_become_the_marker_is_held_back() -> None:
    """
    The rest of a line is shown as it comes.
    """
    text = MarkedText("END")
    assert text.feed("Hel") == ("Hel", False)
    assert text.feed("lo\nE") == ("lo\n", False)
    assert text.feed("N") == ("", False)
    assert text.feed("T") == ("ENT", False)
    assert MarkedText(None).feed("END\n") == ("END\n", False)
