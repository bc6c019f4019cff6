"""Any one task of the tree fails: what docs/discussion/task-tree.md says ends, and nothing more.

A task that waits is made to fail where it waits, by the same door through which Trio cancels it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from amtrio.context import Services
from amtrio.fanout.hub import Outgoing
from amtrio.feature import ChoreSpec, CommandSpec, registry
from amtrio.model.message import MessagePosted
from amtrio.protocol.dialects import V2, Viewer
from amtrio.protocol.frames import Command, Event
from amtrio.store.log import get_cursor
from amtrio.transports.session import Session
from tests.conftest import Journal
from tests.faults.wire import Wire
from tests.harness import AGENT_SECRET, Agent, Device, OldDevice, Person, Scene, open_scene

# Those of the server, as the journal names them.
TASKS_LIKE_CHORES = ["wheel", "confirmations"]
WITHOUT_WHICH_NOTHING_GOES = [
    ("amtrio.app._accept", "_serve_one_listener"),
    ("admin socket", "_serve_one_listener"),
    ("store chores", "store chores"),
    ("amtrio.app._accept", "amtrio.app._accept"),
]


class Bug(Exception):
    """Of ours, made up."""


def fail(task: trio.lowlevel.Task) -> None:
    """Let `task` find a bug instead of what it waits for."""

    def find() -> None:
        raise Bug

    assert task._abort_func is not None, "it does not wait"
    task._attempt_abort(find)


def below(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    """`task` and everything that lives in its nurseries."""
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from below(child)


def tasks(name: str, *, under: trio.lowlevel.Task | None = None) -> list[trio.lowlevel.Task]:
    """The running tasks whose name ends so."""
    root = under or trio.lowlevel.current_root_task()
    assert root is not None
    return [task for task in below(root) if task.name.endswith(name)]


@pytest.fixture
def journal_of_chores(journal: Journal) -> Callable[[str], list[Any]]:
    return lambda event: [entry for entry in journal.entries if entry["event"] == event]


class Talk:
    """A conversation between a person with two devices and an agent."""

    def __init__(self, scene: Scene, alice: Person, helper: Agent, id_: str) -> None:
        self.scene = scene
        self.alice = alice
        self.helper = helper
        self.id = id_
        self.phone: Device
        self.laptop: OldDevice
        self.agent: Device

    def session(self, account: str, *, version: str) -> Session:
        (found,) = (
            each
            for each in self.scene.running.hub.subscribers()
            if isinstance(each, Session) and each.account == account and each.dialect.name == version
        )
        return found

    @property
    def phone_session(self) -> Session:
        return self.session(f"u:{self.alice.id}", version="v2")

    async def goes_on(self, text: str) -> None:
        """Everybody hears what is said."""
        await self.phone.send(self.id, text)
        await self.agent.next("message", content=text)
        await self.laptop.next("message", content=text)
        await self.agent.send(self.id, f"re: {text}")
        await self.phone.next("message", content=f"re: {text}")
        await self.laptop.next("message", content=f"re: {text}")


@asynccontextmanager
async def open_talk(directory: Path) -> AsyncIterator[Talk]:
    async with open_scene(directory) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        second = await scene.login("alice")
        talk = Talk(scene, alice, helper, await scene.conversation(alice, helper))
        async with (
            scene.device(alice, "phone") as talk.phone,
            scene.old_device(second, "laptop") as talk.laptop,
            scene.device(helper) as talk.agent,
        ):
            with trio.fail_after(30):
                await talk.goes_on("before")
                yield talk


async def until(is_so: Callable[[], Any]) -> None:
    """Look again and again; the test's own time limit ends it."""
    while not is_so():  # noqa: ASYNC110 - nobody tells of it
        await trio.sleep(0.01)


# -- chores: logged, restarted with back-off ------------------------------------


@pytest.mark.expects_error_log("chore_failed")
@pytest.mark.parametrize("name", TASKS_LIKE_CHORES)
async def test_a_chore_that_fails_is_started_again(
    tmp_path: Path, name: str, journal_of_chores: Callable[[str], list[Any]]
) -> None:
    """
    It is logged under its name, the conversation goes on, and after a pause the chore runs again.
    """
    async with open_talk(tmp_path) as talk:
        (task,) = tasks(f"chore {name}")
        fail(task)
        await until(lambda: journal_of_chores("chore_failed"))
        assert [entry["chore"] for entry in journal_of_chores("chore_failed")] == [name]
        await talk.goes_on("after")
        assert tasks(f"chore {name}") == [task]


@pytest.mark.expects_error_log("chore_failed")
async def test_a_features_chore_that_fails_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal_of_chores: Callable[[str], list[Any]]
) -> None:
    """
    Its failure is logged under its name, other chores and the conversation go on, and it has its next turn.
    """
    turns: list[str] = []

    async def fail_once(services: Services) -> None:
        turns.append("one")
        await trio.lowlevel.checkpoint()
        if len(turns) == 1:
            raise Bug

    monkeypatch.setattr(registry, "chores", [*registry.chores, ChoreSpec("fail_once", fail_once, 3600)])
    async with open_talk(tmp_path) as talk:
        talk.scene.running.services.wake("fail_once")
        await until(lambda: journal_of_chores("chore_failed"))
        assert [entry["chore"] for entry in journal_of_chores("chore_failed")] == ["fail_once"]
        await talk.goes_on("after")
        talk.scene.running.services.wake("fail_once")
        await until(lambda: len(turns) > 1)


@pytest.mark.expects_error_log("chore_failed")
async def test_cursors_are_written_again_after_the_wheel_has_failed(tmp_path: Path) -> None:
    """
    What devices confirm while the wheel does not turn is written down when it turns again.
    """
    async with open_talk(tmp_path) as talk:
        await trio.testing.wait_all_tasks_blocked()
        fail(*tasks("chore wheel"))
        await talk.phone.caught_up()
        await talk.phone.ack()
        store, account = talk.scene.running.services.store, f"u:{talk.alice.id}"

        async def stored() -> int | None:
            return await store.read(get_cursor, account, "d:phone")

        while await stored() != talk.phone.seq:  # noqa: ASYNC110 - nobody tells of it
            await trio.sleep(0.05)


@pytest.mark.expects_error_log("chore_failed")
async def test_old_devices_are_asked_again_after_the_task_that_asks_has_failed(tmp_path: Path) -> None:
    """
    A v1 device that was waiting to be asked what has arrived is asked later.
    """
    async with open_talk(tmp_path) as talk:
        fail(*tasks("chore confirmations"))
        await talk.goes_on("after")
        session = talk.session(f"u:{talk.alice.id}", version="v1")
        await until(lambda: session.unconfirmed == 0)


# -- a connection: that one only ---------------------------------------------------


@pytest.mark.expects_error_log("connection_failed")
async def test_a_connection_that_fails_ends_alone(tmp_path: Path) -> None:
    """
    Its client is told 1011, everybody else notices nothing, and on its return nothing is missing.
    """
    async with open_talk(tmp_path) as talk:
        socket = talk.phone_session.socket
        assert socket is not None
        fail(socket.nursery.parent_task)
        code, _ = await talk.phone.closed()
        assert code == 1011
        seq, epoch = talk.phone.seq, talk.phone.greeting["data"]["epoch"]
        await talk.agent.send(talk.id, "meanwhile")
        await talk.laptop.next("message", content="meanwhile")
        async with talk.scene.device(talk.alice, "phone", since=seq, epoch=epoch) as talk.phone:
            await talk.phone.next("message", content="meanwhile")
            await talk.goes_on("after")


@pytest.mark.expects_error_log("connection_failed")
@pytest.mark.parametrize("name", ["pump", "BufferedStream._flush"])
async def test_a_task_inside_a_connection_ends_that_one(tmp_path: Path, name: str) -> None:
    """
    The pump of a device that reads slowly, and the task that writes to it, take their own connection with them.
    """
    async with open_talk(tmp_path) as talk:
        bob = await talk.scene.register("bob")
        other = await talk.scene.conversation(bob, talk.helper)
        with await Wire.open(talk.scene.running.port, "/client/connect", receive_buffer=4096) as deaf:
            await deaf.say("hello", token=bob.token)
            assert (await deaf.receive())["type"] == "connected"
            socket = talk.session(f"u:{bob.id}", version="v2").socket
            assert socket is not None
            own = socket.nursery.parent_task
            async with talk.scene.device(bob) as sender:
                while not (found := [task for task in tasks(name, under=own) if task._abort_func is not None]):
                    await sender.send(other, "x" * 60_000)
                fail(found[0])
            assert (await deaf.end()).code in {None, 1011}
        await talk.goes_on("after")


class Provoke(Command, frozen=True, kw_only=True):
    """A command of these tests."""


def provoked(function: Callable[..., Any], style: Any) -> CommandSpec:
    """What the server believes to be a feature's command."""
    return CommandSpec(function, Provoke, style, "member", "provoke", "command")


@pytest.mark.expects_error_log("command_failed")
async def test_a_unit_that_fails_is_its_senders_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The sender is told `internal`, keeps the connection, and units of the same batch are stored.
    """

    def provoke(tx: Any, ctx: Any, frame: Provoke) -> None:
        raise Bug

    monkeypatch.setitem(registry.commands, "provoke", provoked(provoke, "write"))
    async with open_talk(tmp_path) as talk:
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(partial(talk.agent.say, "message", conversation_id=talk.id, content=f"{number}"))
            answer = await talk.phone.ask("provoke")
        assert (answer["type"], answer["data"]["code"]) == ("error", "internal")
        await talk.goes_on("after")
        texts = [each["content"] for each in await talk.scene.get(f"/conversations/{talk.id}/messages", talk.alice)]
        assert {f"{number}" for number in range(5)} <= set(texts)


@pytest.mark.expects_error_log("connection_failed")
@pytest.mark.parametrize("style", ["async", "read"])
async def test_a_handler_that_fails_outside_a_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """
    It ends its own connection, with 1011; everybody else notices nothing.
    """

    def read(tx: Any, ctx: Any, frame: Provoke) -> None:
        raise Bug

    async def wait(ctx: Any, frame: Provoke) -> None:
        raise Bug

    monkeypatch.setitem(registry.commands, "provoke", provoked(read if style == "read" else wait, style))
    async with open_talk(tmp_path) as talk:
        await talk.scene.register_agent("other")
        with await Wire.open(talk.scene.running.port, "/agent/connect") as other:
            await other.say("hello", token=AGENT_SECRET, agent_id="other")
            await other.say("provoke")
            assert (await other.end()).code == 1011
        await talk.goes_on("after")


@pytest.mark.expects_error_log("listener_failed")
async def test_a_feature_that_fails_on_news_keeps_nobody_from_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whoever listens to what was announced runs beside delivery, not before it.
    """

    def misunderstand(services: Services, event: Event) -> None:
        raise Bug

    listeners: dict[Any, Any] = registry.listeners
    monkeypatch.setitem(listeners, MessagePosted, [misunderstand])
    async with open_talk(tmp_path) as talk:
        await talk.goes_on("after")


@pytest.mark.expects_error_log("session_failed")
async def test_an_event_that_one_session_cannot_write_ends_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The writer's call into a session fails: that client is told 1011, the sender has its answer, others the message.
    """
    speak = V2.event

    def stammer(self: V2, event: Event, viewer: Viewer, seq: int | None) -> list[bytes]:
        if viewer.kind == "user" and isinstance(event, MessagePosted):
            raise Bug
        return speak(self, event, viewer, seq)

    async with open_talk(tmp_path) as talk:
        monkeypatch.setattr(V2, "event", stammer)
        await talk.agent.send(talk.id, "for those who can")
        await talk.laptop.next("message", content="for those who can")
        assert (await talk.phone.closed())[0] == 1011
        monkeypatch.setattr(V2, "event", speak)
        seq, epoch = talk.phone.seq, talk.phone.greeting["data"]["epoch"]
        async with talk.scene.device(talk.alice, "phone", since=seq, epoch=epoch) as talk.phone:
            await talk.phone.next("message", content="for those who can")
            await talk.goes_on("after")


# -- listeners and store: the server stops --------------------------------------------


def bugs(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """What went wrong, without the groups around it."""
    return [
        leaf for each in group.exceptions for leaf in (bugs(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]


async def stops_with_a_bug(directory: Path, break_it: Callable[[Talk], Any]) -> None:
    """The server ends with the failure, every socket ends, and the next server finds all that was acknowledged."""
    sent: list[str] = []
    with pytest.raises(BaseExceptionGroup) as raised:
        async with open_talk(directory) as talk:
            sent.append((await talk.phone.send(talk.id, "acknowledged"))["message_id"])
            break_it(talk)
            for device in (talk.phone, talk.agent, talk.laptop):
                await device.closed()
            await trio.sleep_forever()
    assert Bug in map(type, bugs(raised.value))
    async with open_scene(directory) as scene:
        alice = await scene.login("alice")
        (talk_row,) = await scene.get("/conversations", alice)
        history = await scene.get(f"/conversations/{talk_row['conversation_id']}/messages", alice)
        assert sent[0] in [each["message_id"] for each in history]


@pytest.mark.parametrize(("where", "name"), WITHOUT_WHICH_NOTHING_GOES)
async def test_a_task_that_serves_everybody_stops_the_server(tmp_path: Path, where: str, name: str) -> None:
    """
    An accept loop or the store's own tasks: going on without them would be a lie.
    """

    def break_it(talk: Talk) -> None:
        (parent,) = tasks(where)
        fail(tasks(name, under=parent)[0])

    await stops_with_a_bug(tmp_path, break_it)


async def test_a_writer_that_cannot_tell_stops_the_server(tmp_path: Path) -> None:
    """
    Committed, but not told: clients learn it from the log of the next server.
    """

    class Broken:
        since_us = 0
        unconfirmed = 0
        login_session = ""

        def __init__(self, account: str) -> None:
            self.account = account

        def offer(self, outgoing: Outgoing, seq: int, /) -> None:  # noqa: ARG002
            raise Bug

        def tell(self, outgoing: Outgoing, /) -> bool:  # noqa: ARG002
            raise Bug

        def end_login(self) -> None:
            raise Bug

    def break_it(talk: Talk) -> None:
        talk.scene.running.hub.attach(Broken(f"u:{talk.alice.id}"))
        talk.scene.nursery.start_soon(partial(talk.agent.say, "message", conversation_id=talk.id, content="untold"))

    await stops_with_a_bug(tmp_path, break_it)
