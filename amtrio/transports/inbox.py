"""What comes in from one client: commands, their budgets, and how many may wait for the database at once.

A command that is one transaction goes to the writer without a task of its own; its answer is written when the commit
is on disk, in the order of the frames. Knows the table of commands; knows no feature and no log.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import outcome
import structlog
import trio

from amtrio.context import Context, account_key
from amtrio.errors import AmtrioError, Conflict, Forbidden, RateLimited
from amtrio.feature import CommandSpec, Handler
from amtrio.idempotency import call, once
from amtrio.model.posting import MessageSent

if TYPE_CHECKING:
    from collections.abc import Awaitable

    import msgspec

    from amtrio.limits import TokenBucket
    from amtrio.protocol.dialects import Dialect
    from amtrio.tracing import Traced
    from amtrio.transports.outbox import Outbox
    from amtrio.transports.session import Session
    from amtrio.transports.ws import Socket

log = structlog.stdlib.get_logger(__name__)


class Inbox:
    """One session's commands."""

    __slots__ = (
        "_context",
        "_dialect",
        "_in_flight",
        "_is_over",
        "_most_in_flight",
        "_outbox",
        "_refused_client_id",
        "_room",
        "_session",
        "_socket",
        "_tracing",
    )

    def __init__(self, session: Session, socket: Socket, dialect: Dialect, context: Context, outbox: Outbox) -> None:
        self._session = session
        self._socket = socket
        self._dialect = dialect
        self._context = context
        self._tracing = context.services.tracing
        self._outbox = outbox
        self._in_flight = 0
        self._most_in_flight = context.config.sessions.units_in_flight
        self._room: trio.Event | None = None
        self._refused_client_id: str | None = None
        self._is_over = False

    def end(self) -> None:
        """Answer nothing more. Units on their way happen or not, as the writer decides."""
        self._is_over = True
        if self._room is not None:
            self._room.set()

    def take(self, spec: CommandSpec, frame: msgspec.Struct, ref: bytes | None) -> Awaitable[None] | None:
        """
        Charge and run a command; an awaitable answer stops the reading until there is room again.

        Raises:
            AmtrioError: it was refused before it ran; the session answers.
        """
        context = self._context
        client_id: str | None = getattr(frame, "client_id", None)
        span = None
        if self._tracing is not None:
            span = self._tracing.frame(spec.word, self._dialect.name, context.principal.kind)
        try:
            if spec.who not in ("member", "anyone", context.principal.kind):
                text = f"{spec.word} is not for {context.principal.kind}s"
                raise Forbidden(text)
            if spec.budget == "message":
                wait = self._charge_message(client_id)
                if wait > 0:
                    return self._run_later(wait, spec, frame, ref, client_id, span)
            elif spec.budget == "run":
                wait = self._charge_run()
                if wait > 0:
                    return self._run_later(wait, spec, frame, ref, client_id, span)
            elif spec.budget == "ephemeral":
                bucket = context.services.limits.ephemeral(context.principal.account)
                self._charge(bucket, "too many typing and status frames")
            else:
                self._charge(context.services.limits.commands(context.principal.account), "too many commands")
        except AmtrioError as exc:
            self._session.refuse(exc, ref, client_id)
            self._end(span, exc)
            return self.room_if_pressed()
        return self._run(spec, frame, ref, client_id, span)

    def _run(
        self, spec: CommandSpec, frame: msgspec.Struct, ref: bytes | None, client_id: str | None, span: Traced | None
    ) -> Awaitable[None] | None:
        if spec.style == "now":
            return self._run_now(spec, frame, ref, client_id, span)
        if spec.style != "write":
            return self._run_async(spec, frame, ref, client_id, span)
        self._in_flight += 1
        done = partial(self._done, spec.word, ref, client_id, time.perf_counter(), span)
        self._context.store.submit(_fenced, (self._context, spec, frame), done, cause=span)
        return self.room_if_pressed()

    def _run_now(
        self, spec: CommandSpec, frame: msgspec.Struct, ref: bytes | None, client_id: str | None, span: Traced | None
    ) -> Awaitable[None] | None:
        error: AmtrioError | None = None
        try:
            reply = spec.function(self._context, frame)
            if reply is not None:
                self._session.send(self._dialect.reply(reply, ref, word=spec.word, is_delivered=False))
        except AmtrioError as exc:
            error = exc
            self._session.refuse(exc, ref, client_id)
        self._end(span, error)
        return self.room_if_pressed()

    async def _run_async(
        self, spec: CommandSpec, frame: msgspec.Struct, ref: bytes | None, client_id: str | None, span: Traced | None
    ) -> None:
        error: BaseException | None = None
        try:
            with nullcontext() if self._tracing is None or span is None else self._tracing.under(span):
                reply = await call(spec, self._context, frame)
        except AmtrioError as exc:
            error = exc
            self._session.refuse(exc, ref, client_id)
        except BaseException as exc:
            error = exc
            raise
        else:
            if reply is not None:
                # A page may be large: behind what is waiting already it would be too much for the socket.
                await self._wait_for_room()
                self._session.send(self._dialect.reply(reply, ref, word=spec.word, is_delivered=False))
        finally:
            self._end(span, error)
        await self._wait_for_room()

    def _end(self, span: Traced | None, error: BaseException | None) -> None:
        """It is answered, or never will be."""
        if span is not None and self._tracing is not None:
            self._tracing.end_frame(span, error)

    def _done(
        self,
        word: str,
        ref: bytes | None,
        client_id: str | None,
        began: float,
        span: Traced | None,
        result: outcome.Outcome[Any],
    ) -> None:
        """A unit's outcome is known; called after the commit, in the order of the frames."""
        self._in_flight -= 1
        # Only of what it waits for: it looks at the socket's buffer itself, and nobody else would wake it after that.
        if self._room is not None and self._in_flight < self._most_in_flight:
            self._room.set()
        if not self._is_over:
            try:
                if isinstance(result, outcome.Error):
                    self._failed(word, result.error, ref, client_id)
                else:
                    self._answer(word, result.unwrap(), ref, began)
            except Exception:
                # The writer that calls this serves everybody; a bug of ours here ends this session alone.
                log.exception("session_failed", account=self._context.principal.account, word=word)
                self._session.break_down()
        if span is not None:
            self._end(span, result.error if isinstance(result, outcome.Error) else None)

    def _answer(self, word: str, reply: Any, ref: bytes | None, began: float) -> None:
        if reply is None:
            return
        services = self._context.services
        is_delivered = False
        if isinstance(reply, MessageSent):
            services.metrics.ack_seconds.observe(time.perf_counter() - began)
            account = self._context.principal.account
            if reply.repeated:
                services.limits.messages(account).give_back()
            else:
                services.metrics.messages_stored += 1
            is_agent = account[0] == "a"
            other = account_key("user", reply.user_id) if is_agent else account_key("agent", reply.agent_id)
            is_delivered = services.fanout.is_online(other)
        self._session.send(self._dialect.reply(reply, ref, word=word, is_delivered=is_delivered))

    def _failed(self, word: str, error: BaseException, ref: bytes | None, client_id: str | None) -> None:
        if isinstance(error, AmtrioError):
            self._session.refuse(error, ref, client_id)
            return
        # A bug of ours in one unit: its sender is told, everybody else's units went through.
        self._context.services.metrics.errors += 1
        log.error("command_failed", word=word, account=self._context.principal.account, exc_info=error)
        self._session.refuse(AmtrioError("the server failed to do this"), ref, client_id)

    # -- budgets ---------------------------------------------------------------

    def _charge_message(self, client_id: str | None) -> float:
        """
        Take a token, or say how many seconds the reading should wait for one.

        Raises:
            RateLimited: the wait would be too long.
        """
        services = self._context.services
        bucket = services.limits.messages(self._context.principal.account)
        if self._refused_client_id is not None:
            # What came after a refused message waits for it, or the two would change places.
            if client_id != self._refused_client_id:
                raise self._over_budget(max(bucket.wait_seconds(), 0.001), None)
            self._refused_client_id = None
        if bucket.take():
            return 0.0
        wait = bucket.wait_seconds()
        if wait > services.config.sessions.max_read_delay_s:
            raise self._over_budget(wait, client_id)
        return wait

    async def _run_later(
        self,
        wait: float,
        spec: CommandSpec,
        frame: msgspec.Struct,
        ref: bytes | None,
        client_id: str | None,
        span: Traced | None,
    ) -> None:
        await trio.sleep(wait)
        if self._is_over:
            self._end(span, None)
            return
        if spec.budget == "run":
            self._charge_run()  # an agent has one socket: nobody else took it
            await self._run_and_wait(spec, frame, ref, client_id, span)
            return
        bucket = self._context.services.limits.messages(self._context.principal.account)
        if not bucket.take():
            # Another socket of the account took it.
            refusal = self._over_budget(bucket.wait_seconds(), client_id)
            self._session.refuse(refusal, ref, client_id)
            self._end(span, refusal)
            return
        await self._run_and_wait(spec, frame, ref, client_id, span)

    async def _run_and_wait(
        self, spec: CommandSpec, frame: msgspec.Struct, ref: bytes | None, client_id: str | None, span: Traced | None
    ) -> None:
        waiting = self._run(spec, frame, ref, client_id, span)
        if waiting is not None:
            await waiting

    def _charge_run(self) -> float:
        """Take a token, or say how many seconds the reading waits for one, however long that is."""
        bucket = self._context.services.limits.run_frames(self._context.principal.account)
        return 0.0 if bucket.take() else max(bucket.wait_seconds(), 0.001)

    def _over_budget(self, wait: float, client_id: str | None) -> RateLimited:
        self._context.services.metrics.rate_limited += 1
        if client_id is not None and self._dialect.name != "v1":
            self._refused_client_id = client_id
        text = "rate limit exceeded: too many messages"
        return RateLimited(text, retry_after_ms=int(wait * 1000) + 1)

    def _charge(self, bucket: TokenBucket, text: str) -> None:
        if not bucket.take():
            self._context.services.metrics.rate_limited += 1
            raise RateLimited(f"rate limit exceeded: {text}", retry_after_ms=int(bucket.wait_seconds() * 1000) + 1)

    # -- pressure ------------------------------------------------------------------

    def _is_pressed(self) -> bool:
        return self._in_flight >= self._most_in_flight or self._socket.buffered > self._outbox.high_water

    def room_if_pressed(self) -> Awaitable[None] | None:
        """What the reader should wait for before it reads on, if anything."""
        return self._wait_for_room() if self._is_pressed() else None

    async def _wait_for_room(self) -> None:
        """Until the writer and the socket have taken enough of what there is."""
        while self._is_pressed() and not self._is_over:
            if self._in_flight >= self._most_in_flight:
                self._room = trio.Event()
                await self._room.wait()
                self._room = None
            else:
                await self._socket.drained(self._outbox.low_water)


def _fenced(tx: Any, context: Context, spec: Handler, frame: msgspec.Struct) -> Any:
    """A unit of a session that was replaced meanwhile does not happen."""
    if not context.is_current():
        text = "this connection was replaced by a newer one"
        raise Conflict(text)
    return once(tx, context, spec, frame)
