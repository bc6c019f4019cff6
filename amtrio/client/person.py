"""A person's program: writes to agents, follows what they answer, decides what they ask.

Knows commands and events. How it stays connected stands in `link`, how live answers are put together in `run_view`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import anyio
import httpx
from anyio.abc import TaskGroup

from amtrio.client.connection import Connection, MessageSent, new_client_id, shaped
from amtrio.client.cursors import MemoryCursors
from amtrio.client.errors import ClientError, Refused
from amtrio.client.events import Conversation, Message, RunSnapshot
from amtrio.client.follow import Follow, Followers
from amtrio.client.rest import Rest, new_http
from amtrio.client.shapes import AgentInfo, Attachment, Question, Thing


class Controlled(Thing, frozen=True, kw_only=True):
    """
    What came of a stop or a word into a run.

    Attributes:
        status: `sent` to the agent, or `closed`: the run has ended by it.
        message_id: of the message that a word into a run is stored as.
    """

    run_id: str
    status: str
    control_id: str | None = None
    message_id: str | None = None
    conversation_seq: int | None = None


class Client:
    """
    A person's connection, for scripts and apps that keep nothing between runs.

        async with Client("https://chat.example.org", token=token) as client:
            room = await client.open("helper")
            news = client.follow(room)
            await client.send("Hello!", conversation_id=room)
            async for item in news:
                ...

    Runs under asyncio and Trio. Entering raises `Refused` or `Unreachable` if the server cannot be talked to; after
    that drops and restarts are waited out. What keeps its place in the log between runs uses `Connection`.

    Args:
        url: of the server. token: as `login` got it.
        http: a client of your own (proxy, certificates); it stays yours to close.
        options: further ones of `Connection`.

    Attributes:
        connection: for everything that has no method here.
    """

    def __init__(self, url: str, *, token: str, http: httpx.AsyncClient | None = None, **options: Any) -> None:
        self.url = url
        self.token = token
        self.connection: Connection
        self._http = http
        self._options = options
        self._followers = Followers()
        self._attaching: set[str] = set()
        self._tasks: TaskGroup
        self._life: AbstractAsyncContextManager[None] | None = None

    @classmethod
    async def login(
        cls, url: str, username: str, password: str, *, device_id: str | None = None, **options: Any
    ) -> Self:
        """
        A client that is signed in, still to be entered.

        Raises:
            Refused: wrong name or password. Unreachable: nobody answered.
        """
        async with Rest(url, http=options.get("http")) as rest:
            signed_in = await rest.login(username, password, device_id=device_id)
        return cls(url, token=signed_in.token, device_id=device_id, **options)

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
        http = self._http or new_http()
        failure: Exception | None = None
        try:
            # From here on: what was before, `history` tells.
            head = await Rest(self.url, token=self.token, http=http).head()
            self.connection = Connection(
                self.url, token=self.token, http=http, cursors=MemoryCursors(head), **self._options
            )
            async with self.connection, anyio.create_task_group() as self._tasks:
                self._tasks.start_soon(self._hear)
                try:
                    yield
                finally:
                    self._tasks.cancel_scope.cancel()
        except ExceptionGroup as group:
            # The task group's wrapping: what is alone in it is the caller's own.
            if len(group.exceptions) != 1:
                raise
            failure = group.exceptions[0]
        finally:
            if self._http is None:
                with anyio.move_on_after(1, shield=True):
                    await http.aclose()
        if failure is not None:
            raise failure

    async def _hear(self) -> None:
        try:
            async for event in self.connection:
                missing = self._followers.hear(event)
                if missing is not None and missing not in self._attaching:
                    self._attaching.add(missing)
                    self._tasks.start_soon(self._attach, missing)
        except ClientError as exc:
            self._followers.end(exc)

    async def _attach(self, run_id: str) -> None:
        """Something of a live run was dropped on the way: ask for all of it."""
        try:
            found = await self.connection.send("run_attach", run_id=run_id)
            self._followers.hear(shaped(found, RunSnapshot))
        except Refused:
            self._followers.forget(run_id)  # it has ended, and the log says how
        except ClientError:
            pass  # whoever follows hears of it
        finally:
            self._attaching.discard(run_id)

    # --------------------------------------------------------------------------------------------------- talking

    async def agents(self) -> list[AgentInfo]:
        """Whom one may talk with."""
        return await self.connection.rest.agents()

    async def conversations(self) -> list[Conversation]:
        """By activity, newest first."""
        return await self.connection.rest.conversations()

    async def open(self, agent_id: str, title: str | None = None) -> str:
        """
        A conversation with an agent: the default one, or, with a title, a new one each time.

        Returns:
            Its id.
        """
        found = await self.connection.send("create_conversation", agent_id=agent_id, title=title)
        return str(found["conversation_id"])

    async def send(
        self,
        text: str,
        *,
        conversation_id: str | None = None,
        agent_id: str | None = None,
        attachments: Sequence[Attachment] = (),
        reply_to: str | None = None,
    ) -> MessageSent:
        """
        Write to a conversation, or to an agent's default conversation. It is on the server's disk afterwards.

        Args:
            text: Markdown; may be empty with attachments. attachments: what `upload` returned.
        """
        return await self.connection.send_message(
            text,
            conversation_id=conversation_id,
            agent_id=agent_id,
            reply_to=reply_to,
            attachment_ids=[each.attachment_id for each in attachments],
        )

    async def history(self, conversation_id: str, before: int | str | None = None, limit: int = 50) -> list[Message]:
        """One page, oldest first; the newest one without `before` (a message id or a conversation_seq)."""
        return (await self.connection.history(conversation_id, before=before, limit=limit)).messages

    def follow(self, conversation_id: str) -> Follow:
        """
        What happens in a conversation from this call on, to iterate over; begins with the runs that are live.

        Items are `RunChanged` with the whole run, `Resynced`, and events: `MessagePosted`, `MessageEdited`,
        `MessageDeleted`, `MessageTaken`, `RunEnded`, `QuestionAnswered`, `TypingChanged`, `ReceiptMoved` and others.
        """
        return self._followers.follow(conversation_id)

    async def mark_read(self, conversation_id: str, up_to: int | None = None) -> None:
        """Read up to this conversation_seq; the last one without."""
        await self.connection.mark_read(conversation_id, up_to)

    async def upload(
        self, content: Path | str | bytes, *, filename: str | None = None, content_type: str | None = None
    ) -> Attachment:
        """Put a file on the server, for `send`; its bytes or its path."""
        return await self.connection.rest.upload(content, filename=filename, content_type=content_type)

    # -------------------------------------------------------------------------------------------------- deciding

    async def stop(self, run_id: str) -> Controlled:
        """
        End a live answer; what was said is kept.

        Raises:
            Refused: `run_closed` if it has ended.
        """
        return await self._control(run_id, action="stop")

    async def steer(self, run_id: str, text: str) -> Controlled:
        """
        Say something into a live answer.

        Raises:
            Refused: `unsupported` if the agent cannot be steered, `run_closed` if it has ended.
        """
        return await self._control(run_id, action="steer", text=text)

    async def _control(self, run_id: str, **fields: str) -> Controlled:
        # Over REST, since on the socket it would wait behind what was sent before.
        path = f"/runs/{quote(run_id, safe='')}/control"
        body = {**fields, "client_id": new_client_id()}
        return shaped(await self.connection.rest.call("POST", path, body=body), Controlled)

    async def answer(self, message_id: str, option_ids: Sequence[str] = (), text: str | None = None) -> Question:
        """
        Answer what an agent's message asks.

        Raises:
            Refused: `answered` if somebody was faster (`details["answer"]`), `closed` if nobody needs to any more.
        """
        found = await self.connection.send("answer", message_id=message_id, option_ids=list(option_ids), text=text)
        return shaped(found["question"], Question)

    async def withdraw(self, message_id: str) -> None:
        """
        Take back a message that is `queued`.

        Raises:
            Refused: `taken` if the agent has it already.
        """
        await self.connection.send("message_withdraw", message_id=message_id)
