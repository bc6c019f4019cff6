"""What is to be done for whom, and when: one task a conversation, the earliest first.

Knows time. Knows no database, no service and no rule about who is woken.
"""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass
from typing import Any, Literal

import trio

# An account and a conversation.
Place = tuple[str, str]
Key = tuple[Place, Literal["wake", "withdraw"]]


@dataclass(frozen=True, slots=True)
class Task:
    """
    Somebody who may have to be woken for a conversation, or whose devices may have to take back what they show of it.

    Attributes:
        since: when the first of the messages came. due: when to look. Both by Trio's clock.
        attempt: how often it went wrong. only: device ids that are left to be told, None = all.
        cause: for traces.
    """

    key: Key
    since: float
    due: float
    attempt: int = 0
    only: frozenset[str] | None = None
    cause: Any = None


class Schedule:
    """What waits, by when it is due; at most one task under a key."""

    def __init__(self) -> None:
        self.waiting: dict[Key, Task] = {}
        self._heap: list[tuple[float, int, Task]] = []
        self._numbers = itertools.count()
        self._changed = trio.Event()

    def put(self, task: Task) -> None:
        """In place of what waits under its key."""
        self.waiting[task.key] = task
        heapq.heappush(self._heap, (task.due, next(self._numbers), task))
        if self._heap[0][2] is task:
            self._changed.set()
            self._changed = trio.Event()

    async def next(self) -> Task:
        """The next one that is due, once it is."""
        while True:
            while self._heap and self.waiting.get(self._heap[0][2].key) is not self._heap[0][2]:
                heapq.heappop(self._heap)
            due = self._heap[0][0] if self._heap else math.inf
            if due <= trio.current_time():
                task = heapq.heappop(self._heap)[2]
                del self.waiting[task.key]
                return task
            changed = self._changed
            with trio.move_on_at(due):
                await changed.wait()
