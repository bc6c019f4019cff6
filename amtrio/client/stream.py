"""The rules of one logical connection: its place in the log, holes, resync, and commands that wait for an answer.

Sans I/O: times are numbers that the caller brings (seconds of any monotonic clock). Knows no socket and no task.
Source: docs/protocol.md, "Resume and resync" and "Resending".
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import dropwhile
from typing import Any

import msgspec

from amtrio.client.errors import Refused, as_retry

# Commands that no frame answers: sent when there is a socket, else forgotten. They are about this moment only.
UNANSWERED = frozenset({"typing", "status", "ack", "visible"})
# Commands that change nothing, so that doing them again makes no sense later.
ASKING = frozenset({"history", "ping", "heartbeat", "run_attach"})
# The server counts them in one budget and one order. Source: docs/protocol.md, "Order under a rate limit".
_MESSAGES = frozenset({"message", "encrypted_message"})
# How long and how many answered commands are kept for a server that comes back with an older state of itself.
# Source: docs/protocol.md, "Resending" case 13. 1,000 messages are a busy day of a person.
_REPEAT_WITHIN_S = 24 * 3600.0
_REPEAT_AT_MOST = 1000
# After "try the same again" without a time: the server has trouble with its disk or is leaving.
_RETRY_SAME_S = 1.0


class Position(msgspec.Struct, frozen=True):
    """
    A place in an account's log.

    Attributes:
        epoch: which history of the server; another one after a restored backup. seq: everything up to it is known.
    """

    epoch: str
    seq: int


class Verdict(Enum):
    """What to do with a numbered event."""

    TAKE = "the next one"
    KNOWN = "had it before"
    HOLE = "something between is missing: reconnect with `since`"
    NO_ROOM = "the consumer is behind: it will be asked for again"


class Log:
    """
    Where we are in the account's log.

    Three places, never in the wrong order: `confirmed` (the consumer is done with it; told to the server and kept for
    the next run) <= `base` (where a new socket goes on) <= the last number received.
    """

    def __init__(self, start: Position | None, *, needs_snapshot: bool = False) -> None:
        self.confirmed = start
        self.base = start
        self.needs_snapshot = needs_snapshot
        self.is_behind = False
        self._last = start.seq if start else 0
        self._open: OrderedDict[int, _Open] = OrderedDict()  # in the order of the log

    def resume(self) -> dict[str, Any]:
        """Fields of `hello` that say where to go on; none on the very first connection."""
        return {"since": self.base.seq, "epoch": self.base.epoch} if self.base else {}

    def opened(self, epoch: str, seq: int) -> bool:
        """
        A socket is there and goes on after `seq`.

        Returns:
            False if it would leave out something: a snapshot is needed.
        """
        self.is_behind = False
        if self.base is None:
            self.base = self.confirmed = Position(epoch, seq)
            self._last = seq
        elif epoch != self.base.epoch or seq > self._last:
            self.needs_snapshot = True
        return not self.needs_snapshot

    def judge(self, seq: int, *, has_room: bool) -> Verdict:
        """Look at the number of an event; TAKE moves on."""
        if seq <= self._last:
            return Verdict.KNOWN
        if self.is_behind or not has_room:
            self.is_behind = True
            return Verdict.NO_ROOM
        if seq > self._last + 1:
            return Verdict.HOLE
        self._last = seq
        return Verdict.TAKE

    def position(self) -> Position:
        """The place of what was received last."""
        assert self.base is not None
        return Position(self.base.epoch, self._last)

    def rebuilt(self, position: Position) -> None:
        """A snapshot of this place is on its way to the consumer and stands for everything before it."""
        self.needs_snapshot = False
        self.is_behind = False
        self.base = position
        self._last = position.seq
        # What was handed over before is part of the snapshot; confirming it late says nothing any more.
        self._open.clear()

    def handed_over(self, item: object, position: Position) -> None:
        """The consumer has it, or will find it in its queue, and is not done with it."""
        self._open[id(item)] = _Open(item, position)

    def done(self, item: object) -> bool:
        """
        The consumer is done with it, in any order.

        Returns:
            Whether `confirmed` moved, which it does up to the first one that is not done.
        """
        entry = self._open.get(id(item))
        if entry is None:
            return False  # has no number, or is part of a snapshot that came after it
        entry.is_done = True
        moved = False
        while self._open and next(iter(self._open.values())).is_done:
            _, entry = self._open.popitem(last=False)
            self.base = self.confirmed = entry.position
            moved = True
        return moved


@dataclass(slots=True)
class _Open:
    item: object  # kept so that its id() stays its own
    position: Position
    is_done: bool = False


@dataclass(slots=True)
class Command:
    """
    One command on its way.

    Attributes:
        number: with `attempt` it makes the `ref`, so that a late refusal of an earlier try is known.
        answer: data of the answer, once there. failure: why there will be none.
    """

    word: str
    data: Mapping[str, Any]
    number: int
    attempt: int = 0
    is_sent: bool = False
    not_before: float = 0.0
    answer: Mapping[str, Any] | None = None
    failure: Exception | None = None

    @property
    def ref(self) -> str:
        return f"{self.number}.{self.attempt}"

    @property
    def is_settled(self) -> bool:
        return self.answer is not None or self.failure is not None


@dataclass(slots=True)
class Commands:
    """
    Commands without an answer so far, in the order they were asked for.

    Attributes:
        max_frame_bytes: the server's limit, known once connected. A longer frame would close the socket again
            and again, so it is refused here.
    """

    max_frame_bytes: int | None = None
    _waiting: OrderedDict[int, Command] = field(default_factory=OrderedDict)
    _next: int = 1
    _hold_messages_until: float = 0.0
    _done: deque[tuple[float, str, Mapping[str, Any]]] = field(default_factory=lambda: deque(maxlen=_REPEAT_AT_MOST))

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, word: str, data: Mapping[str, Any]) -> Command:
        command = Command(word, data, self._next)
        self._waiting[self._next] = command
        self._next += 1
        return command

    def forget(self, command: Command) -> None:
        """Nobody waits for it any more. Whether the server did it stays open."""
        self._waiting.pop(command.number, None)

    def abandon(self, failure: Exception) -> list[Command]:
        """There will be no further socket: all of them fail."""
        abandoned = list(self._waiting.values())
        self._waiting.clear()
        for command in abandoned:
            command.failure = failure
        return abandoned

    def lost(self) -> None:
        """The socket is gone: everything unanswered will be sent again, in order, with the same client_id."""
        for command in self._waiting.values():
            command.is_sent = False

    def restored(self, now: float) -> None:
        """
        The server has another history, say from a backup: what it answered lately it may not know any more.

        All of that goes again, before what waits, under the same client_ids; what it still knows it answers as before.
        """
        waiting, self._waiting = self._waiting, OrderedDict()
        for at, word, data in self._done:
            if now - at <= _REPEAT_WITHIN_S:
                self.add(word, data)
        self._done.clear()
        self._waiting.update(waiting)

    def due(self, now: float) -> tuple[list[bytes], list[Command]]:
        """
        What to send now.

        Returns:
            Frames in order, and commands that failed because they exceed the server's limit.
        """
        frames: list[bytes] = []
        refused: list[Command] = []
        for command in list(self._waiting.values()):
            if command.is_sent or self._not_before(command) > now:
                continue
            command.attempt += 1
            frame = encode_frame(command.word, command.data, command.ref)
            if self.max_frame_bytes is not None and len(frame) > self.max_frame_bytes:
                text = f"{command.word} makes a frame of {len(frame)} bytes, the server takes {self.max_frame_bytes}"
                command.failure = Refused(text, code="too_large")
                self.forget(command)
                refused.append(command)
                continue
            command.is_sent = True
            frames.append(frame)
        return frames, refused

    def next_due(self) -> float:
        """When something has to be sent that is held back now; infinity if nothing is."""
        return min((self._not_before(c) for c in self._waiting.values() if not c.is_sent), default=math.inf)

    def answered(self, ref: object, word: str, data: Mapping[str, Any], now: float) -> Command | None:
        """
        An answer came.

        Returns:
            The command if this settles it; None if it will be sent again, or if nobody waits for it.
        """
        command = self._find(ref, data if word == "error" else {})
        if command is None:
            return None
        if word != "error":
            command.answer = data
            self.forget(command)
            if command.word not in ASKING:
                self._done.append((now, command.word, command.data))
            return command
        if not command.is_sent or (ref is not None and ref != command.ref):
            return None  # refusal of an earlier try: it is on its way again, or will be
        refusal = read_refusal(data)
        if refusal.retry == "no":
            command.failure = refusal
            self.forget(command)
            return command
        self._send_again(command, now + refusal.wait_s(_RETRY_SAME_S))
        return None

    def _send_again(self, command: Command, at: float) -> None:
        command.is_sent = False
        command.not_before = at
        if command.word not in _MESSAGES:
            return
        # The server refuses every later message of this socket until this one has come again, so that the order
        # holds: all of them go again, and new ones queue up behind.
        self._hold_messages_until = max(self._hold_messages_until, at)
        behind = dropwhile(lambda other: other is not command, self._waiting.values())
        for later in behind:
            if later.word in _MESSAGES:
                later.is_sent = False

    def _not_before(self, command: Command) -> float:
        held = self._hold_messages_until if command.word in _MESSAGES else 0.0
        return max(held, command.not_before)

    def _find(self, ref: object, data: Mapping[str, Any]) -> Command | None:
        if isinstance(ref, str):
            number, _, _ = ref.partition(".")
            return self._waiting.get(int(number)) if number.isdecimal() else None
        client_id = data.get("client_id")
        if client_id is None:
            return None
        return next((c for c in self._waiting.values() if c.data.get("client_id") == client_id), None)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame from the server, its data not looked at."""

    word: str
    data: Mapping[str, Any]
    seq: int | None = None
    ref: str | int | None = None


class _Envelope(msgspec.Struct):
    type: str
    data: dict[str, Any] | None = None
    seq: int | None = None
    ref: str | int | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ENCODER = msgspec.json.Encoder()


def read_frame(text: str | bytes) -> Frame | None:
    """The frame, or None if it is of no shape this protocol has (a client ignores what it does not know)."""
    try:
        envelope = _ENVELOPE.decode(text)
    except msgspec.DecodeError:
        return None
    return Frame(envelope.type, envelope.data or {}, envelope.seq, envelope.ref)


def encode_frame(word: str, data: Mapping[str, Any], ref: str | None = None) -> bytes:
    """One text frame. Fields that are None are left out."""
    frame: dict[str, Any] = {"type": word} if ref is None else {"type": word, "ref": ref}
    frame["data"] = {name: value for name, value in data.items() if value is not None}
    return _ENCODER.encode(frame)


def read_refusal(data: Mapping[str, Any], status: int = 0) -> Refused:
    """The data of an `error` frame, or the body of a REST error, as an exception."""
    wait = data.get("retry_after_ms")
    return Refused(
        str(data.get("error") or "refused"),
        code=str(data.get("code") or "unknown"),
        status=status,
        retry=as_retry(data.get("retry")),
        retry_after_ms=wait if isinstance(wait, int) else None,
        details=details if isinstance(details := data.get("details"), dict) else None,
    )
