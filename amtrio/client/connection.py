"""The face of the library: one connection to iterate over and to send with, which survives drops and restarts.

Knows commands and their answers. How it stays connected stands in `link`.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import anyio
import httpx
import msgspec

from amtrio.client.backoff import Backoff
from amtrio.client.cursors import Cursors, MemoryCursors
from amtrio.client.errors import ClientError, Refused
from amtrio.client.events import Event
from amtrio.client.link import Link
from amtrio.client.rest import History, Rest, new_http
from amtrio.client.shapes import Thing
from amtrio.client.stream import ASKING, UNANSWERED

_LEAVE_WITHIN_S = 1.0
T = TypeVar("T")


class MessageSent(Thing, frozen=True, kw_only=True):
    """The server has the message on disk."""

    message_id: str
    conversation_id: str
    conversation_seq: int
    client_id: str | None = None
    created_at: str = ""


class Connection:
    """
    Every event of one account, once and in order; every command answered.

    `async with Connection(url, token=…) as connection: async for event in connection: …`. One task iterates, any task
    may send. An event counts as done when the next one is asked for (the last one when the block is left without an
    error), or, with `confirm="manual"`, when `done(event)` says so. What is not done comes again in the next run.

    Args:
        url: of the server; http, https, ws or wss.
        token: of a person, or an agent's credential (then with `agent_id`). Goes into the first frame, never the URL.
        device_id: tells the devices of one person apart; a newer socket of the same device replaces the older one.
        cursors: where to keep the place in the log between two runs. Without, the server's own note of what this
            device confirmed counts.
        begin: `log` goes on where the last run ended; `snapshot` starts with a `Snapshot`, for those who keep nothing.
        client: name and version of the program, for the server's list of sessions.
        ping_every_s, ping_timeout_s: a server that answers no ping within both is given up and looked for again.
        http: a client of your own (proxy, certificates, in-process tests); it stays yours to close.

    The iterator raises `AuthenticationEnded`, `Replaced` or `Refused` when there is no way back; so do waiting sends.

    Attributes:
        rest: REST calls as the same account.
        runs: what an agent says live; `Agent` uses it.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        agent_id: str | None = None,
        device_id: str | None = None,
        cursors: Cursors | None = None,
        begin: Literal["log", "snapshot"] = "log",
        confirm: Literal["auto", "manual"] = "auto",
        client: str = "amtrio-python",
        backoff: Backoff | None = None,
        ping_every_s: float = 20.0,
        ping_timeout_s: float = 20.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._owns_http = http is None
        self._http = http or new_http()
        self.rest = Rest(url, token=token, agent_id=agent_id, http=self._http)
        self._link = Link(
            self.rest,
            self._http,
            {"token": token, "agent_id": agent_id, "device_id": device_id, "client": client},
            cursors=cursors or MemoryCursors(),
            backoff=backoff or Backoff(),
            ping_every_s=ping_every_s,
            ping_timeout_s=ping_timeout_s,
        )
        self.runs = self._link.runs
        self._begins_with_snapshot = begin == "snapshot"
        self._confirms_itself = confirm == "auto"
        self._handed_out: Event | None = None
        self._life: AbstractAsyncContextManager[None] | None = None

    @property
    def is_online(self) -> bool:
        """Whether there is a working socket right now."""
        return self._link.is_online

    @property
    def has_ended(self) -> bool:
        """Whether there will be no further socket."""
        return self._link.ended is not None

    async def __aenter__(self) -> Self:
        self._life = self._alive()
        await self._life.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        assert self._life is not None
        return await self._life.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        failure: Exception | None = None
        try:
            await self._link.start(with_snapshot=self._begins_with_snapshot)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._link.run)
                tasks.start_soon(self._link.keep_confirming)
                try:
                    yield
                    if self._confirms_itself:
                        self._done_with_last()
                    await self._link.say_goodbye()
                finally:
                    tasks.cancel_scope.cancel()
        except ExceptionGroup as group:
            # The task group's wrapping. One failure inside is the caller's own: it goes back as it was, below, where
            # no `except` adds itself to its context.
            if len(group.exceptions) != 1:
                raise
            failure = group.exceptions[0]
        finally:
            self._link.end(ClientError("the connection was left"))
            if self._owns_http:
                with anyio.move_on_after(_LEAVE_WITHIN_S, shield=True):
                    await self._http.aclose()
        if failure is not None:
            raise failure

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """
        Wait for the next event.

        Raises:
            AuthenticationEnded, Replaced, Refused: the connection has ended for good.
        """
        if self._confirms_itself:
            self._done_with_last()
        event = await self._link.next_event()
        self._handed_out = event
        return event

    def done(self, event: Event) -> None:
        """Say that an event is done with, in any order; for `confirm="manual"`."""
        self._link.done(event)

    def _done_with_last(self) -> None:
        event, self._handed_out = self._handed_out, None
        if event is not None:
            self._link.done(event)

    async def send(self, word: str, /, **data: Any) -> dict[str, Any]:
        """
        Send a command and wait for its answer, over as many sockets as it takes.

        It gets a `client_id` if it has none, so that the server does it once however often it arrives. Messages arrive
        in the order of these calls. Cancelling leaves open whether the server did it.

        Returns:
            The data of the answer.

        Raises:
            Refused: the server said no for good. AuthenticationEnded, Replaced: the connection has ended.
        """
        if word in UNANSWERED:
            raise ValueError(f"{word} has no answer: use tell()")
        if word not in ASKING:
            data.setdefault("client_id", new_client_id())
        return dict(await self._link.ask(word, data))

    def post(self, word: str, /, **data: Any) -> None:
        """Send a command like `send`, without waiting for its answer; a refusal is forgotten."""
        data.setdefault("client_id", new_client_id())
        self._link.post(word, data)

    def tell(self, word: str, /, **data: Any) -> bool:
        """
        Send what is about this moment only (`typing`, `status`) and expect nothing.

        Returns:
            False if there is no socket; it is then forgotten.
        """
        return self._link.tell(word, data)

    async def send_message(
        self,
        content: str,
        *,
        conversation_id: str | None = None,
        agent_id: str | None = None,
        client_id: str | None = None,
        reply_to: str | None = None,
        metadata: dict[str, Any] | None = None,
        attachment_ids: Sequence[str] = (),
        question: Mapping[str, Any] | None = None,
    ) -> MessageSent:
        """
        Send a message to a conversation, or (people) to an agent's default conversation.

        Args:
            attachment_ids: what `rest.upload` returned, each for one message; `content` may then be empty.
            question: (agents) what the message asks, as docs/protocol.md says; `Run.ask` makes it.
            client_id: 16 to 64 of `[A-Za-z0-9_.:-]`; sending the same again changes nothing. Made up if None.

        Raises:
            Refused: `client_id_reused` if another content was sent under it before; and as `send`.
        """
        answer = await self.send(
            "message",
            conversation_id=conversation_id,
            agent_id=agent_id,
            content=content,
            client_id=client_id or new_client_id(),
            reply_to=reply_to,
            metadata=metadata,
            attachment_ids=list(attachment_ids) or None,
            question=question,
        )
        return shaped(answer, MessageSent)

    async def edit(self, message_id: str, content: str) -> None:
        """Give an own message another text."""
        await self.send("edit", message_id=message_id, content=content)

    async def delete(self, message_id: str) -> None:
        """Take a message away; its place and number stay."""
        await self.send("delete", message_id=message_id)

    async def mark_read(self, conversation_id: str, up_to: int | None = None) -> None:
        """Read up to this conversation_seq; the last one without."""
        await self.send("read", conversation_id=conversation_id, up_to=up_to)

    async def history(
        self, conversation_id: str, *, before: int | str | None = None, limit: int | None = None
    ) -> History:
        """One page, oldest message first; the newest page without `before`."""
        answer = await self.send("history", conversation_id=conversation_id, before=before, limit=limit)
        return shaped(answer, History)

    def typing(self, conversation_id: str, *, typing: bool = True) -> None:
        """Show that we write. Stops by itself after 5 s and with our next message."""
        self.tell("typing", conversation_id=conversation_id, typing=typing)

    def status(self, status: Literal["online", "busy", "idle", "offline"], text: str | None = None) -> None:
        """Show what we are about, with a line for people; until the next one or the end of the connection."""
        self.tell("status", status=status, text=text)


def new_client_id() -> str:
    """A random id for a command; 122 random bits."""
    return uuid.uuid4().hex


def shaped(answer: Any, shape: type[T]) -> T:
    """
    An answer as a thing of this library.

    Raises:
        Refused: it has another shape.
    """
    try:
        return msgspec.convert(answer, shape)
    except msgspec.ValidationError as exc:
        raise Refused(f"the server's answer has another shape: {exc}", code="unknown") from exc
