"""Live answers: agents that say a token at fixed moments, and devices that measure when they are shown it.

Knows the frames of runs. Each token carries its number, so what a device hears is checked to be whole and in order.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.loop import Broken, Loop
from tests.bench.talk import Speaker, agent_side, client_side
from tests.bench.wire import client_frame

# "token" and a space are six bytes, about what a token of a language model is.
_TOKEN = b"%05d "
_TOKEN_BYTES = 6
_MOST_TOKENS = 100_000
_DELTA = b'{"type":"run_delta",'
_SNAPSHOT = b'{"type":"run_snapshot",'
_STATE = b'{"type":"run_state",'
_FINISHED = b'{"type":"run_finished",'
_ERROR = b'{"type":"error"'
_RUN_ID = b'"run_id":"'
_RUN_ID_BYTES = 24
_TEXT = re.compile(rb'"text":"([0-9 ]*)"')


@dataclass
class Heard:
    """
    What devices were shown.

    Attributes:
        latencies: seconds from saying a token to a device's hearing it, one for each of both.
    """

    latencies: list[float] = field(default_factory=list)
    frames: int = 0
    tokens: int = 0

    def take(self) -> tuple[list[float], int, int]:
        """All three since the last time."""
        taken = self.latencies, self.frames, self.tokens
        self.latencies, self.frames, self.tokens = [], 0, 0
        return taken


@dataclass
class Run:
    """One answer, and when each of its tokens was said."""

    id: bytes
    agent: Typist
    said_at: list[float] = field(default_factory=list)

    def say(self, due: float) -> None:
        """The next token, which was to be said at `due`."""
        number = len(self.said_at)
        if number >= _MOST_TOKENS:
            raise Broken("the run is too long for five digits")
        self.said_at.append(due)
        self.agent.write(
            client_frame(
                b'{"type":"run_append","data":{"run_id":"%b","part":0,"offset":%d,"text":"%b"}}'
                % (self.id, number * _TOKEN_BYTES, _TOKEN % number)
            )
        )


class Typist(Speaker):
    """An agent that answers in several conversations at once."""

    def __init__(self, loop: Loop, port: int, agent_id: str, secret: str) -> None:
        super().__init__(loop, port, "v2", *agent_side("v2", agent_id, secret))
        self.started = 0
        self.finished = 0

    def start(self, number: int, conversation: str) -> Run:
        run = Run(b"run-of-the-bench-%07d" % number, self)
        self.write(
            client_frame(
                b'{"type":"run_start","ref":1,"data":{"run_id":"%b","conversation_id":"%b"}}'
                % (run.id, conversation.encode())
            )
        )
        return run

    def finish(self, run: Run) -> None:
        self.write(client_frame(b'{"type":"run_finish","ref":2,"data":{"run_id":"%b","outcome":"done"}}' % run.id))

    def take(self, payload: bytes) -> None:
        if payload.startswith(_STATE):
            self.started += 1
        elif payload.startswith(_FINISHED):
            self.finished += 1
        elif payload.startswith(_ERROR):
            raise Broken(f"refused: {payload!r}")


class Watcher(Speaker):
    """A device that is shown the answers of one conversation."""

    def __init__(self, loop: Loop, port: int, token: str, device_id: str, runs: dict[bytes, Run], heard: Heard) -> None:
        super().__init__(loop, port, "v2", *client_side("v2", token, device_id))
        self._runs = runs
        self._heard = heard
        self._next: dict[bytes, int] = {}

    def take(self, payload: bytes) -> None:
        if payload.startswith(_DELTA):
            self._shown(payload, is_whole=False)
        elif payload.startswith(_SNAPSHOT):
            self._shown(payload, is_whole=True)
        elif payload.startswith(_ERROR):
            raise Broken(f"refused: {payload!r}")

    def _shown(self, payload: bytes, *, is_whole: bool) -> None:
        at = payload.index(_RUN_ID) + len(_RUN_ID)
        run = self._runs[payload[at : at + _RUN_ID_BYTES]]
        found = _TEXT.search(payload)
        if found is None:
            return
        text = found[1]
        first = int(text[: _TOKEN_BYTES - 1]) if text else 0
        expected = 0 if is_whole else self._next.get(run.id, 0)
        if first != expected:
            raise Broken(f"a device expected token {expected} and was shown {first}")
        count = len(text) // _TOKEN_BYTES
        self._next[run.id] = first + count
        heard = self._heard
        heard.frames += 1
        if not is_whole:
            heard.tokens += count
            now = time.perf_counter()
            heard.latencies += [now - at for at in run.said_at[first : first + count]]

    def has(self, run: Run) -> bool:
        """It has been shown every token."""
        return self._next.get(run.id, 0) == len(run.said_at)


class Typing:
    """Lets one run after the other say a token, at a fixed rate each."""

    # epoll waits in whole milliseconds, so for the last one the generator's core turns idly.
    _SPIN_SECONDS = 0.001

    def __init__(self, loop: Loop, runs: Sequence[Run], tokens_per_second: float) -> None:
        self._loop = loop
        self._runs = runs
        self._step = 1 / (tokens_per_second * len(runs))
        self._due = time.perf_counter()
        self._next = 0

    def turn(self, at_most: float) -> None:
        """Say what is due, then wait for something to happen, at most so long."""
        now = time.perf_counter()
        while self._due <= now:
            self._runs[self._next].say(self._due)
            self._next = (self._next + 1) % len(self._runs)
            self._due += self._step
        left = min(self._due - now, at_most)
        self._loop.turn(0 if left < self._SPIN_SECONDS else left - self._SPIN_SECONDS / 2)

    def skip(self) -> None:
        """Nothing was said for a while, and that is not to be made up for."""
        self._due = time.perf_counter()
