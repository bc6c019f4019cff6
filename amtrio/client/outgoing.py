"""All that an agent says live on one connection, each run getting its turn.

Sans I/O. Knows how answers find their run; the rules of one run stand in `outgoing_run`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from amtrio.client.errors import ClientError
from amtrio.client.outgoing_part import FRAME_BYTES
from amtrio.client.outgoing_run import Control, OutgoingRun, RunEnd


@dataclass(slots=True)
class OutgoingRuns:
    """
    Open runs.

    Attributes:
        wake: called when there is something to send. max_frame_bytes: the server's limit, once connected.
    """

    wake: Callable[[], None]
    max_frame_bytes: int | None = None
    _runs: dict[int, OutgoingRun] = field(default_factory=dict)
    _stirred: dict[int, OutgoingRun] = field(default_factory=dict)  # may have something to send
    _next: int = 1

    def __len__(self) -> int:
        return len(self._runs)

    def open(self, run_id: str, conversation_id: str, reply_to: str | None = None) -> OutgoingRun:
        """Begin a run; the server decides whether it is a new one."""
        number = self._next
        self._next += 1

        def stir() -> None:
            if number in self._runs:
                self._stirred[number] = run
                self.wake()

        run = self._runs[number] = OutgoingRun(number, run_id, conversation_id, reply_to, stir=stir)
        stir()
        return run

    def forget(self, run: OutgoingRun) -> None:
        """Nobody cares for it any more."""
        self._runs.pop(run.number, None)
        self._stirred.pop(run.number, None)

    def lost(self) -> None:
        for run in self._runs.values():
            run.lost()

    def abandon(self, failure: ClientError) -> None:
        for run in list(self._runs.values()):
            run.abandon(failure)

    def due(self, now: float) -> list[bytes]:
        """What to send now; `next_due` says whether there is more."""
        frames: list[bytes] = []
        for run in list(self._stirred.values()):
            frames.extend(run.due(now, self.max_frame_bytes or FRAME_BYTES))
            if run.next_due() == math.inf:
                self._stirred.pop(run.number, None)
        return frames

    def next_due(self) -> float:
        """When something has to be sent; infinity if nothing has."""
        return min((run.next_due() for run in self._stirred.values()), default=math.inf)

    def answered(self, ref: object, word: str, data: Mapping[str, Any], now: float) -> bool:
        """
        An answer came.

        Returns:
            Whether it was about a run of ours.
        """
        run, mark = None, "news"
        if isinstance(ref, str) and ref.startswith("r"):
            number, _, mark = ref[1:].partition(".")
            run = self._runs.get(int(number)) if number.isdecimal() else None
        elif ref is None and word == "error":
            details = data.get("details")
            run = self._find(details.get("run_id")) if isinstance(details, Mapping) else None
        if run is not None:
            run.answered(mark, word, data, now)
        return run is not None or (isinstance(ref, str) and ref.startswith("r"))

    def heard(self, word: str, data: Mapping[str, Any]) -> bool:
        """
        A passing event came.

        Returns:
            Whether it was one for runs, known or not.
        """
        if word == "run_control":
            run = self._find(data.get("run_id"))
            try:
                control = msgspec.convert(data, Control)
            except msgspec.ValidationError:
                return False
            if run is not None and not run.has_ended:
                run.heard(control)
        # `run_ack` would allow to forget text; all of it is kept.
        return word in {"run_control", "run_ack"}

    def heard_end(self, run_id: str, end: RunEnd) -> None:
        """The account's log says that a run has ended."""
        run = self._find(run_id)
        if run is not None:
            run.heard_end(end)

    def _find(self, run_id: object) -> OutgoingRun | None:
        return next((run for run in self._runs.values() if run.run_id == run_id), None)
