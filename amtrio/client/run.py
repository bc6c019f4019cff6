"""The live answer that a handler writes.

Knows what a handler may do, and what a person's wishes mean for it. Knows nothing of which message is handled when.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio

from amtrio.client.connection import Connection
from amtrio.client.events import Message
from amtrio.client.outgoing_part import Kind
from amtrio.client.outgoing_run import Control, OutgoingRun
from amtrio.client.questions import Questions, question_fields
from amtrio.client.run_parts import Flow, PartWriter, PlanItem, Reasoning, ToolCall
from amtrio.client.shapes import Answer, Attachment, Option

P = TypeVar("P", bound=PartWriter)


class Run:
    """
    A live answer, seen by the person while it is written. Made by `Agent`; ends when the handler returns.

    Every method that says something raises `RunClosed` once the server has ended the run, which ends the handler
    quietly, and `Refused` if the server refused part of it (a run holds 512 KiB and 200 parts).

    Attributes:
        is_stopping: the person wants it to end. The handler is cancelled then, but for what is `uncancelled`.
        usage: told at the end, such as {"input_tokens": 100, "output_tokens": 20}.
        scope, flow, first_text, steered_by: for `Turn`, which runs the handler. steered_by are ids of the messages that
            were said into it.
        shows_text: whether what is written is seen at once.
    """

    shows_text = True

    def __init__(self, connection: Connection, out: OutgoingRun, questions: Questions) -> None:
        self.run_id = out.run_id
        self.conversation_id = out.conversation_id
        self.is_stopping = False
        self.usage: Mapping[str, Any] | None = None
        self.scope = anyio.CancelScope()
        self.flow = Flow(out, self._look)
        self.first_text = anyio.Event()
        self._connection = connection
        self._out = out
        self._questions = questions
        self._text: PartWriter | None = None
        self._plan: PartWriter | None = None
        self._status: PartWriter | None = None
        self._uncancelled = 0
        self._is_over = False
        self._steers: deque[Control] = deque()
        self.steered_by: set[str] = set()

    # ----------------------------------------------------------------------------------------------------- saying

    async def write(self, text: str) -> None:
        """
        Append to the answer. Does not wait for the network, unless more than 256 Ki characters are on their way.

        After any other part a new paragraph of text begins.
        """
        if not text:
            await anyio.lowlevel.checkpoint()
            return
        if self._text is None:
            self._text = PartWriter(self.flow, "text", {})
        if self.shows_text and not self.first_text.is_set():
            self.first_text.set()
        await self._text.write(text)

    @asynccontextmanager
    async def reasoning(self, title: str | None = None) -> AsyncIterator[Reasoning]:
        """Thoughts, shown folded: `async with run.reasoning() as part: await part.write(…)`."""
        part = self._begun(Reasoning(self.flow, title))
        yield part
        part.close()

    @asynccontextmanager
    async def tool(self, name: str, arguments: Any = None, *, title: str | None = None) -> AsyncIterator[ToolCall]:
        """
        A tool at work: it runs while the block does, and has failed if the block is left by an error.

        Args:
            arguments: any JSON. title: what it does, for people.
        """
        call = self._begun(ToolCall(self.flow, name, arguments, title))
        try:
            yield call
        except BaseException as exc:
            call.broke(exc)
            raise
        call.close()

    async def plan(self, items: Sequence[PlanItem]) -> None:
        """Show what is going to be done; each call replaces the last one."""
        meta = {"items": [item.fields() for item in items]}
        if self._plan is None:
            self._plan = self._begun(PartWriter(self.flow, "plan", meta))
            await self.flow.room()
        else:
            await self._plan.update(meta)

    async def status(self, text: str) -> None:
        """One line about this moment, such as "searching the web"; each call replaces the last one."""
        meta = {"text": " ".join(text.split())}
        if self._status is None:
            self._status = PartWriter(self.flow, "status", meta)  # no paragraph ends because of it
            await self.flow.room()
        else:
            await self._status.update(meta)

    async def artifact(self, attachment: Attachment) -> None:
        """Hand over a file that `upload` returned; at most 10."""
        meta = {"attachment_id": attachment.attachment_id, "filename": attachment.filename}
        await self.part("artifact", meta)

    async def part(self, kind: Kind, meta: Mapping[str, Any] | None = None) -> PartWriter:
        """Any part, for those who relay what others say. Meta as docs/protocol.md says for its kind."""
        part = self._begun(PartWriter(self.flow, kind, meta or {}))
        await self.flow.room()
        return part

    async def send(self, text: str) -> None:
        """Send a message of its own beside this answer."""
        await self._connection.send_message(text, conversation_id=self.conversation_id)

    # ------------------------------------------------------------------------------------------- asking and looking

    async def ask(
        self,
        text: str,
        options: Sequence[str | Option],
        *,
        multiple: bool = False,
        free_text: bool = False,
        expires_in_s: float | None = None,
        timeout_s: float | None = None,
    ) -> Answer | None:
        """
        Ask the person something and wait for the answer.

        Args:
            options: 1 to 25 to choose from; a text is its own label, and its id where it has only letters, digits and
                `_.-` in it, else "option-1" and so on.
            multiple: more than one may be chosen. free_text: a text of theirs is an answer too.
            expires_in_s: 1 to 30 days; afterwards the server takes no answer. timeout_s: how long to wait here.

        Returns:
            The answer; None if the question expired, was closed or deleted. Whatever else ends the waiting closes it.

        Raises:
            Refused: the server does not take the question. ValueError: no option, or two with the same id.
        """
        question = question_fields(options, multiple=multiple, free_text=free_text, expires_in_s=expires_in_s)
        with self._questions.asking():
            gaps = self._questions.gaps
            sent = await self._connection.send_message(text, conversation_id=self.conversation_id, question=question)
            is_settled = False
            try:
                with anyio.move_on_after(timeout_s):
                    if self._questions.gaps != gaps:
                        await self._questions.look_at(sent.message_id)
                    settled = await self._questions.wait(sent.message_id)
                    is_settled = True
                    return settled.answer
                return None
            finally:
                if not is_settled:
                    self._connection.post("question_close", message_id=sent.message_id)

    async def upload(
        self, content: Path | str | bytes, *, filename: str | None = None, content_type: str | None = None
    ) -> Attachment:
        """
        Put a file on the server, for `artifact`.

        Args:
            content: its bytes, or the path of a file. filename: that of the path if None.

        Raises:
            Refused: too large, or no room. Unreachable: nobody answered; nothing was stored. OSError: no such file.
        """
        return await self._connection.rest.upload(
            content, filename=filename, content_type=content_type, conversation_id=self.conversation_id
        )

    async def download(self, attachment: Attachment) -> bytes:
        """
        What is in a file of a message; one that came encrypted is opened.

        Raises:
            Refused: it is not there any more. Unreachable: nobody answered. Unreadable: it is not what was sent.
        """
        return await self._connection.rest.download(attachment)

    async def history(self, limit: int = 50, before: int | str | None = None) -> list[Message]:
        """
        What was said in this conversation, oldest first; the newest page without `before`.

        Args:
            limit: 1 to 200. before: a message id or a conversation_seq.
        """
        return (await self._connection.history(self.conversation_id, before=before, limit=limit)).messages

    def steering(self) -> AsyncIterator[str]:
        """What the person says into this run while it goes on: `async for text in run.steering()`; ends with it."""
        return _Steering(self._next_steer)

    async def _next_steer(self) -> str:
        await self.flow.until(lambda: bool(self._steers) or self._is_over or self._out.has_ended)
        if not self._steers:
            raise StopAsyncIteration
        return self._steers.popleft().text or ""

    async def wait_for_stop(self) -> None:
        """Until the person wants it to end; for those who have to hand that on. Ends with the run, too."""
        await self.flow.until(lambda: self.is_stopping or self._is_over or self._out.has_ended)

    @contextmanager
    def uncancelled(self) -> Iterator[None]:
        """In here a stop does not cancel: see `is_stopping`. The server waits 15 s, then it ends the run itself."""
        self._uncancelled += 1
        try:
            yield
        finally:
            self._uncancelled -= 1
            self._cancel_if_stopping()

    # --------------------------------------------------------------------------------------------------- for `Turn`

    def steer(self, control: Control) -> None:
        """The person said something into it, which may come by two ways."""
        name = control.message_id or control.control_id
        if name not in self.steered_by:
            self.steered_by.add(name)
            self._steers.append(control)
            self.flow.changed()

    def over(self) -> list[Control]:
        """
        The handler is done.

        Returns:
            What was said into the run and read by nobody.
        """
        self._is_over = True
        unread = list(self._steers)
        self._steers.clear()
        self.flow.changed()
        return unread

    def _look(self) -> None:
        """Called whenever something happened to the run on its way."""
        if self._out.end is not None and self._out.end.outcome == "stopped":
            self.stop()
        while self._out.controls and not self._is_over:
            control = self._out.controls.popleft()
            if control.action == "stop":
                self.stop()
            elif control.action == "steer":
                self.steer(control)

    def stop(self) -> None:
        """The person wants it to end."""
        if not self._is_over and not self.is_stopping:
            self.is_stopping = True
            self._cancel_if_stopping()
            self.flow.changed()

    def _cancel_if_stopping(self) -> None:
        if self.is_stopping and not self._uncancelled:
            self.scope.cancel()

    def _begun(self, part: P) -> P:
        """A part that the text does not flow round: what is written next is a paragraph of its own."""
        self._text = None
        return part


class _Steering(AsyncIterator[str]):
    """No generator: it may be left in the middle, with nothing to clean up."""

    def __init__(self, take: Callable[[], Awaitable[str]]) -> None:
        self._take = take

    async def __anext__(self) -> str:
        return await self._take()
