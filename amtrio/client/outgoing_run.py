"""One run on its way to the server: which frame goes next, over as many sockets as it takes.

Sans I/O: times are numbers that the caller brings (seconds of any monotonic clock). Knows no socket and no task.
Source: docs/protocol.md, "Runs".

Nothing that was written is lost, and nothing arrives twice or in another order, since of each part both sides know
how many code points the server has: after every loss the server says so, and the rest goes again from there. A run is
at most 512 KiB, so all of it is kept until it has ended; a server that came back from a backup then gets it anew.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, Literal

import msgspec

from amtrio.client.errors import ClientError, Refused, RunClosed
from amtrio.client.outgoing_part import FRAME_BYTES, Kind, Part, clean
from amtrio.client.stream import encode_frame, read_refusal

Outcome = Literal["done", "stopped", "failed", "interrupted"]

# Frames of one run that leave at once, before another run has its turn.
_TURN_BYTES: Final = 2 * FRAME_BYTES
# What is written within this time goes in one frame. The server shows people what is new about every 30 ms.
_MERGE_S: Final = 0.02
_MERGE_CHARACTERS: Final = 4096
# Fields that run_finish cannot do without.
_FINISH_AT_LEAST: Final = frozenset({"run_id", "outcome"})
# After a refusal that invites to come again without a time.
_AGAIN_S: Final = 1.0
# After the server said that something is missing: no asking in a tight circle with a server in trouble.
_RECOVER_S: Final = 0.1


class Stage(Enum):
    """What the server has to tell next about a run."""

    START = "that it is open"
    RESUME = "how much it has: a socket broke, or something was refused"
    OPEN = "nothing: what is new may go"
    CHECK = "how much it has, since the run is about to end"
    ENDED = "nothing any more"


class RunEnd(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a run ended, whoever ended it.

    Attributes:
        message_id, conversation_seq: the message that keeps it; None if there was nothing to keep.
    """

    outcome: str = "done"
    message_id: str | None = None
    conversation_seq: int | None = None


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants of a run. Attributes: text, message_id: of the message that steers it."""

    control_id: str
    action: str
    text: str | None = None
    message_id: str | None = None


class _PartState(msgspec.Struct, frozen=True):
    part: int
    kind: str
    offset: int = 0


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """What the server has of a run. Attributes: repeated: it was there before `run_start` came."""

    run_id: str
    state: str = "open"
    outcome: str | None = None
    message_id: str | None = None
    parts: list[_PartState] = []
    repeated: bool = False


class OutgoingRun:
    """
    One run, from its start to its end.

    Attributes:
        found: what the server said to the first `run_start` that it answered; None before.
        attempts: how often `run_start` was sent.
        controls: what a person wanted, each once, for the one who runs the run to take.
        end: set once it has ended. failure: why it cannot go on, or what the server refused of it.
        is_closed: the server takes nothing more, though we have not ended it.
        changed: called after anything above changed, or room was made; must not wait.
    """

    def __init__(
        self, number: int, run_id: str, conversation_id: str, reply_to: str | None, *, stir: Callable[[], None]
    ) -> None:
        self.number = number
        self.run_id = run_id
        self.conversation_id = conversation_id
        self.reply_to = reply_to
        self.stage = Stage.START
        self.found: RunState | None = None
        self.attempts = 0
        self.controls: deque[Control] = deque()
        self.end: RunEnd | None = None
        self.failure: ClientError | None = None
        self.is_closed = False
        self.changed: Callable[[], None] = _nothing
        self._stir = stir
        self._parts: list[Part] = []
        self._news: set[int] = set()
        self._waiting = 0
        self._finish: dict[str, Any] | None = None
        self._is_checked = False
        self._asked: int | None = None  # the attempt whose answer is awaited
        self._asks = 0
        self._not_before = 0.0
        self._merge_until = 0.0
        self._known_controls: set[str] = set()
        self._acks: list[str] = []

    # ------------------------------------------------------------------------------------------- for who writes it

    @property
    def waiting(self) -> int:
        """Code points that the server does not have yet."""
        return self._waiting

    @property
    def has_ended(self) -> bool:
        return self.stage is Stage.ENDED

    def raise_if_closed(self) -> None:
        """
        Raises:
            RunClosed: it has ended. ClientError: the server refused part of it for good.
        """
        if self.failure is not None:
            raise self.failure
        if self.is_closed or self.has_ended or self._finish is not None:
            raise RunClosed("the run has ended", outcome=self.end.outcome if self.end else None)

    def add_part(self, kind: Kind, meta: Mapping[str, Any]) -> int:
        """
        The number of the new part.

        Raises:
            TypeError: the meta cannot be told as JSON.
        """
        self.raise_if_closed()
        self._parts.append(Part(kind, meta))
        self._touch(len(self._parts) - 1)
        return len(self._parts) - 1

    def set_meta(self, number: int, meta: Mapping[str, Any]) -> None:
        self.raise_if_closed()
        self._parts[number].set_meta(meta)
        self._touch(number)

    def append(self, number: int, text: str) -> None:
        self.raise_if_closed()
        self._waiting += self._parts[number].append(text)
        self._touch(number)

    def finish(self, outcome: Outcome, *, error: str | None = None, usage: Mapping[str, Any] | None = None) -> None:
        """End it behind everything that was written. The answer shows in `end`."""
        if self._finish is None and not self.has_ended:
            self._finish = {"run_id": self.run_id, "outcome": outcome}
            if error is not None:
                self._finish["error"] = clean(error)
            if usage is not None:
                self._finish["usage"] = msgspec.Raw(msgspec.json.encode(usage))
            self._stir()

    def _touch(self, number: int) -> None:
        self._news.add(number)
        self._is_checked = False
        self._stir()

    # -------------------------------------------------------------------------------------------- for the connection

    def lost(self) -> None:
        """The socket is gone: the next one begins with asking how much has arrived."""
        if not self.has_ended:
            self.stage = Stage.RESUME if self.found is not None else Stage.START
            self._asked = None
            self._not_before = 0.0
            self._is_checked = False
            self._acks.clear()
            self._stir()

    def abandon(self, failure: ClientError) -> None:
        """There will be no further socket."""
        if not self.has_ended:
            self.failure = failure
            self._ended(None)

    def next_due(self) -> float:
        """When something has to be sent; infinity if nothing has."""
        if self._acks:
            return 0.0
        if self.stage is Stage.ENDED or self._asked is not None:
            return math.inf
        if self.stage is not Stage.OPEN or self._finish is not None:
            return self._not_before
        if not self._sendable():
            return math.inf
        return self._not_before if self._waiting >= _MERGE_CHARACTERS else max(self._merge_until, self._not_before)

    def due(self, now: float, max_frame_bytes: int) -> list[bytes]:
        """Frames to send now, in order; at most about 64 KiB of them."""
        frames = [
            encode_frame("run_control_ack", {"run_id": self.run_id, "control_id": control_id})
            for control_id in self._acks
        ]
        self._acks.clear()
        if self.next_due() > now:
            return frames
        if self.stage is Stage.START:
            self.attempts += 1
            data = {"run_id": self.run_id, "conversation_id": self.conversation_id, "reply_to": self.reply_to}
            frames.append(self._ask("run_start", data))
        elif self.stage is not Stage.OPEN:
            frames.append(self._ask("run_resume", {"run_id": self.run_id}))
        elif self._sendable():
            self._merge_until = now + _MERGE_S
            frames.extend(self._send_news(max_frame_bytes))
        else:
            frames.append(self._end())
        return frames

    def _sendable(self) -> bool:
        return bool(self._news) and self.failure is None and not self.is_closed

    def _ask(self, word: str, data: Mapping[str, Any]) -> bytes:
        self._asks += 1
        self._asked = self._asks
        return encode_frame(word, data, f"r{self.number}.{self._asks}")

    def _end(self) -> bytes:
        """Before the end the server says how much it has: what it refused on the way would be missing for ever."""
        assert self._finish is not None
        if self._is_checked or self.is_closed or self.failure is not None:
            return self._ask("run_finish", self._finish)
        self.stage = Stage.CHECK
        return self._ask("run_resume", {"run_id": self.run_id})

    def _send_news(self, max_frame_bytes: int) -> list[bytes]:
        frames: list[bytes] = []
        limit, sent_bytes = min(FRAME_BYTES, max_frame_bytes), 0
        for number in sorted(self._news):
            part = self._parts[number]
            while part.has_news and sent_bytes < _TURN_BYTES:
                waiting = part.waiting
                frame = part.next_frame(self.run_id, number, f"r{self.number}.news", limit)
                self._waiting -= waiting - part.waiting
                if len(frame) > max_frame_bytes:
                    text = f"part {number} makes a frame of {len(frame)} bytes, the server takes {max_frame_bytes}"
                    self._failed(Refused(text, code="too_large"))
                    return frames
                frames.append(frame)
                sent_bytes += len(frame)
            if part.has_news:
                break
            self._news.discard(number)
        self.changed()
        return frames

    # ----------------------------------------------------------------------------------------- what the server says

    def heard(self, control: Control) -> None:
        """A person wants something; the server says it again until it hears that we know."""
        self._acks.append(control.control_id)
        self._stir()
        if control.control_id not in self._known_controls:
            self._known_controls.add(control.control_id)
            self.controls.append(control)
            self.changed()

    def heard_end(self, end: RunEnd) -> None:
        """The account's log says that it has ended. If we are ending it, the answer says so too."""
        if self._finish is None and not self.has_ended:
            self._ended(end)

    def answered(self, mark: str, word: str, data: Mapping[str, Any], now: float) -> None:
        """
        An answer, or a refusal of what has no answer.

        Args:
            mark: what the frame's `ref` said behind the number of the run.
        """
        if self.has_ended:
            return
        if mark == "news":
            if word == "error":
                self._news_refused(read_refusal(data), now)
        elif mark == str(self._asked):
            self._asked = None
            try:
                self._told(word, data, now)
            except msgspec.ValidationError as exc:
                self.failure = Refused(f"the server's answer has another shape: {exc}", code="unknown")
                self._ended(None)
        self._stir()

    def _told(self, word: str, data: Mapping[str, Any], now: float) -> None:
        if word == "error":
            self._question_refused(read_refusal(data), now)
        elif word == "run_finished":
            self._ended(msgspec.convert(data, RunEnd))
        else:
            self._placed(msgspec.convert(data, RunState))

    def _placed(self, state: RunState) -> None:
        if self.found is None:
            self.found = state
        if state.state == "ended":
            self._ended(RunEnd(outcome=state.outcome or "done", message_id=state.message_id))
            return
        has = {each.part: each.offset for each in state.parts}
        self._waiting = 0
        for number, part in enumerate(self._parts):
            # The server says how much text it has, but not which meta.
            part.placed(has.get(number), meta_may_be_old=self.stage is not Stage.CHECK)
            self._waiting += part.waiting
        self._news = {number for number, part in enumerate(self._parts) if part.has_news}
        self._is_checked = not self._news and self.stage is Stage.CHECK
        self.stage = Stage.OPEN
        self.changed()

    def _question_refused(self, refusal: Refused, now: float) -> None:
        if refusal.retry != "no":
            self._not_before = now + refusal.wait_s(_AGAIN_S)
        elif self.stage is Stage.START:
            self.failure = refusal
            self._ended(None)
        elif refusal.code == "not_found":
            # A server from before this run, out of a backup: it gets all of it again.
            self.stage = Stage.START
        elif refusal.code == "run_closed" and self.stage is not Stage.OPEN:
            self._closed()
        elif refusal.code == "run_closed":
            self._ended(None)
        elif self._finish is not None and self._finish.keys() != _FINISH_AT_LEAST:
            # It must not stay open because of what was said about it.
            self.failure = self.failure or refusal
            self._finish = {name: self._finish[name] for name in _FINISH_AT_LEAST}
        else:
            self.failure = self.failure or refusal
            self._ended(None)

    def _news_refused(self, refusal: Refused, now: float) -> None:
        if self.stage not in {Stage.OPEN, Stage.CHECK}:
            return  # the server is being asked how much it has; that says more
        if refusal.code == "run_closed":
            self._closed()
        elif refusal.code in {"run_gap", "not_found"} or refusal.retry != "no":
            self.stage = Stage.RESUME
            self._asked = None
            self._is_checked = False
            self._not_before = now + refusal.wait_s(_RECOVER_S)
        else:
            self._failed(refusal)

    def _closed(self) -> None:
        """It has ended; how, the answer to run_finish will say."""
        self.is_closed = True
        self._waiting = 0
        if self.stage is not Stage.OPEN:
            self.stage, self._asked = Stage.OPEN, None
        self.changed()

    def _failed(self, refusal: Refused) -> None:
        """Nothing more can be added; it can be ended."""
        self.failure = self.failure or refusal
        self._waiting = 0
        if self.stage is Stage.CHECK:
            self.stage, self._asked = Stage.OPEN, None
        self.changed()
        self._stir()

    def _ended(self, end: RunEnd | None) -> None:
        self.stage = Stage.ENDED
        self.end = end
        self._news.clear()
        self._waiting = 0
        self._acks.clear()
        self.changed()


def _nothing() -> None: ...
