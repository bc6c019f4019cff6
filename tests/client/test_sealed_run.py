"""Answers to encrypted messages, with the real server in between that must not learn what is said."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import msgspec
import pytest

from amtrio.client import Attachment, CannotEncrypt, Connection, Incoming, PlanItem, Run, RunFailed, Unreadable
from amtrio.client.turn import run_id_of
from tests.client.real_server import RealServer
from tests.client.secret_talk import published, secret_agent, talking
from tests.client.stage import Play, did, serving


def stored_bytes(directory: Path) -> bytes:
    """All that the server has written."""
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def test_nothing_that_is_said_is_on_the_wire_or_on_the_disk(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    Neither the question nor anything of the answer: not its text, thoughts, tools, plans, status, or what goes wrong.
    """

    async def reply(message: Incoming, run: Run) -> None:
        assert (message.encrypted, message.kind, message.content) == (True, None, "my s3cr3t question")
        await run.status("thinking about s3cr3t things")
        await run.plan([PlanItem("find the s3cr3t")])
        async with run.reasoning("s3cr3t thoughts") as thoughts:
            await thoughts.write("what a s3cr3t")
        async with run.tool("search", {"q": "s3cr3t"}) as tool:
            await tool.write("s3cr3t hits")
            tool.result = "s3cr3t"
        run.usage = {"about": "s3cr3t"}
        await run.write("my s3cr3t ")
        await run.write("answer")
        raise RunFailed("the s3cr3t is out")

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys") as vault, talking(real, tmp_path / "alice.keys") as talk:
            async with serving(secret_agent(real, reply, vault)):
                asked = await talk.send("my s3cr3t question")
                assert await talk.answer() == "my s3cr3t answer\n\nthe s3cr3t is out"
                await did(real.until, lambda: real.ended(run_id_of(asked)) is not None)
            (answer,) = real.messages(talk.room)
            assert (answer["kind"], answer["reply_to"]) == ("encrypted", asked)
            assert "run" not in answer

    play(scene)
    assert b"amtrio-1" in real.heard, "the wire was listened to"
    assert b"s3cr3t" not in real.heard
    assert "s3cr3t" not in str(real.phone)
    assert b"s3cr3t" not in stored_bytes(tmp_path / "server")


def test_a_long_answer_leaves_in_pieces_and_a_message_beside_it_at_once(
    real: RealServer, play: Play, tmp_path: Path
) -> None:
    """
    All of it encrypted; a plain message is answered in the clear by the same handler.
    """

    async def reply(message: Incoming, run: Run) -> None:
        if message.encrypted:
            await run.send("wait")
        await run.write("a line\n" * 10_000)

    async def scene() -> None:
        async with (
            published(real, tmp_path / "agent.keys") as vault,
            talking(real, tmp_path / "alice.keys") as talk,
            serving(secret_agent(real, reply, vault)),
        ):
            await talk.send("hello")
            assert await talk.answer() == "wait"
            pieces = [await talk.answer(), await talk.answer()]
            assert "".join(pieces) == "a line\n" * 10_000
            assert all(piece.endswith("\n") for piece in pieces)
            await talk.client.send("hello in the clear", conversation_id=talk.room)
            answer = await talk.posted()
            assert (answer.kind, answer.content) == (None, "a line\n" * 10_000)

    play(scene)


def test_what_cannot_be_said_encrypted_is_refused(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    Questions with buttons, and files that were not encrypted.
    """
    refused: list[str] = []

    async def reply(message: Incoming, run: Run) -> str:
        plain = Attachment(attachment_id="att_1", filename="notes.txt")
        for step in (partial(run.ask, "Yes?", ["Yes"]), partial(run.artifact, plain)):
            with pytest.raises(CannotEncrypt) as caught:
                await step()
            refused.append(str(caught.value))
        return "done"

    async def scene() -> None:
        async with (
            published(real, tmp_path / "agent.keys") as vault,
            talking(real, tmp_path / "alice.keys") as talk,
            serving(secret_agent(real, reply, vault)),
        ):
            await talk.send("hello")
            assert await talk.answer() == "done"

    play(scene)
    assert ["question" in refused[0], "file" in refused[1]] == [True, True]


def test_files_travel_encrypted_both_ways(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    The agent reads what came and hands over what it makes, from memory and from the disk; the server has neither the
    content nor a name, and sees sizes.
    """
    made = tmp_path / "s3cr3t plan.csv"
    made.write_bytes(b"# the s3cr3t\n" * 100_000)
    read: list[tuple[str, str, int, bytes]] = []

    async def reply(message: Incoming, run: Run) -> str:
        read.extend(
            [(each.filename, each.content_type, each.size, await run.download(each)) for each in message.attachments]
        )
        earlier = (await run.history())[-1]
        assert (earlier.content, earlier.attachments) == (message.content, message.attachments)
        await run.artifact(await run.upload(made))
        await run.artifact(await run.upload(b"s3cr3t \xff", filename="s3cr3t"))
        return "here"

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys") as vault, talking(real, tmp_path / "alice.keys") as talk:
            async with serving(secret_agent(real, reply, vault)):
                files = [
                    await talk.upload(b"my s3cr3t notes", filename="s3cr3t.txt"),
                    await talk.upload(b"", filename="s3cr3t", content_type="x/s3cr3t"),
                ]
                asked = await talk.send("look at this", files)
                answer = await talk.posted()
                await did(real.until, lambda: real.ended(run_id_of(asked)) is not None)
            opened = await talk.vault.open(answer)
            assert (opened.text, opened.missing) == ("here", ())
            assert [(each.filename, each.content_type, each.size) for each in opened.files] == [
                ("s3cr3t plan.csv", "text/csv", made.stat().st_size),
                ("s3cr3t", "application/octet-stream", 8),
            ]
            rest = talk.client.connection.rest
            assert [await rest.download(each) for each in opened.files] == [made.read_bytes(), b"s3cr3t \xff"]
            assert [(each.filename, each.content_type) for each in answer.attachments] == [
                ("encrypted", "application/octet-stream")
            ] * 2
            # One of the server's: it may show any file in the place of another.
            exchanged = msgspec.structs.replace(opened.files[0], attachment_id=opened.files[1].attachment_id)
            with pytest.raises(Unreadable, match="tampered"):
                await rest.download(exchanged)

    play(scene)
    assert read == [
        ("s3cr3t.txt", "text/plain", 15, b"my s3cr3t notes"),
        ("s3cr3t", "x/s3cr3t", 0, b""),
    ]
    assert b"s3cr3t" not in real.heard
    assert "s3cr3t" not in str(real.phone)
    assert b"s3cr3t" not in stored_bytes(tmp_path / "server")


def test_a_file_that_the_server_lost_is_told_to_both(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    The handler hears its name; whoever runs the agent, that there is one.
    """
    lines: list[str] = []

    async def reply(message: Incoming, run: Run) -> str:
        return f"{len(message.attachments)} there, {message.missing_files} missing"

    async def scene() -> None:
        lines.clear()
        async with (
            published(real, tmp_path / "agent.keys") as vault,
            talking(real, tmp_path / "alice.keys") as talk,
            serving(secret_agent(real, reply, vault, lines.append)),
        ):
            files = [await talk.upload(b"one", filename="one.txt"), await talk.upload(b"two", filename="two.txt")]
            fields = await talk.vault.seal(talk.room, "look", files)
            await talk.post({**fields, "attachment_ids": [files[0].attachment_id]})
            assert await talk.answer() == "1 there, ['two.txt'] missing"
        assert any("lacks 1 files" in line and "two" not in line for line in lines)

    play(scene)


def test_the_stop_button_works_and_what_was_written_is_sent(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    The run is there for that alone, and leaves nothing.
    """
    writing = anyio.Event()

    async def endless(message: Incoming, run: Run) -> None:
        await run.write("so far")
        writing.set()
        await anyio.sleep_forever()

    async def scene() -> None:
        nonlocal writing
        writing = anyio.Event()
        async with (
            published(real, tmp_path / "agent.keys") as vault,
            talking(real, tmp_path / "alice.keys") as talk,
            serving(secret_agent(real, endless, vault)),
        ):
            asked = await talk.send("go on for ever")
            await writing.wait()
            await talk.client.stop(run_id_of(asked))
            assert await talk.answer() == "so far"
            await did(real.until, lambda: real.ended(run_id_of(asked)) is not None)
        ended = real.ended(run_id_of(asked))
        assert ended is not None
        assert (ended["outcome"], "message_id" in ended) == ("stopped", False)

    play(scene)


def test_an_agent_that_is_ended_sends_what_it_has(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    And the message is not handled again in its next life.
    """
    writing = anyio.Event()
    handled: list[str] = []

    async def reply(message: Incoming, run: Run) -> None:
        handled.append(message.content)
        await run.write(f"about {message.content}")
        writing.set()
        if message.content == "first":
            await anyio.sleep_forever()

    async def scene() -> None:
        nonlocal writing
        writing = anyio.Event()
        async with published(real, tmp_path / "agent.keys") as vault, talking(real, tmp_path / "alice.keys") as talk:
            async with serving(secret_agent(real, reply, vault)):
                await talk.send("first")
                await writing.wait()
            assert await talk.answer() == "about first"
            async with serving(secret_agent(real, reply, vault)):
                await talk.send("second")
                assert await talk.answer() == "about second"

    play(scene)
    assert handled == ["first", "second"]


def test_an_answer_that_died_with_its_process_says_so_encrypted(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    The handler is not run a second time, since nobody knows what it had done.
    """

    async def never(message: Incoming, run: Run) -> None:
        raise AssertionError

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys") as vault, talking(real, tmp_path / "alice.keys") as talk:
            asked = await talk.send("hello")
            async with Connection(real.url, token=real.agent_token, agent_id="demo", confirm="manual") as earlier_life:
                fields = {"run_id": run_id_of(asked), "conversation_id": talk.room, "reply_to": asked}
                await earlier_life.send("run_start", **fields)
            async with serving(secret_agent(real, never, vault)):
                assert "restarted" in await talk.answer()
                await did(real.until, lambda: real.ended(run_id_of(asked)) is not None)
        assert [each["kind"] for each in real.messages(talk.room)] == ["encrypted"]

    play(scene)


def test_history_is_readable_and_leaves_out_what_is_not(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    One's own words, hers, and what was said in the clear; not what somebody else sealed.
    """
    found: list[list[str]] = []

    async def reply(message: Incoming, run: Run) -> str:
        found.append([each.content for each in await run.history()])
        return f"heard {message.content}"

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys") as vault, talking(real, tmp_path / "alice.keys") as talk:
            await talk.client.send("in the clear", conversation_id=talk.room)
            foreign = {"ciphertext": "AAAA", "algorithm": "opaque", "sender_device_id": "phone"}
            async with serving(secret_agent(real, reply, vault)):
                assert (await talk.posted()).content == "heard in the clear"
                await talk.post(foreign)
                await talk.send("one")
                assert await talk.answer() == "heard one"
                await talk.send("two")
                assert await talk.answer() == "heard two"

    play(scene)
    assert found[2] == ["in the clear", "heard in the clear", "one", "heard one", "two"]
