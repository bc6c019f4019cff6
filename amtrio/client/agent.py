"""A program that answers people, as its author sees it: made with a credential, given a handler, run.

Knows how it begins and ends. Which message is handled when stands in `service`, what happens then in `turn`.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

import anyio
import anyio.to_thread
import httpx

from amtrio.client.backoff import Backoff
from amtrio.client.card import Card
from amtrio.client.connection import Connection
from amtrio.client.cursors import Cursors
from amtrio.client.errors import ClientError
from amtrio.client.incoming import Incoming
from amtrio.client.service import Service
from amtrio.client.turn import CLEAN_UP_S, END_WITHIN_S, Handler

if TYPE_CHECKING:  # what is encrypted is loaded by who encrypts
    from amtrio.client.vault import Vault

# What an agent that is ended may take: handlers clean up, encrypted answers leave, runs are ended, the place in the log
# is confirmed.
_LEAVE_WITHIN_S: Final = CLEAN_UP_S + 2 * END_WITHIN_S + 2.0
H = TypeVar("H", bound=Handler)


class Agent:
    """
    An agent. Give it a handler, then `run` or `serve` it.

        agent = Agent("helper", url="http://127.0.0.1:8080", token="agt_…")

        @agent.on_message
        async def reply(message: Incoming, run: Run) -> None:
            async for token in model(message.content):
                await run.write(token)

        agent.run()

    Messages of one conversation are handled one after the other, in order; each once, over drops, restarts of the
    server and of the agent. A handler that an earlier process did not finish is not run again: the person sees that
    it was interrupted.

    Args:
        agent_id, token: as `amtrio agent add` printed them.
        card: what it says about itself, told after every connecting.
        cursors: where to keep the place in the log; without, the server's note of it counts.
        vault: where to keep keys, so that people can write encrypted (`amtrio.client.vault.Vault`).
        concurrency: how many conversations are answered at once.
        typing: show that it types until the first text is there.
        client: name and version of the program.
        http: a client of your own (proxy, certificates); it stays yours to close.
        on_error: gets what a handler raised; without, it is logged to `amtrio.client`.
        report: gets a line when the connection comes and goes.
        options: further ones of `Connection`.
    """

    def __init__(
        self,
        agent_id: str,
        *,
        url: str,
        token: str,
        card: Card | None = None,
        cursors: Cursors | None = None,
        vault: Vault | None = None,
        concurrency: int = 16,
        typing: bool = True,
        client: str = "amtrio-python",
        backoff: Backoff | None = None,
        http: httpx.AsyncClient | None = None,
        on_error: Callable[[Incoming, Exception], None] | None = None,
        report: Callable[[str], None] = lambda _line: None,
        **options: Any,
    ) -> None:
        self.agent_id = agent_id
        self.url = url
        self._card = card or Card()
        self._vault = vault
        self._concurrency = concurrency
        self._shows_typing = typing
        self._on_error = on_error or _log_error
        self._report = report
        self._options = {
            **options,
            "token": token,
            "agent_id": agent_id,
            "cursors": cursors,
            "client": client,
            "backoff": backoff,
            "http": http,
        }
        self._handler: Handler | None = None
        self._accepts_encrypted = False

    @overload
    def on_message(self, handler: H, /) -> H: ...
    @overload
    def on_message(self, handler: None = None, /, *, accept_encrypted: bool = False) -> Callable[[H], H]: ...
    def on_message(self, handler: Any = None, /, *, accept_encrypted: bool = False) -> Any:
        """
        Set the handler, as a decorator or called with it.

        It is an `async def` that takes the message and, if it wants to, the run; what it returns is written. Or an
        async generator; what it yields is written as it comes.

        Args:
            accept_encrypted: it also wants messages that nobody here can read; `kind` is `encrypted` then. What the
                vault can open comes as a text anyhow.
        """

        def keep(handler: H) -> H:
            self._handler = handler
            self._accepts_encrypted = accept_encrypted
            return handler

        return keep if handler is None else keep(handler)

    def run(self, *, backend: Literal["trio", "asyncio"] = "trio") -> None:
        """
        Serve until SIGINT or SIGTERM, which end it in order. For programs that are nothing but this agent.

        Raises:
            AuthenticationEnded: the credential is wrong or was revoked. Replaced: another program runs as this agent.
        """
        anyio.run(self._serve_until_signalled, backend=backend)

    async def _serve_until_signalled(self) -> None:
        failure: ClientError | None = None
        async with anyio.create_task_group() as tasks:

            async def serve() -> None:
                nonlocal failure
                try:
                    await self.serve()
                except ClientError as exc:
                    failure = exc
                tasks.cancel_scope.cancel()

            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                tasks.start_soon(serve)
                async for _ in signals:
                    tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def serve(self) -> None:
        """
        Answer people until cancelled, under asyncio or Trio. Then handlers are cancelled and may clean up for 5 s.

        Raises:
            AuthenticationEnded: the credential is wrong or was revoked. Replaced: another program runs as this agent.
            ValueError: it has no handler, or the vault is another agent's. OSError: the vault cannot be read.
        """
        if self._handler is None:
            raise ValueError("an agent needs a handler: see Agent.on_message")
        if self._vault is not None:
            await anyio.to_thread.run_sync(self._vault.claim, f"agent:{self.agent_id}")
        ending = _Ending()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._live, ending)
                try:
                    await ending.over.wait()
                finally:
                    ending.asked.set()
        finally:
            if self._vault is not None:
                self._vault.close()
        if ending.failure is not None:
            raise ending.failure

    async def _live(self, ending: _Ending) -> None:
        """Shielded, since handlers and runs are ended over the very connection that would be cancelled with them."""
        try:
            with anyio.CancelScope(shield=True) as life:
                async with Connection(self.url, confirm="manual", **self._options) as connection:
                    await self._answer(connection, ending, life)
        except ClientError as exc:
            ending.failure = exc
        finally:
            ending.over.set()

    async def _answer(self, connection: Connection, ending: _Ending, life: anyio.CancelScope) -> None:
        assert self._handler is not None
        service = Service(
            connection,
            self._handler,
            card=self._card,
            concurrency=self._concurrency,
            shows_typing=self._shows_typing,
            accepts_encrypted=self._accepts_encrypted,
            on_error=self._on_error,
            report=self._report,
            vault=self._vault,
        )
        failure: ClientError | None = None
        async with anyio.create_task_group() as tasks:

            async def leave_when_asked() -> None:
                await ending.asked.wait()
                life.deadline = anyio.current_time() + _LEAVE_WITHIN_S
                tasks.cancel_scope.cancel()

            tasks.start_soon(leave_when_asked)
            try:
                await service.run()
            except ClientError as exc:
                failure = exc  # raised outside of the group, which would wrap it
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure


@dataclass(slots=True)
class _Ending:
    """Attributes: asked: it shall end. over: it has ended, because of `failure` if there is one."""

    asked: anyio.Event = field(default_factory=anyio.Event)
    over: anyio.Event = field(default_factory=anyio.Event)
    failure: ClientError | None = None


def _log_error(message: Incoming, error: Exception) -> None:
    logging.getLogger("amtrio.client").error("the handler of message %s failed", message.message_id, exc_info=error)
