"""A program that speaks the Agent Client Protocol: started, introduced, and started again when it has died.

Knows `initialize`, `authenticate` and sessions. Knows nothing of messages or of what a turn shows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import anyio
from anyio.abc import TaskGroup, TaskStatus

from amtrio.bridges.acp_sessions import SessionFile
from amtrio.bridges.children import CannotStart, Child, Children
from amtrio.bridges.command import verdict
from amtrio.bridges.groups import unwrapped
from amtrio.bridges.jsonrpc import METHOD_NOT_FOUND, Peer, PeerGone, Request, RpcError
from amtrio.bridges.updates import slash_commands
from amtrio.client import SlashCommand

PROTOCOL_VERSION: Final = 1
_AUTH_REQUIRED: Final = -32000


@dataclass(frozen=True, slots=True)
class Launch:
    """
    How to start it.

    Attributes:
        cwd: where it works; also the working folder of its sessions.
        auth_method: to sign in with, one of those it offers.
        mode: to put each session in, one of those it offers.
        start_s: a program that has not introduced itself by then is given up.
        version: of the bridge, told to the program.
    """

    argv: Sequence[str]
    cwd: Path
    auth_method: str | None = None
    mode: str | None = None
    start_s: float = 60.0
    version: str = "0"


class Listener(Protocol):
    """A turn that is being played."""

    def update(self, update: dict[str, Any]) -> None: ...
    def request(self, request: Request) -> None: ...


Commands = Sequence[SlashCommand]


class AcpProgram:
    """One life of the program. Made by `Programs`."""

    def __init__(self, child: Child, launch: Launch, sessions: SessionFile, surroundings: _Surroundings) -> None:
        self.sees_pictures = False
        self.life = anyio.CancelScope()
        self.peer = Peer(
            child, on_request=self._on_request, on_notification=self._on_notification, on_noise=surroundings.report
        )
        self._child = child
        self._launch = launch
        self._file = sessions
        self._surroundings = surroundings
        self._capabilities: dict[str, Any] = {}
        self._auth_methods: list[str] = []
        self._sessions: dict[str, str] = {}
        self._spare: str | None = None
        self._turns: dict[str, Listener] = {}

    @property
    def is_usable(self) -> bool:
        return not self._child.has_ended and not self.life.cancel_called

    async def introduce(self) -> None:
        """
        Say who we are, and sign in if that was asked for.

        Raises:
            CannotStart: it is no such program, or does not let us in.
        """
        hello = {
            "protocolVersion": PROTOCOL_VERSION,
            "clientCapabilities": {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
            "clientInfo": {"name": "amtrio", "title": "amtrio", "version": self._launch.version},
        }
        async with self._complaining():
            with anyio.move_on_after(self._launch.start_s) as in_time:
                answer = _fields(await self.peer.call("initialize", hello))
                if answer.get("protocolVersion") != PROTOCOL_VERSION:
                    raise CannotStart(f"{self._child.name} speaks another version of ACP than {PROTOCOL_VERSION}")
                self._capabilities = _fields(answer.get("agentCapabilities"))
                self.sees_pictures = _fields(self._capabilities.get("promptCapabilities")).get("image") is True
                self._auth_methods = [str(each.get("id")) for each in _dicts(answer.get("authMethods"))]
                if self._launch.auth_method is not None:
                    await self.peer.call("authenticate", {"methodId": self._launch.auth_method})
            if in_time.cancelled_caught:
                raise CannotStart(f"{self._child.name} has not answered within {self._launch.start_s:g} s")
        info = _fields(answer.get("agentInfo"))
        name = info.get("title") or info.get("name") or self._child.name
        self._surroundings.report(" ".join(filter(None, (str(name), info.get("version"), "is ready"))))

    async def prepare(self) -> None:
        """
        Begin a session for the first conversation that needs one: it shows whether that can be done at all.

        Raises:
            CannotStart: it cannot.
        """
        async with self._complaining():
            with anyio.move_on_after(self._launch.start_s) as in_time:
                self._spare = await self._new()
            if in_time.cancelled_caught:
                raise CannotStart(f"{self._child.name} has begun no session within {self._launch.start_s:g} s")

    async def session(self, conversation_id: str) -> str:
        """
        The session of a conversation: the one it has, the one it had in an earlier life, or a new one.

        Raises:
            CannotStart: none can be had.
        """
        known = self._sessions.get(conversation_id)
        if known is not None:
            return known
        async with self._complaining():
            session_id = await self._remembered(conversation_id)
            if session_id is None:
                session_id, self._spare = self._spare, None
            if session_id is None:
                session_id = await self._new()
        self._sessions[conversation_id] = session_id
        await self._file.put(conversation_id, session_id)
        return session_id

    async def _remembered(self, conversation_id: str) -> str | None:
        session_id = self._file.get(conversation_id)
        if session_id is None:
            return None
        if _fields(self._capabilities.get("sessionCapabilities")).get("resume") is not None:
            method = "session/resume"
        elif self._capabilities.get("loadSession") is True:
            method = "session/load"
        else:
            return None
        try:
            await self.peer.call(method, {"sessionId": session_id, **self._place()})
        except RpcError as exc:
            self._surroundings.report(f"an earlier session cannot be gone on with: {exc}")
            return None
        await self._set_mode(session_id)
        return session_id

    async def _new(self) -> str:
        session_id = str(_fields(await self.peer.call("session/new", self._place())).get("sessionId") or "")
        if not session_id:
            raise CannotStart(f"{self._child.name} began a session without an id")
        await self._set_mode(session_id)
        return session_id

    def _place(self) -> dict[str, Any]:
        return {"cwd": str(self._launch.cwd), "mcpServers": []}

    async def _set_mode(self, session_id: str) -> None:
        if self._launch.mode is not None:
            await self.peer.call("session/set_mode", {"sessionId": session_id, "modeId": self._launch.mode})

    @contextmanager
    def turn_of(self, session_id: str, turn: Listener) -> Iterator[None]:
        """What the program says of a session goes to its turn, for as long as that is played."""
        self._turns[session_id] = turn
        try:
            yield
        finally:
            del self._turns[session_id]

    async def give_up(self, session_id: str) -> None:
        """A turn that cannot be cancelled: its session is lost, and the program too if nobody else needs it."""
        for conversation_id, each in list(self._sessions.items()):
            if each == session_id:
                del self._sessions[conversation_id]
                await self._file.put(conversation_id, None)
        if not self._turns.keys() - {session_id}:
            self.life.cancel()

    @asynccontextmanager
    async def _complaining(self) -> AsyncIterator[None]:
        """Whatever goes wrong is `CannotStart`, with words."""
        try:
            yield
        except RpcError as exc:
            raise CannotStart(self.complaint(exc)) from exc
        except PeerGone as exc:
            raise CannotStart(await self.verdict()) from exc

    async def verdict(self) -> str:
        """How it ended, with its last words."""
        if not self._child.has_ended:
            await self._child.stop()
        if await self._child.wait() == 0:
            return f"{self._child.name} ended in the middle of its work"
        return await verdict(self._child)

    def complaint(self, exc: RpcError) -> str:
        """An error of the program's, for the person."""
        if exc.code == _AUTH_REQUIRED and self._auth_methods:
            methods = ", ".join(self._auth_methods)
            return f"{self._child.name} wants you to sign in ({exc}); give the bridge --auth-method, one of: {methods}"
        return f"{self._child.name}: {exc}"

    def _on_notification(self, method: str, params: dict[str, Any]) -> None:
        update = params.get("update")
        if method != "session/update" or not isinstance(update, dict):
            return
        if update.get("sessionUpdate") == "available_commands_update":
            self._surroundings.on_commands(slash_commands(update))
            return
        turn = self._turns.get(str(params.get("sessionId")))
        if turn is not None:  # else it is the replay of an earlier session, or too late
            turn.update(update)

    def _on_request(self, request: Request) -> None:
        if request.method != "session/request_permission":
            request.refuse(METHOD_NOT_FOUND, f"{request.method} is not supported")
            return
        turn = self._turns.get(str(request.params.get("sessionId")))
        if turn is not None:
            turn.request(request)
        else:
            request.answer({"outcome": {"outcome": "cancelled"}})


def _fields(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class _Surroundings:
    report: Callable[[str], None]
    on_commands: Callable[[Commands], None]


class Programs:
    """The program that runs, one at a time. See `open_programs`."""

    def __init__(
        self, launch: Launch, children: Children, sessions: SessionFile, surroundings: _Surroundings, tasks: TaskGroup
    ) -> None:
        self._launch = launch
        self._children = children
        self._sessions = sessions
        self._surroundings = surroundings
        self._tasks = tasks
        self._starting = anyio.Lock()
        self._program: AcpProgram | None = None

    async def running(self) -> AcpProgram:
        """
        The program, started now if there is none or it has died.

        Raises:
            CannotStart: it cannot be.
        """
        async with self._starting:
            if self._program is None or not self._program.is_usable:
                self._program = None
                self._program = await self._tasks.start(self._live)
            return self._program

    async def _live(self, *, task_status: TaskStatus[AcpProgram]) -> None:
        """From its start to its end. What goes wrong before it is ready is the starter's to hear of."""
        launch, report = self._launch, self._surroundings.report
        async with self._children.open(launch.argv, cwd=launch.cwd, on_stderr=report) as child:
            program = AcpProgram(child, launch, self._sessions, self._surroundings)
            with program.life, unwrapped():
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(program.peer.run)
                    await program.introduce()
                    task_status.started(program)
        report(f"{child.name} has ended; the next message starts it again")


@asynccontextmanager
async def open_programs(
    launch: Launch,
    children: Children,
    *,
    state_file: Path | None = None,
    report: Callable[[str], None] = lambda _line: None,
    on_commands: Callable[[Commands], None] = lambda _commands: None,
) -> AsyncIterator[Programs]:
    """
    A program that runs as long as the block, from the first `running()` on.

    Args:
        state_file: where to keep which conversation has which session; None forgets with the process.
        report: gets what it says that is not for the person, line by line.
        on_commands: gets its slash commands whenever they change.
    """
    sessions = SessionFile(state_file)
    await sessions.load()
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            yield Programs(launch, children, sessions, _Surroundings(report, on_commands), tasks)
            tasks.cancel_scope.cancel()
