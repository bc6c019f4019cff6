"""The real server in a thread of its own, behind a wire that can be cut, and a person's phone that watches.

In a thread, so that agents and clients can be tried under either backend.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import trio

from tests.harness import AGENT_SECRET, Device, Json, Person, Scene, open_scene
from tests.runs import Shown

T = TypeVar("T")


@dataclass
class RealServer:
    """
    Attributes:
        phone: what alice's phone heard, oldest first. shown: what it shows of runs.
        heard: all that passed the wire from the server; the other way it is masked.
        cut_after: bytes that may still pass the wire before all of its connections are cut. cuts: how often they were.
    """

    scene: Scene
    alice: Person
    port: int
    token: Any
    phone: list[Json] = field(default_factory=list)
    shown: Shown = field(default_factory=Shown)
    heard: bytearray = field(default_factory=bytearray)
    cut_after: int | None = None
    cuts: int = 0
    cuts_wanted: int = 0
    _near: set[trio.SocketStream] = field(default_factory=set)
    _far: set[trio.SocketStream] = field(default_factory=set)
    _changed: trio.Event = field(default_factory=trio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def agent_token(self) -> str:
        return AGENT_SECRET

    # ------------------------------------------------------------------------------- called from the test's thread

    def do(self, step: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Run a step inside the server's loop."""
        return trio.from_thread.run(step, *args, trio_token=self.token)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until alice's phone has heard something; fails after 20 s."""

        async def wait() -> None:
            with trio.fail_after(20):
                while not condition():
                    await self._changed.wait()

        self.do(wait)

    def post(self, path: str, **body: Any) -> Json:
        """Alice asks over REST; the answer must be good."""

        async def ask() -> Json:
            answer = await self.scene.http.post(path, json=body, headers=self.alice.headers)
            assert answer.status_code < 300, answer.text
            found: Json = answer.json()
            return found

        return self.do(ask)

    def room(self, title: str | None = None) -> str:
        """A conversation with the agent."""
        return str(self.post("/conversations", agent_id="demo", title=title)["conversation_id"])

    def write(self, content: str, conversation_id: str) -> str:
        """Alice writes; the id of the message."""
        sent = self.post(
            f"/conversations/{conversation_id}/messages", content=content, client_id=self.scene.client_id()
        )
        return str(sent["message_id"])

    @property
    def is_to_be_cut(self) -> bool:
        """Whether `cut_after` has not come to pass yet."""
        return self.cuts < self.cuts_wanted

    def cut_soon(self, after: int) -> None:
        """Let so many bytes pass, then cut."""
        self.cuts_wanted = self.cuts + 1
        self.cut_after = after

    def cut(self) -> None:
        """Every connection through the wire breaks, without a word."""

        async def cut() -> None:
            self._cut()

        self.do(cut)

    # ------------------------------------------------------------------------------------------- what the phone has

    def messages(self, conversation_id: str) -> list[Json]:
        """What the agent said there."""
        return [
            frame["data"]
            for frame in self.phone
            if frame["type"] == "message"
            and frame["data"]["sender_type"] == "agent"
            and frame["data"]["conversation_id"] == conversation_id
        ]

    def said(self, conversation_id: str) -> list[str]:
        return [message["content"] for message in self.messages(conversation_id)]

    def ended(self, run_id: str) -> Json | None:
        """The message that a run ended with, or the news that it left none."""
        return self.shown.ended.get(run_id)

    # ------------------------------------------------------------------------------------------------------ inside

    async def watch(self, device: Device) -> None:
        while True:
            frame = json.loads(await device.socket.get_message())
            self.phone.append(frame)
            if "ref" not in frame:
                self.shown.hear(frame)
            self._changed.set()
            self._changed = trio.Event()

    async def carry(self, near: trio.SocketStream) -> None:
        """One connection through the wire."""
        try:
            far = await trio.open_tcp_stream("127.0.0.1", self.scene.running.port)
        except OSError:
            return
        self._near.add(near)
        self._far.add(far)
        async with near, far, trio.open_nursery() as nursery:
            for source, sink in ((near, far), (far, near)):
                nursery.start_soon(self._pump, source, sink, nursery.cancel_scope)
        self._near.discard(near)
        self._far.discard(far)

    async def _pump(self, source: trio.SocketStream, sink: trio.SocketStream, scope: trio.CancelScope) -> None:
        try:
            while data := await source.receive_some(65536):
                if source in self._far:
                    self.heard += data
                if self.cut_after is not None:
                    self.cut_after -= len(data)
                    if self.cut_after <= 0:
                        until, self.cut_after = len(data) + self.cut_after, None
                        await sink.send_all(data[:until])
                        self._cut()
                await sink.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()

    def _cut(self) -> None:
        self.cuts += 1
        for stream in (*self._far, *self._near):
            stream.socket.close()
        self._changed.set()
        self._changed = trio.Event()


@contextmanager
def real_server(directory: Path, **sections: Any) -> Iterator[RealServer]:
    """A server on a port of its own with alice and the agent `demo`, gone with the block."""
    ready = threading.Event()
    box: list[RealServer] = []
    over: list[trio.Event] = []
    failures: list[BaseException] = []

    async def live() -> None:
        async with open_scene(directory, **sections) as scene:
            alice = await scene.register("alice")
            await scene.register_agent("demo")
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            port = listeners[0].socket.getsockname()[1]
            server = RealServer(scene, alice, port, trio.lowlevel.current_trio_token())
            async with scene.device(alice, "phone") as phone, trio.open_nursery() as nursery:
                nursery.start_soon(server.watch, phone)
                nursery.start_soon(partial(trio.serve_listeners, server.carry, listeners))
                box.append(server)
                over.append(trio.Event())
                ready.set()
                await over[0].wait()
                nursery.cancel_scope.cancel()

    def run() -> None:
        try:
            trio.run(live)
        except BaseException as exc:  # noqa: BLE001 - told by the thread that waits
            failures.append(exc)
        ready.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(30)
    if failures:
        raise failures[0]
    server = box[0]
    try:
        yield server
    finally:
        trio.from_thread.run_sync(over[0].set, trio_token=server.token)
        thread.join(30)
    if failures:
        raise failures[0]
