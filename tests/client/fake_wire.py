"""An outgoing run against the fake server's rules, with a wire between them that breaks; no sockets, no tasks."""

from __future__ import annotations

import json
import math
from collections import deque
from typing import Any

from amtrio.client.outgoing import OutgoingRuns
from tests.client.fake_runs import FakeRuns

Json = dict[str, Any]


class FakeWire:
    """
    Attributes:
        now: seconds; moved by `settle`.
        sent: every frame that left, oldest first.
    """

    def __init__(self, max_frame_bytes: int | None = None) -> None:
        self.posted: list[Json] = []
        self.server = FakeRuns(self._post, _untold, self._tell, self._find)
        self.client = OutgoingRuns(wake=lambda: None, max_frame_bytes=max_frame_bytes)
        self.now = 0.0
        self.sent: list[Json] = []
        self.frame_bytes: list[int] = []
        self._up: deque[Json] = deque()
        self._down: deque[tuple[Any, str, Json]] = deque()

    def _post(self, data: Json) -> Json:
        number = len(self.posted) + 1
        self.posted.append({"message_id": f"m{number}", "conversation_seq": number, **data})
        return self.posted[-1]

    def _find(self, message_id: str) -> Json:
        return {"message_id": message_id, "conversation_id": "c1", "conversation_seq": 1}

    def _tell(self, account: str, word: str, data: Json) -> None:
        if account == "a:demo":
            self._down.append((None, word, data))

    def send(self) -> None:
        """What is due leaves."""
        while self.client.next_due() <= self.now:
            frames = self.client.due(self.now)
            self.frame_bytes += map(len, frames)
            self.sent += map(json.loads, frames)
            self._up.extend(map(json.loads, frames))

    def arrive(self, count: int = 1) -> None:
        """So many frames reach the server, which answers."""
        for _ in range(min(count, len(self._up))):
            frame = self._up.popleft()
            answer = self.server.command(frame["type"], frame["data"])
            if answer is not None:
                self._down.append((frame.get("ref"), *answer))

    def come_back(self, count: int = 1) -> None:
        """So many answers and events reach the client."""
        for _ in range(min(count, len(self._down))):
            ref, word, data = self._down.popleft()
            is_taken = self.client.heard(word, data) if ref is None else self.client.answered(ref, word, data, self.now)
            assert is_taken

    def cut(self) -> None:
        """The socket is gone with what was on it; there is another one."""
        self._up.clear()
        self._down.clear()
        self.client.lost()

    def settle(self) -> None:
        """Until nobody has anything to say."""
        for _ in range(10_000):
            self.send()
            self.arrive(len(self._up))
            self.come_back(len(self._down))
            due = self.client.next_due()
            if due == math.inf and not self._up and not self._down:
                return
            self.now = max(self.now, due) if due != math.inf else self.now
        raise AssertionError("they never stop talking")


def _untold(account: str, word: str, data: Json) -> None: ...
