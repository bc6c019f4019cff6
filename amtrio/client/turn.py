"""One message handled: its run opened, the handler run, the run ended.

Knows what the end of a handler means for its run. Knows nothing of other messages, nor of when it is whose turn.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any, Final

import anyio

from amtrio.client.connection import Connection
from amtrio.client.errors import Refused, RunClosed, RunFailed
from amtrio.client.events import Message
from amtrio.client.incoming import Incoming
from amtrio.client.outgoing_run import Control, Outcome
from amtrio.client.questions import Questions
from amtrio.client.run import Run
from amtrio.client.sealed_run import SealedRun

if TYPE_CHECKING:  # what is encrypted is loaded by who encrypts
    from amtrio.client.vault import Opened, Vault

# What a handler may be: `async def` that returns a text or nothing, or an async generator of texts; with or without
# the run as second argument.
Handler = Callable[..., Awaitable[str | None] | AsyncIterator[str]]
OnError = Callable[[Incoming, Exception], None]

# The server ends a typing sign after 6 s; said again every 3 s it stays on.
_TYPING_AGAIN_S: Final = 3.0
# A handler that was cancelled may clean up for so long; then its run is ended without it. The server waits 15 s.
CLEAN_UP_S: Final = 5.0
# So long an agent that is ended waits for the answer to the end of a run.
END_WITHIN_S: Final = 2.0
# What of an error people see at most, characters.
_ERROR_CHARACTERS: Final = 500
# A message that cannot be answered any more, which is nobody's error.
_NOT_THERE: Final = frozenset({"withdrawn", "not_found"})
_RESTARTED: Final = "The agent was restarted before it had finished."


class Turn:
    """
    The handling of one message.

    Args:
        opened: what the message says, if it came encrypted, and the vault that opened it: the answer is encrypted then.

    Attributes:
        is_settled: the server has the end of it, or there is nothing to do: the message is done with.
        unread: what was said into the run and read by nobody; once it is over.
        said_into: messages said into the run that the log told of, and what to call when each is done with.
    """

    def __init__(
        self,
        connection: Connection,
        message: Message,
        handler: Handler,
        *,
        questions: Questions,
        shows_typing: bool,
        on_error: OnError,
        opened: tuple[Vault, Opened] | None = None,
    ) -> None:
        self.message = message
        said = None if opened is None else opened[1]
        self.incoming = (
            Incoming.of(message) if said is None else Incoming.of(message, said.text, said.files, said.missing)
        )
        self.is_settled = False
        self.unread: list[Control] = []
        self.said_into: dict[str, tuple[Message, Callable[[], None]]] = {}
        self._connection = connection
        self._handler = handler
        self._shows_typing = shows_typing
        self._on_error = on_error
        self._out = connection.runs.open(run_id_of(message.message_id), message.conversation_id, message.message_id)
        self.run = (
            Run(connection, self._out, questions)
            if opened is None
            else SealedRun(connection, self._out, questions, opened[0], opened[1].session_id)
        )
        self._handler_is_over = False
        self._is_ending = False
        self._error: str | None = None

    @property
    def run_id(self) -> str:
        return self._out.run_id

    async def play(self) -> None:
        """From the opening of the run to its end; cancelling ends it as `interrupted`, within a few seconds."""
        try:
            await self.run.flow.until(lambda: self._out.found is not None or self._out.has_ended)
            if self._out.has_ended:
                self._skip()
            elif self._is_of_earlier_life():
                # Handling it anew could do twice what must be done once. The person sees what happened.
                self._error = _RESTARTED
                await self._hand_over()
                self._finish("interrupted")
                await self._until_ended()
            else:
                await self._handle()
        finally:
            self._connection.runs.forget(self._out)

    def _skip(self) -> None:
        """Withdrawn, deleted, or handled by an earlier life of ours; or the connection has ended for good."""
        self.is_settled = not self._connection.has_ended
        failure = self._out.failure
        if self.is_settled and isinstance(failure, Refused) and failure.code not in _NOT_THERE:
            self._on_error(self.incoming, failure)

    def _is_of_earlier_life(self) -> bool:
        """
        Whether the run was begun by a process of ours that is gone.

        If we had to ask twice, it was this one, unless something is written in it already.
        """
        found = self._out.found
        return found is not None and found.repeated and (self._out.attempts == 1 or bool(found.parts))

    async def _until_ended(self) -> None:
        await self.run.flow.until(lambda: self._out.has_ended)
        self.is_settled = not self._connection.has_ended

    async def _handle(self) -> None:
        self._connection.post("read", conversation_id=self.message.conversation_id, up_to=self.message.conversation_seq)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._call)
            if self._shows_typing:
                tasks.start_soon(self._keep_typing)
            try:
                await self._until_over_or_stopped()
                await self._hand_over()
                self._end("stopped" if self.run.is_stopping else "done")
                await self._until_ended()
                # One that does not end within its time to clean up still keeps the next message waiting.
                await self.run.flow.until(lambda: self._handler_is_over)
            except anyio.get_cancelled_exc_class():
                await self._leave()
                raise
            tasks.cancel_scope.cancel()

    async def _until_over_or_stopped(self) -> None:
        over = self.run.flow.until
        await over(lambda: self._handler_is_over or self.run.scope.cancel_called)
        with anyio.move_on_after(CLEAN_UP_S):
            await over(lambda: self._handler_is_over)

    async def _leave(self) -> None:
        """The agent is being ended: so does the handler, and what it wrote is kept."""
        with anyio.move_on_after(CLEAN_UP_S, shield=True):
            await self.run.flow.until(lambda: self._handler_is_over)
        with anyio.move_on_after(END_WITHIN_S, shield=True):
            await self._hand_over()
        self._end("interrupted")
        with anyio.move_on_after(END_WITHIN_S, shield=True):
            await self._until_ended()

    async def _hand_over(self) -> None:
        """What was held back, because the message came encrypted, goes out before the run ends."""
        if not isinstance(self.run, SealedRun):
            return
        try:
            await self.run.hand_over(self.message.message_id, self._error)
        except Exception as exc:  # noqa: BLE001 - as in `_call`: a conversation that is gone must not end the agent
            if not self._connection.has_ended:
                self._on_error(self.incoming, exc)

    def _end(self, outcome: Outcome) -> None:
        if self._is_ending:
            return
        self._is_ending = True
        self.unread = self.run.over()
        # What the handler said of itself counts more than how it was ended.
        self._finish("failed" if self._error is not None else outcome)

    def _finish(self, outcome: Outcome) -> None:
        if isinstance(self.run, SealedRun):
            # An error may repeat what was said. It is in the encrypted message, and the run leaves nothing.
            self._out.finish(outcome)
        else:
            self._out.finish(outcome, error=self._error, usage=self._usage())

    def _usage(self) -> dict[str, Any] | None:
        return dict(self.run.usage) if self.run.usage else None

    async def _call(self) -> None:
        try:
            with self.run.scope:
                await self._invoke()
        except Exception as exc:  # noqa: BLE001 - one message must not end the agent; whoever wrote the handler is told
            self._failed(exc)
        finally:
            self._handler_is_over = True
            self.run.flow.changed()

    async def _invoke(self) -> None:
        result = self._handler(*(self.incoming, self.run)[: _arguments_of(self._handler)])
        if isinstance(result, AsyncIterator):
            async with AsyncExitStack() as leaving:
                if isinstance(result, AsyncGenerator):
                    await leaving.enter_async_context(aclosing(result))
                async for text in result:
                    await self.run.write(_as_text(text))
        else:
            whole = await result
            if whole is not None:
                await self.run.write(_as_text(whole))

    def _failed(self, error: Exception) -> None:
        if isinstance(error, ExceptionGroup):
            rest = error.split(RunClosed)[1]
            if rest is None:
                return
            error = _unwrapped(rest)
        if isinstance(error, RunClosed) or self._connection.has_ended:
            return
        if isinstance(error, RunFailed):
            self._error = str(error)[:_ERROR_CHARACTERS] or "failed"
            return
        self._error = f"{type(error).__name__}: {error}"[:_ERROR_CHARACTERS]
        self._on_error(self.incoming, error)

    async def _keep_typing(self) -> None:
        """Until the first text is there, which shows more."""
        while not self.run.first_text.is_set():
            self._connection.typing(self.message.conversation_id)
            with anyio.move_on_after(_TYPING_AGAIN_S):
                await self.run.first_text.wait()


def run_id_of(message_id: str) -> str:
    """
    The id of the run that answers a message.

    Made from the message alone: whoever handles it a second time, after a crash or in another process, finds the run
    of the first time.
    """
    return "run:" + hashlib.sha256(message_id.encode()).hexdigest()[:40]


def _as_text(said: object) -> str:
    if not isinstance(said, str):
        raise TypeError(f"a handler says texts, not {type(said).__name__}")
    return said


def _arguments_of(handler: Handler) -> int:
    """How many of (message, run) it takes."""
    parameters = inspect.signature(handler).parameters.values()
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return 2
    taken = [each for each in parameters if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}]
    return min(2, len(taken))


def _unwrapped(error: Exception) -> Exception:
    """The one error inside of groups; a group of several as it is."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
