"""Which message is handled when, against a small server, under asyncio and Trio alike."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel

from amtrio.client import Incoming, MemoryCursors, Run
from amtrio.client.turn import run_id_of
from amtrio.client.vault import Vault
from tests.client.fake_runs import Refusal
from tests.client.fake_server import FakeServer
from tests.client.stage import Play, an_agent, did, has_ended, order, said, seen, serving, the_run, write


def conversations(server: FakeServer, count: int) -> list[str]:
    return [server.do(lambda: str(server.conversation(title="another")["conversation_id"])) for _ in range(count)]


def test_messages_of_one_conversation_are_handled_one_after_the_other(server: FakeServer, play: Play) -> None:
    """
    In order, while other conversations go on.
    """
    story: list[str] = []

    async def slow(message: Incoming, run: Run) -> None:
        story.append(f"{message.content} begins")
        if message.content == "first":
            await may_end.wait()
        story.append(f"{message.content} ends")

    may_end = anyio.Event()

    async def scene() -> None:
        nonlocal may_end
        may_end = anyio.Event()
        one, other = await did(conversations, server, 2)
        await did(write, server, "first", one)
        second = await did(write, server, "second", one)
        elsewhere = await did(write, server, "elsewhere", other)
        async with serving(an_agent(server, slow)):
            await seen(server, lambda: has_ended(server, elsewhere))
            may_end.set()
            await seen(server, lambda: has_ended(server, second))

    play(scene)
    assert [each for each in story if "elsewhere" not in each] == [
        "first begins",
        "first ends",
        "second begins",
        "second ends",
    ]
    assert story.index("elsewhere ends") < story.index("first ends")


def test_no_more_conversations_at_once_than_wanted(server: FakeServer, play: Play) -> None:
    """
    The others wait for their turn; their runs are not opened before.
    """
    running = 0
    both, may_end = anyio.Event(), anyio.Event()

    async def count(message: Incoming) -> None:
        nonlocal running
        running += 1
        if running == 2:
            both.set()
        await may_end.wait()
        running -= 1

    async def scene() -> None:
        nonlocal both, may_end
        both, may_end = anyio.Event(), anyio.Event()
        asked = [await did(write, server, "go", each) for each in await did(conversations, server, 6)]
        async with serving(an_agent(server, count, concurrency=2)):
            await both.wait()
            await did(server.cut_all)
            await seen(server, lambda: server.runs.cards == 2)
            assert (running, len(server.runs.runs)) == (2, 2)
            may_end.set()
            await seen(server, lambda: all(has_ended(server, each) for each in asked))

    play(scene)


def test_a_queued_message_that_is_withdrawn_is_never_handled(server: FakeServer, play: Play) -> None:
    """
    Whether the news of it comes before its turn or the server says so when it is taken.
    """
    handled: list[str] = []
    may_end = anyio.Event()

    async def slow(message: Incoming, run: Run) -> None:
        handled.append(message.content)
        if message.content == "first":
            await may_end.wait()

    async def scene() -> None:
        nonlocal may_end
        may_end = anyio.Event()
        first = await did(write, server, "first")
        async with serving(an_agent(server, slow)):
            await seen(server, lambda: run_id_of(first) in server.runs.runs)
            queued = [await did(write, server, content) for content in ("second", "third")]
            assert server.stored(queued[0])["queued"]
            await did(partial(order, server, "message_withdraw", message_id=queued[0]))
            may_end.set()
            await seen(server, lambda: has_ended(server, queued[1]))
            assert "queued" not in server.stored(queued[1])

    play(scene)
    assert handled == ["first", "third"]


def test_a_waiting_message_that_is_edited_is_handled_as_it_reads_then(server: FakeServer, play: Play) -> None:
    """
    Not as it was.
    """
    handled: list[str] = []

    async def slow(message: Incoming, run: Run) -> None:
        handled.append(message.content)
        if message.content == "first":
            await run.ask("Go on?", ["Yes"])

    def edit(message_id: str) -> None:
        data = {"message_id": message_id, "content": "better", "client_id": "edit-of-16-letters"}
        server.do(lambda: server.command(server.account("u:alice"), "edit", data))

    async def scene() -> None:
        await did(write, server, "first")
        async with serving(an_agent(server, slow)):
            await seen(server, lambda: len(said(server)) == 1)
            second = await did(write, server, "second")
            await did(edit, second)
            await did(partial(order, server, "answer", message_id="m2", option_ids=["Yes"]))
            await seen(server, lambda: has_ended(server, second))

    play(scene)
    assert handled == ["first", "better"]


def test_own_deleted_and_unreadable_messages_are_none_for_the_handler(server: FakeServer, play: Play) -> None:
    """
    Encrypted ones only where the handler asks for them.
    """
    handled: list[tuple[str, str | None]] = []

    async def note(message: Incoming) -> None:
        handled.append((message.content, message.kind))

    def tell(number: int, **fields: object) -> None:
        message = {"message_id": f"x{number}", "conversation_id": "c1", "conversation_seq": number}
        sender = {"sender_type": "client", "sender_id": "alice", "content": str(number)}
        server.announce("a:demo", "message", {**message, **sender, **fields})

    async def scene() -> None:
        await did(server.do, server.conversation)
        await did(partial(tell, 1, sender_type="agent", sender_id="demo"))
        await did(partial(tell, 2, deleted=True))
        await did(partial(tell, 3, kind="encrypted"))
        asked = await did(write, server, "plain", "c1")
        async with serving(an_agent(server, note)):
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert handled == [("plain", None)]


def test_encrypted_messages_reach_a_handler_that_asks_for_them(server: FakeServer, play: Play) -> None:
    """
    The kind says what `content` is.
    """
    handled: list[tuple[str, str | None]] = []

    async def note(message: Incoming) -> None:
        handled.append((message.content, message.kind))

    async def scene() -> None:
        agent = an_agent(server)
        agent.on_message(accept_encrypted=True)(note)
        asked = await did(write, server, "3q2+7w==")
        await did(server.do, lambda: server.account("a:demo").log[-1]["data"].update(kind="encrypted"))
        async with serving(agent):
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert handled == [("3q2+7w==", "encrypted")]


def test_what_cannot_be_opened_is_passed_over_and_reported(server: FakeServer, play: Play, tmp_path: Path) -> None:
    """
    Nothing is answered to it; it waits for nobody any more, and the next one is handled.
    """
    handled: list[str] = []
    reports: list[str] = []

    async def note(message: Incoming) -> None:
        handled.append(message.content)

    async def scene() -> None:
        passed = await did(write, server, "AQAB")
        sealed = {"kind": "encrypted", "queued": True, "encryption": {"message_type": "amtrio-1"}}
        await did(server.do, lambda: server.account("a:demo").log[-1]["data"].update(**sealed))
        following = await did(write, server, "in the clear")
        vault = Vault(tmp_path / "keys")
        async with serving(an_agent(server, note, vault=vault, report=reports.append)):
            await seen(server, lambda: has_ended(server, following))
            await seen(server, lambda: any(frame["type"] == "message_take" for frame in server.frames))
        vault.close()
        assert run_id_of(passed) not in server.runs.runs

    play(scene)
    assert handled == ["in the clear"]
    assert "an encrypted message of alice was passed over: it cannot be read here: malformed" in reports


def test_a_handler_that_asks_for_them_gets_what_cannot_be_opened(
    server: FakeServer, play: Play, tmp_path: Path
) -> None:
    """
    As it would without a vault.
    """
    handled: list[tuple[str, str | None, bool]] = []

    async def note(message: Incoming) -> None:
        handled.append((message.content, message.kind, message.encrypted))

    async def scene() -> None:
        vault = Vault(tmp_path / "keys")
        agent = an_agent(server, vault=vault)
        agent.on_message(accept_encrypted=True)(note)
        asked = await did(write, server, "3q2+7w==")
        await did(server.do, lambda: server.account("a:demo").log[-1]["data"].update(kind="encrypted"))
        async with serving(agent):
            await seen(server, lambda: has_ended(server, asked))
        vault.close()

    play(scene)
    assert handled == [("3q2+7w==", "encrypted", False)]


def test_keys_are_published_when_it_connects_and_when_few_are_left(
    server: FakeServer, play: Play, tmp_path: Path
) -> None:
    """
    A server that does not take them is reported, and the agent goes on.
    """
    reports: list[str] = []

    def asked() -> int:
        return sum(line.startswith("GET /keys/bundles/agent/demo") for line in server.requests)

    async def scene() -> None:
        vault = Vault(tmp_path / "keys")
        async with serving(an_agent(server, _silent, vault=vault, report=reports.append)):
            await seen(server, lambda: asked() == 1)
            await did(server.do, lambda: server._announce("a:demo", "one_time_keys_low", {"remaining": 9}))
            await seen(server, lambda: asked() == 2)
            await did(server.cut_all)
            await seen(server, lambda: asked() == 3)
            following = await did(write, server, "hello")
            await seen(server, lambda: has_ended(server, following))
        vault.close()

    play(scene)
    assert any("keys for encryption were not published" in line for line in reports)


async def _silent(message: Incoming) -> None: ...


def test_after_a_resync_what_was_not_answered_is_handled(server: FakeServer, play: Play) -> None:
    """
    What is queued, and what was written after our last word; not what has an answer.
    """
    handled: list[str] = []

    async def note(message: Incoming) -> str:
        handled.append(message.content)
        return "ok"

    cursors = MemoryCursors()

    async def scene() -> None:
        asked = await did(write, server, "before")
        async with serving(an_agent(server, note, cursors=cursors)):
            await seen(server, lambda: has_ended(server, asked))
            await seen(server, lambda: server.accounts["a:demo"].cursor >= 2)
        missed = await did(write, server, "missed")
        server.epoch = "e2"
        async with serving(an_agent(server, note, cursors=cursors)):
            await seen(server, lambda: has_ended(server, missed))

    play(scene)
    assert handled == ["before", "missed"]
    assert said(server) == ["ok", "ok"]


def test_a_message_that_the_server_skipped_is_fetched(server: FakeServer, play: Play) -> None:
    """
    Its number came without it; what is not answered in that conversation is handled.
    """
    handled: list[str] = []

    async def note(message: Incoming) -> str:
        handled.append(message.content)
        return "ok"

    async def scene() -> None:
        asked = await did(write, server, "skipped")
        skipped = {"type": "gone", "data": {"skipped": True, "conversation_id": "c1"}}
        await did(server.do, lambda: server.account("a:demo").log[-1].update(skipped))
        async with serving(an_agent(server, note)):
            await seen(server, lambda: has_ended(server, asked))
            await seen(server, lambda: server.accounts["a:demo"].cursor >= 2)

    play(scene)
    assert handled == ["skipped"]


def test_a_question_answered_behind_a_resync_is_answered(server: FakeServer, play: Play) -> None:
    """
    The log cannot tell of it any more; the message can.
    """
    got: list[object] = []

    async def asking(message: Incoming, run: Run) -> None:
        answer = await run.ask("Sure?", ["Yes"])
        got.append(answer and answer.option_ids)

    def answer_unheard() -> None:
        message = server.stored("m2")
        message["question"] |= {"state": "answered", "answer": {"option_ids": ["Yes"], "answered_by": "alice"}}
        server.epoch = "e2"

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, asking)):
            await seen(server, lambda: len(said(server)) == 1)
            await did(server.do, answer_unheard)
            await did(server.cut_all)
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert got == [["Yes"]]


def test_a_question_answered_behind_a_resync_before_its_asker_knew_its_id(server: FakeServer, play: Play) -> None:
    """
    The answer to the asking got lost with the socket, and the log cannot tell of the person's any more.
    """
    got: list[object] = []
    server.mute = 1

    async def asking(message: Incoming, run: Run) -> None:
        answer = await run.ask("Sure?", ["Yes"])
        got.append(answer and answer.option_ids)

    def answer_unheard() -> None:
        message = server.stored("m2")
        message["question"] |= {"state": "answered", "answer": {"option_ids": ["Yes"], "answered_by": "alice"}}
        server.epoch = "e2"
        server.is_up = True

    def down() -> bool:
        """Nobody comes back before the person has answered."""
        server.is_up = server.is_up and len(said(server)) == 0
        return len(said(server)) == 1 and not server.account("a:demo").sockets

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, asking)):
            await seen(server, down)
            await did(server.do, answer_unheard)
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert got == [["Yes"]]


def test_a_card_that_is_not_taken_is_reported(server: FakeServer, play: Play) -> None:
    """
    An older server; the agent works all the same.
    """
    lines: list[str] = []
    server.runs.refuse["card"] = [Refusal("unknown_type", "unknown message type: card")]

    async def echo(message: Incoming) -> str:
        return message.content

    async def scene() -> None:
        asked = await did(write, server, "hello")
        async with serving(an_agent(server, echo, report=lines.append)):
            await seen(server, lambda: has_ended(server, asked))

    play(scene)
    assert any("card" in line for line in lines)


def test_steering_ends_with_the_run(server: FakeServer, play: Play) -> None:
    """
    Whoever listens beside the work is not left behind.
    """
    heard: list[str] = []

    async def listening(message: Incoming, run: Run) -> None:
        await run.write("working")
        heard.extend([text async for text in run.steering()])
        heard.append("over")

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, listening)):
            await seen(server, lambda: run_id_of(asked) in server.runs.runs)
            await did(partial(order, server, "run_control", run_id=run_id_of(asked), action="steer", text="hm"))
            await seen(server, lambda: bool(the_run(server, asked).acked))
            await did(server.do, lambda: server.runs.end(run_id_of(asked), "interrupted"))
            following = await did(write, server, "bye")
            await seen(server, lambda: run_id_of(following) in server.runs.runs)

    play(scene)
    assert heard[:2] == ["hm", "over"]


def test_words_that_were_read_are_no_message_when_the_log_brings_them_late(server: FakeServer, play: Play) -> None:
    """
    They came ahead of the log, and the run had ended before that told of them.
    """
    contents: list[str] = []
    heard: list[str] = []

    async def listening(message: Incoming, run: Run) -> None:
        contents.append(message.content)
        await run.write("…")
        if message.content == "go":
            async for text in run.steering():
                heard.append(text)
                return

    async def scene() -> None:
        asked = await did(write, server, "go")
        async with serving(an_agent(server, listening)):
            await seen(server, lambda: run_id_of(asked) in server.runs.runs)
            run = the_run(server, asked)
            place = {"run_id": run.run_id, "conversation_id": run.conversation_id}
            # The second message is what the run ends with, the third what was said into it.
            control = {**place, "control_id": "control-1", "action": "steer", "text": "louder", "message_id": "m3"}
            run.controls["control-1"] = control
            await did(server.do, lambda: server.runs.tell("a:demo", "run_control", control))
            await seen(server, lambda: has_ended(server, asked))
            late = {"conversation_id": run.conversation_id, "content": "louder", "steers": run.run_id, "as": "user"}
            assert (await did(server.do, lambda: server.runs.post(late)))["message_id"] == "m3"
            following = await did(write, server, "bye")
            await seen(server, lambda: has_ended(server, following))

    play(scene)
    assert (contents, heard) == (["go", "bye"], ["louder"])


def test_over_drops_at_any_moment_each_message_is_handled_once_and_answered_whole(
    server: FakeServer, play: Play
) -> None:
    """
    200 messages in ten conversations; the socket is cut again and again, at any word. Every handler ran once, in
    order, and every answer arrived without hole or repeat.
    """
    chance = random.Random(7)
    handled: dict[str, list[str]] = {}
    answer = "".join(chr(ord("a") + number % 26) for number in range(60))

    async def streaming(message: Incoming, run: Run) -> None:
        handled.setdefault(message.conversation_id, []).append(message.content)
        for start in range(0, len(answer), 20):
            await run.write(answer[start : start + 20])
            await anyio.lowlevel.checkpoint()
        await run.write(message.content)

    async def scene() -> None:
        rooms = await did(conversations, server, 10)
        asked = [await did(write, server, str(number), rooms[number % 10]) for number in range(200)]
        async with serving(an_agent(server, streaming)):
            for _ in range(30):
                server.cut_before = chance.choice(["run_start", "run_append", "run_finish", "run_resume", "card"])
                await seen(server, lambda: server.cut_before is None or all_ended(asked))
            assert len(server.hellos) > 15
            server.cut_before = None
            await seen(server, lambda: all_ended(asked))

    def all_ended(asked: list[str]) -> bool:
        return all(has_ended(server, each) for each in asked)

    play(scene)
    assert handled == {f"c{room + 1}": [str(number) for number in range(room, 200, 10)] for room in range(10)}
    assert all(
        said(server, f"c{room + 1}") == [answer + str(number) for number in range(room, 200, 10)] for room in range(10)
    )
