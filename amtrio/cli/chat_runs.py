"""Live answers as `amtrio chat` knows them: what each says so far, whether something is missing, who wants it to end.

Pure state. Knows no terminal and no socket, and nothing of conversations but their ids.
Source: docs/protocol.md, "What devices are shown".
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from amtrio.client import RunView
from amtrio.client.events import Message, RunControlState, RunDelta, RunSnapshot

# Nothing that is heard about a run later than so many others ended is worth remembering that it is over.
_ENDED_AT_MOST: Final = 1000


@dataclass(slots=True)
class LiveRun:
    """
    One answer that is being written.

    Attributes:
        view: what it says so far.
        stop, steer: how the newest wish of the person fares: "" (there is none), `sent`, `acknowledged`,
            `unresponsive` or `closed`.
    """

    view: RunView
    stop: str = ""
    steer: str = ""

    @property
    def run_id(self) -> str:
        return self.view.run_id

    @property
    def text(self) -> str:
        """What its message will say if it ends now; empty texts leave nothing in it."""
        return self.view.text


class Runs:
    """
    All of an account.

    Attributes:
        live: by id, in the order in which they were heard of.
    """

    def __init__(self) -> None:
        self.live: dict[str, LiveRun] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._missing: set[str] = set()
        self._asked: set[str] = set()

    def take_missing(self) -> list[str]:
        """Runs whose picture has to be asked for, each once until it is there."""
        missing = sorted(self._missing - self._asked)
        self._asked |= self._missing
        return missing

    def snapshot(self, event: RunSnapshot) -> None:
        if event.run_id in self._ended:
            return
        self._missing.discard(event.run_id)
        self._asked.discard(event.run_id)
        if event.run_id not in self.live:
            self.live[event.run_id] = LiveRun(RunView(event.run_id, event.conversation_id))
        self.live[event.run_id].view.apply(event)

    def delta(self, event: RunDelta) -> None:
        if event.run_id in self._ended:
            return
        run = self.live.get(event.run_id)
        if run is None or not run.view.apply(event):
            self._missing.add(event.run_id)

    def control(self, event: RunControlState) -> None:
        run = self.live.get(event.run_id)
        if run is not None and event.action == "stop":
            run.stop = event.state
        elif run is not None:
            run.steer = event.state

    def stopping(self, run_id: str) -> None:
        """The person here wants it to end; the server has not said anything yet."""
        if run_id in self.live:
            self.live[run_id].stop = self.live[run_id].stop or "sent"

    def not_stopping(self, run_id: str) -> None:
        """The wish did not get through."""
        if run_id in self.live:
            self.live[run_id].stop = ""

    def posted(self, message: Message) -> None:
        """A message may be the end of a run."""
        if message.run is not None:
            self.end(message.run.run_id)

    def end(self, run_id: str) -> LiveRun | None:
        """
        It is over: whatever is heard of it later is ignored.

        Returns:
            The run, if it was live until now.
        """
        self._ended[run_id] = None
        if len(self._ended) > _ENDED_AT_MOST:
            self._ended.popitem(last=False)
        self._missing.discard(run_id)
        self._asked.discard(run_id)
        return self.live.pop(run_id, None)

    def lost(self) -> None:
        """The socket is gone: the next one begins with a picture of each run, of a server that may know less."""
        self._missing.clear()
        self._asked.clear()
        for run in self.live.values():
            run.view.rev = -1

    def forget_live(self) -> None:
        """The account is told anew, and so are the runs that are still going on."""
        self.live.clear()
        self._missing.clear()
        self._asked.clear()

    def of(self, conversation_id: str | None) -> list[LiveRun]:
        return [run for run in self.live.values() if run.view.conversation_id == conversation_id]
