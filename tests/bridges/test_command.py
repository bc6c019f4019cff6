"""A program that is asked once per message."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from amtrio.bridges.children import CannotStart, open_children
from amtrio.bridges.command import Command, Program, check
from amtrio.bridges.files import Files
from amtrio.client import RunFailed
from tests.bridges.conftest import Lifeline, Play
from tests.bridges.endpoint import Request, Wire, open_endpoint
from tests.bridges.families import stubborn
from tests.bridges.stage import Note, Record
from tests.bridges.test_files import upload


@asynccontextmanager
async def open_command(*argv: str, server: str = "http://localhost", **options: Any) -> AsyncIterator[Command]:
    async with open_children(grace_s=0.2) as children, httpx.AsyncClient() as http:
        files = Files(http, server, "agt_secret", "helper")
        yield Command(Program(argv, **options), children, files, lambda _line: None)


def answered(play: Play, *argv: str, message: Note | None = None, **options: Any) -> Record:
    run = Record()

    async def scene() -> None:
        async with open_command(*argv, **options) as command:
            await command.handle(message or Note(), run)

    play(scene)
    return run


def test_the_message_is_standard_input_and_the_output_the_answer(play: Play) -> None:
    """
    As any filter has it.
    """
    assert answered(play, "tr", "a-z", "A-Z", message=Note("hello\nthere")).text == "HELLO\nTHERE\n"


def test_the_message_can_be_an_argument(play: Play) -> None:
    """
    Anywhere in it, once or more; the standard input is then empty. No shell reads it.
    """
    run = answered(play, "printf", "%s|", "{message}", "to: {message}!", message=Note("$(id) 'x'"))
    assert run.text == "$(id) 'x'|to: $(id) 'x'!|"
    assert answered(play, "sh", "-c", "cat; echo end", "{message}").text == "end\n"


@pytest.mark.parametrize(
    ("argument", "content", "passed"),
    [
        ("{message}", "--dangerous", " --dangerous"),
        ("--prompt={message}", "--dangerous", "--prompt=--dangerous"),
        ("{message}", "a\0b", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_a_message_cannot_become_an_option(argument: str, content: str, passed: str) -> None:
    """
    Whoever may write to the agent may not configure the program.
    """
    assert Program(("ask", argument)).command(content) == ["ask", passed]


def test_who_asks_stands_in_the_environment(play: Play) -> None:
    """
    Conversation, person and message.
    """
    script = 'echo "$AMTRIO_CONVERSATION_ID $AMTRIO_USER_ID $AMTRIO_MESSAGE_ID [$AMTRIO_ATTACHMENTS]"'
    assert answered(play, "sh", "-c", script).text == "c1 alice m1 []\n"


def test_it_can_be_told_all_as_json(play: Play) -> None:
    """
    One line with what the message event has.
    """
    run = answered(play, "cat", sends_json=True, message=Note("hi", reply_to="m0", metadata={"a": 1}))
    assert json.loads(run.text) == {
        "type": "message",
        "message_id": "m1",
        "conversation_id": "c1",
        "user_id": "alice",
        "text": "hi",
        "created_at": "2026-11-22T12:00:00.000Z",
        "reply_to": "m0",
        "metadata": {"a": 1},
        "attachments": [],
    }


def test_files_lie_ready_for_it(play: Play) -> None:
    """
    One path per line.
    """
    run = Record()

    async def answer(request: Request, wire: Wire) -> None:
        await wire.answer(200, request.target)

    async def scene() -> None:
        async with (
            open_endpoint(answer) as server,
            open_command(
                "sh", "-c", 'cat $AMTRIO_ATTACHMENTS; basename "$AMTRIO_ATTACHMENTS"', server=server.url
            ) as it,
        ):
            await it.handle(Note(attachments=[upload(filename="notes.txt")]), run)

    play(scene)
    assert run.text == "/attachments/att_1notes.txt\n"


def test_output_is_seen_as_it_comes(play: Play, tmp_path: Path) -> None:
    """
    The first words arrive while the program is still waiting, and half a character waits for its other half.
    """
    run = Record()
    go = tmp_path / "go"
    os.mkfifo(go)

    async def scene() -> None:
        script = rf"printf 'caf\303'; read word <'{go}'; printf '\251 noir'"
        async with open_command("sh", "-c", script) as command, anyio.create_task_group() as tasks:
            tasks.start_soon(command.handle, Note(), run)
            await run.until(lambda run: run.text == "caf")
            await anyio.Path(go).write_text("now\n")
        assert run.text == "café noir"

    play(scene)


def test_json_lines_are_shown_as_what_they_are(play: Play) -> None:
    """
    After the greeting; what they mean stands in the tests of the dialect.
    """
    lines = ['{"amtrio":1}', '{"type":"tool","name":"date"}', "a stray line", '{"type":"text","text":"Sunday"}']
    run = answered(play, "printf", r"%s\n", *lines)
    assert [(part.kind, part.text) for part in run.parts] == [("tool", ""), ("text", "Sunday")]


def test_an_end_among_json_lines_ends_it(play: Play) -> None:
    """
    The program need not end for that; it is ended.
    """
    script = """echo '{"amtrio":1}'; echo '{"type":"text","text":"done"}'; echo '{"type":"end"}'; sleep 600"""
    assert answered(play, "sh", "-c", script).text == "done"


def test_a_failure_tells_the_last_words(play: Play) -> None:
    """
    The exit code or the signal, and the end of standard error; what was printed before stays.
    """
    run = Record()

    async def scene() -> None:
        for script, words in (
            ("echo half; echo no paper >&2; exit 3", r"sh failed with exit code 3:\nno paper"),
            ("exit 1", r"sh failed with exit code 1$"),
            ("kill -KILL $$", r"sh was ended by SIGKILL$"),
        ):
            async with open_command("sh", "-c", script) as command:
                with pytest.raises(RunFailed, match=words):
                    await command.handle(Note(), run)

    play(scene)
    assert run.text == "half\n"


def test_an_error_among_json_lines_fails_it(play: Play) -> None:
    """
    With its own words, in no group.
    """
    with pytest.raises(RunFailed, match=r"^no paper$"):
        answered(play, "printf", r"%s\n", '{"amtrio":1}', '{"type":"error","text":"no paper"}')


def test_a_program_that_is_not_there_fails_the_run(play: Play) -> None:
    """
    And not the bridge.
    """
    with pytest.raises(RunFailed, match=r"cannot start no-such-program"):
        answered(play, "no-such-program-here")


def test_too_long_is_broken_off(play: Play) -> None:
    """
    The sentence says after how long.
    """
    with pytest.raises(RunFailed, match=r"sleep took longer than 0\.1 s"):
        answered(play, "sleep", "600", timeout_s=0.1)


def test_a_long_message_and_a_long_answer_do_not_wait_for_each_other(play: Play) -> None:
    """
    `cat` writes while it reads; both pipes are fuller than a pipe can be.
    """
    long = "x" * 400_000
    assert answered(play, "cat", message=Note(long)).text == f"{long}\n"


def test_a_program_need_not_read_its_message(play: Play) -> None:
    """
    However long that is.
    """
    assert answered(play, "echo", "hi", message=Note("x" * 1_000_000)).text == "hi\n"


def test_stopping_ends_the_whole_family(play: Play, lifeline: Lifeline) -> None:
    """
    A run that is stopped is a handler that is cancelled; what was written stays written.
    """
    run = Record()

    async def scene() -> None:
        async with open_command(*stubborn(lifeline.path)) as command, anyio.create_task_group() as tasks:
            tasks.start_soon(command.handle, Note(), run)
            await run.until(lambda run: "ready\n" in run.text)
            tasks.cancel_scope.cancel()
        await lifeline.all_gone()
        assert run.text == "ready\n"

    play(scene)


def test_a_program_is_looked_for_before_anybody_asks(tmp_path: Path) -> None:
    """
    By its name, or from the folder that it will run in.
    """
    script = tmp_path / "answer.sh"
    script.write_text("#!/bin/sh\n")
    check(Program(("sh",)))
    for program in (Program(("no-such-program-here",)), Program(("./answer.sh",), tmp_path)):
        with pytest.raises(CannotStart, match="there is no such program, or it may not be run"):
            check(program)
    script.chmod(0o700)
    check(Program(("./answer.sh",), tmp_path))
    check(Program((str(script),)))


def test_the_last_words_are_kept_if_there_are_too_many(play: Play) -> None:
    """
    An error has room for 500 characters, and the last lines say most.
    """
    script = 'for n in $(seq 1 8); do printf "%s %s\\n" $n "$(printf "%0100d" 0)" >&2; done; exit 1'
    with pytest.raises(RunFailed) as caught:
        answered(play, "sh", "-c", script)
    assert len(str(caught.value)) <= 500
    assert [line.split()[0] for line in str(caught.value).splitlines()[1:]] == ["6", "7", "8"]
