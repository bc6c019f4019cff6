"""Keeps one logical connection alive: opens sockets one after the other, reads, writes, confirms.

Knows tasks and time. The rules stand in `stream`, the bytes in `transport`; knows nothing of what a message is for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import httpx

from amtrio.client.backoff import SESSION_ENDED, Backoff, final_error
from amtrio.client.cursors import Cursors
from amtrio.client.door import next_frame, say_hello
from amtrio.client.errors import ClientError, Dropped, Refused, Unreachable
from amtrio.client.events import Event, Offline, Online, read_event
from amtrio.client.outgoing import OutgoingRuns
from amtrio.client.rest import Rest
from amtrio.client.stream import Command, Commands, Frame, Log, Position, Verdict, encode_frame
from amtrio.client.transport import Socket, open_socket

# 1,000 events of at most 64 KiB are 64 MB at worst and 1 MB as a rule. Beyond, a consumer that does not keep up is
# given nothing new; once it has caught up, the log is asked for the rest.
QUEUE_EVENTS = 1000
# Frames that no answer is awaited for (typing, status): the newest count.
_LOOSE_FRAMES = 64
# Confirm to the server every so many events or so much later, whichever is first.
# Source: docs/protocol.md, "Resume and resync".
_CONFIRM_EVENTS = 64
_CONFIRM_AFTER_S = 0.25
# A socket that lived this long worked, even if nothing was said on it.
_WORKED_AFTER_S = 10.0
# How long to wait for the last confirmation to leave.
_LEAVE_WITHIN_S = 1.0
_UNAUTHORIZED = 401  # RFC 9110, 15.5.2


class _Reopen(Exception):
    """No failure: the next socket brings what this one cannot."""


class Link:
    """
    One logical connection; `Connection` is its face.

    Args:
        hello: fields of the first frame that say who we are.
        rest: of the same account, for snapshots.

    Attributes:
        runs: what an agent says live; goes out between the commands.
    """

    def __init__(
        self,
        rest: Rest,
        http: httpx.AsyncClient,
        hello: Mapping[str, Any],
        *,
        cursors: Cursors,
        backoff: Backoff,
        ping_every_s: float,
        ping_timeout_s: float,
    ) -> None:
        self._rest = rest
        self._http = http
        self._hello = hello
        self._url = rest.url + ("/agent/connect" if rest.agent_id is not None else "/client/connect")
        self._cursors = cursors
        self._backoff = backoff
        self._ping_every_s = ping_every_s
        self._ping_timeout_s = ping_timeout_s

        self.is_online = False
        self.ended: ClientError | None = None
        self._log = Log(None)
        self._commands = Commands()
        self.runs = OutgoingRuns(wake=self._wake_writer)
        self._settled: dict[int, anyio.Event] = {}
        self._queue: deque[Event] = deque()
        self._loose: deque[bytes] = deque(maxlen=_LOOSE_FRAMES)
        self._kept: Position | None = None
        self._ack_due: int | None = None
        self._progressed = False
        self._is_fresh_snapshot = False
        self._told_offline = False
        self._was_online = False
        self._reopen: Callable[[], None] = _nothing
        # Each is set to wake the one task that waits, which puts a new one in its place before it looks.
        self._arrived = anyio.Event()
        self._to_write = anyio.Event()
        self._written = anyio.Event()
        self._confirmed = anyio.Event()

    async def start(self, *, with_snapshot: bool) -> None:
        self._log = Log(await self._cursors.load(), needs_snapshot=with_snapshot)
        self._kept = self._log.confirmed

    # -------------------------------------------------------------------------------------------- for the consumer

    async def next_event(self) -> Event:
        """
        Take the next event; from one task only.

        Raises:
            ClientError: the link has ended for good.
        """
        while not self._queue:
            if self.ended is not None:
                raise self.ended
            self._arrived = anyio.Event()
            await self._arrived.wait()
        event = self._queue.popleft()
        if self._log.is_behind and len(self._queue) <= QUEUE_EVENTS // 2:
            self._reopen()
        return event

    def done(self, event: Event) -> None:
        """The consumer is done with it, in any order."""
        if self._log.done(event):
            self._confirmed.set()

    async def ask(self, word: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command until it is answered, over as many sockets as it takes."""
        if self.ended is not None:
            raise self.ended
        command = self._commands.add(word, data)
        settled = self._settled[command.number] = anyio.Event()
        self._to_write.set()
        try:
            await settled.wait()
        finally:
            self._commands.forget(command)
            del self._settled[command.number]
        if command.failure is not None:
            raise command.failure
        return command.answer or {}

    def post(self, word: str, data: Mapping[str, Any]) -> None:
        """Send a command like `ask`, without waiting for its answer."""
        if self.ended is None:
            self._commands.add(word, data)
            self._wake_writer()

    def tell(self, word: str, data: Mapping[str, Any]) -> bool:
        """Send what is about this moment only; False, and forgotten, if there is no socket."""
        if self.is_online:
            self._loose.append(encode_frame(word, data))
            self._to_write.set()
        return self.is_online

    async def say_goodbye(self) -> None:
        """Keep and tell the last confirmation, if that is quick."""
        with anyio.move_on_after(_LEAVE_WITHIN_S):
            await self._confirm()
            if self.is_online:
                self._written = anyio.Event()
                self._to_write.set()
                await self._written.wait()

    def end(self, error: ClientError) -> None:
        """No further socket: the consumer gets this after what is queued, waiting commands at once."""
        self.ended = error
        self._arrived.set()
        for command in self._commands.abandon(error):
            self._settle(command)
        self.runs.abandon(error)

    # ------------------------------------------------------------------------------------- one socket after another

    async def run(self) -> None:
        """Stay connected until there is no way back; see `ended`."""
        while self.ended is None:
            opened_at = anyio.current_time()
            try:
                await self._live_once()
            except _Reopen:
                # A server that says `resync` behind every snapshot, or leaves a hole behind every hello, is in
                # trouble: no asking in a circle.
                if self._has_worked(opened_at) or (self._log.needs_snapshot and not self._is_fresh_snapshot):
                    continue
                gone = Dropped("the server left out an event")
            except Dropped as exc:
                self._has_worked(opened_at)
                gone = exc
            final = final_error(gone, was_online=self._was_online)
            if final is not None:
                self.end(final)
                return
            wait_s = self._backoff.wait_s(gone)
            if not self._told_offline:
                self._told_offline = True
                self._enqueue(Offline(reason=gone.reason or str(gone), retry_in_s=wait_s))
            await anyio.sleep(wait_s)

    def _has_worked(self, opened_at: float) -> bool:
        has_worked = self._progressed or anyio.current_time() - opened_at >= _WORKED_AFTER_S
        if has_worked:
            self._backoff.succeeded()
        return has_worked

    async def _live_once(self) -> None:
        """One socket from its opening to its end, which is always `Dropped` or `_Reopen`."""
        self._progressed = self._is_fresh_snapshot = False
        if self._log.needs_snapshot:
            await self._rebuild()
        async with open_socket(
            self._http, self._url, ping_every_s=self._ping_every_s, ping_timeout_s=self._ping_timeout_s
        ) as socket:
            self._enqueue(await self._say_hello(socket))
            self._told_offline = False
            self._loose.clear()
            self._commands.lost()
            self.runs.lost()
            self.is_online = self._was_online = True
            try:
                await self._converse(socket)
            finally:
                self.is_online = False
                self._reopen = _nothing

    async def _rebuild(self) -> None:
        try:
            snapshot = await self._rest.snapshot()
        except Refused as exc:
            code = SESSION_ENDED if exc.status == _UNAUTHORIZED else 1006
            wait_s = None if exc.retry_after_ms is None else exc.retry_after_ms / 1000
            raise Dropped(f"no snapshot: {exc}", code=code, status=exc.status, retry_after_s=wait_s) from exc
        except Unreachable as exc:
            raise Dropped(str(exc)) from exc
        assert snapshot.seq is not None
        position = Position(snapshot.epoch, snapshot.seq)
        if self._log.base is not None and self._log.base.epoch != position.epoch:
            self._commands.restored(anyio.current_time())
        # The snapshot holds what these would tell; behind it they would tell it twice.
        passing = [event for event in self._queue if event.seq is None]
        self._queue.clear()
        self._queue.extend(passing)
        self._log.rebuilt(position)
        self._log.handed_over(snapshot, position)
        self._enqueue(snapshot)
        self._is_fresh_snapshot = True

    async def _say_hello(self, socket: Socket) -> Online:
        opening = await say_hello(socket, {**self._hello, **self._log.resume()})
        if not self._log.opened(opening.epoch, opening.seq):
            raise _Reopen
        self._commands.max_frame_bytes = self.runs.max_frame_bytes = opening.limits.get("max_message_bytes")
        return Online(
            id=opening.id,
            kind=opening.kind,
            device_id=opening.device_id,
            limits=opening.limits,
            capabilities=opening.capabilities,
        )

    # ---------------------------------------------------------------------------------------------------- on one socket

    async def _converse(self, socket: Socket) -> None:
        hurry = anyio.CancelScope()
        self._reopen = hurry.cancel
        ending: Exception = _Reopen()  # reading ends without an error only in a hurry
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write, socket)
            try:
                with hurry:
                    await self._read(socket)
            except (Dropped, _Reopen) as exc:
                ending = exc  # raised outside of the group, which would wrap it
            tasks.cancel_scope.cancel()
        raise ending

    async def _read(self, socket: Socket) -> None:
        while True:
            frame = await next_frame(socket)
            if frame.seq is not None:
                self._take_numbered(frame, frame.seq)
            elif frame.word == "resync":
                self._log.needs_snapshot = True
                raise _Reopen
            elif frame.ref is not None or frame.word == "error":
                self._take_answer(frame)
            elif self.runs.heard(frame.word, frame.data):
                self._progressed = True
            elif len(self._queue) < QUEUE_EVENTS:
                self._enqueue(read_event(frame.word, frame.data, None))

    def _take_numbered(self, frame: Frame, seq: int) -> None:
        verdict = self._log.judge(seq, has_room=len(self._queue) < QUEUE_EVENTS)
        if verdict is Verdict.HOLE:
            raise _Reopen
        if verdict is Verdict.TAKE:
            event = read_event(frame.word, frame.data, seq)
            self._log.handed_over(event, self._log.position())
            self._enqueue(event)
            self._progressed = True

    def _take_answer(self, frame: Frame) -> None:
        self._progressed = True
        now = anyio.current_time()
        if self.runs.answered(frame.ref, frame.word, frame.data, now):
            return
        command = self._commands.answered(frame.ref, frame.word, frame.data, now)
        if command is None:
            self._to_write.set()  # it may have to be sent again: the writer looks when
        else:
            self._settle(command)

    async def _write(self, socket: Socket) -> None:
        while True:
            self._to_write = anyio.Event()
            now = anyio.current_time()
            frames, refused = self._commands.due(now)
            for command in refused:
                self._settle(command)
            frames.extend(self.runs.due(now))
            frames.extend(self._loose)
            self._loose.clear()
            if self._ack_due is not None:
                frames.append(encode_frame("ack", {"seq": self._ack_due}))
                self._ack_due = None
            try:
                for frame in frames:
                    await socket.send(frame)
            except Dropped:
                return  # the reader hears of it too, and knows the close code
            wait_s = min(self._commands.next_due(), self.runs.next_due()) - anyio.current_time()
            if wait_s > 0:
                if not self._to_write.is_set():
                    self._written.set()
                with anyio.move_on_after(wait_s):
                    await self._to_write.wait()

    # -------------------------------------------------------------------------------------------------- confirming

    async def keep_confirming(self) -> None:
        """Keep the place and tell the server: not for each event, but soon."""
        while True:
            self._confirmed = anyio.Event()
            if self._log.confirmed == self._kept:
                await self._confirmed.wait()
            with anyio.move_on_after(_CONFIRM_AFTER_S):
                while not self._is_confirmation_far():
                    self._confirmed = anyio.Event()
                    await self._confirmed.wait()
            await self._confirm()

    def _is_confirmation_far(self) -> bool:
        now, kept = self._log.confirmed, self._kept
        if now is None or kept is None or now.epoch != kept.epoch:
            return now is not None
        return now.seq - kept.seq >= _CONFIRM_EVENTS

    async def _confirm(self) -> None:
        position = self._log.confirmed
        if position is None or position == self._kept:
            return
        # Here first, then there: the server must never believe more than this side would know after a crash.
        await self._cursors.save(position)
        self._kept = position
        self._ack_due = position.seq
        self._to_write.set()

    def _wake_writer(self) -> None:
        self._to_write.set()

    def _enqueue(self, event: Event) -> None:
        self._queue.append(event)
        self._arrived.set()

    def _settle(self, command: Command) -> None:
        settled = self._settled.get(command.number)
        if settled is not None:
            settled.set()


def _nothing() -> None: ...
