"""What happens in the conversations of a person, told to whoever follows one of them.

Sans I/O but for waiting. Knows events and live runs; knows nothing of connections.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from weakref import WeakSet

import anyio

from amtrio.client.errors import ClientError
from amtrio.client.events import (
    Conversation,
    Event,
    Message,
    MessagePosted,
    Receipt,
    RunDelta,
    RunEnded,
    RunSnapshot,
    Snapshot,
)
from amtrio.client.run_view import RunView

# Ended runs whose late news is ignored: more than one agent has open at a time.
_ENDED_AT_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class RunChanged:
    """
    There is something new about a live run.

    Attributes:
        run: the whole of it, as far as it is known now; the same object each time.
    """

    run: RunView


@dataclass(frozen=True, slots=True)
class Resynced:
    """
    The log could not tell everything: forget what was shown of this conversation and build anew.

    Attributes:
        messages: the latest ones, oldest first; `history` has the others.
    """

    messages: list[Message]


Item = Event | RunChanged | Resynced


class Follow(AsyncIterator[Item]):
    """
    What happens in one conversation, from now on; by `Client.follow`.

    What is not taken is kept, but a live run is told once, as it is when it is taken. May be left at any time.
    """

    def __init__(self, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self._items: deque[Item] = deque()
        self._changed_runs: set[str] = set()
        self._failure: ClientError | None = None
        self._news = anyio.Event()

    def tell(self, item: Item) -> None:
        """For `Followers`: one more item."""
        if isinstance(item, RunChanged):
            if item.run.run_id in self._changed_runs:
                return
            self._changed_runs.add(item.run.run_id)
        self._items.append(item)
        self._news.set()

    def end(self, failure: ClientError) -> None:
        """For `Followers`: nothing follows any more."""
        self._failure = failure
        self._news.set()

    async def __anext__(self) -> Item:
        """
        Raises:
            ClientError: the connection has ended for good.
        """
        await anyio.lowlevel.checkpoint()
        while not self._items:
            if self._failure is not None:
                raise self._failure
            self._news = anyio.Event()
            await self._news.wait()
        item = self._items.popleft()
        if isinstance(item, RunChanged):
            self._changed_runs.discard(item.run.run_id)
        return item


class Followers:
    """All of them, and the live runs of the account."""

    def __init__(self) -> None:
        self.runs: dict[str, RunView] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._follows: WeakSet[Follow] = WeakSet()
        self._failure: ClientError | None = None

    def follow(self, conversation_id: str) -> Follow:
        """One more; begins with the live runs that are there."""
        follow = Follow(conversation_id)
        for run in self.runs.values():
            if run.conversation_id == conversation_id and run.rev >= 0:
                follow.tell(RunChanged(run))
        if self._failure is not None:
            follow.end(self._failure)
        self._follows.add(follow)
        return follow

    def end(self, failure: ClientError) -> None:
        """There will be no more news."""
        self._failure = failure
        for follow in self._follows:
            follow.end(failure)

    def hear(self, event: Event) -> str | None:
        """
        Tell of an event.

        Returns:
            Id of a run of which something is missing: a snapshot of it is needed.
        """
        if isinstance(event, RunSnapshot | RunDelta):
            return self._hear_run(event)
        if isinstance(event, Snapshot):
            self._resync(event)
            return None
        if isinstance(event, RunEnded):
            self.forget(event.run_id)
        elif isinstance(event, MessagePosted) and event.message.run is not None:
            self.forget(event.message.run.run_id)
        conversation_id = conversation_of(event)
        if conversation_id is not None:
            self._tell(conversation_id, event)
        return None

    def forget(self, run_id: str) -> None:
        """It has ended: whatever comes late about it is ignored."""
        self.runs.pop(run_id, None)
        self._ended[run_id] = None
        if len(self._ended) > _ENDED_AT_MOST:
            self._ended.popitem(last=False)

    def _hear_run(self, news: RunSnapshot | RunDelta) -> str | None:
        if news.run_id in self._ended:
            return None
        view = self.runs.setdefault(news.run_id, RunView(news.run_id, news.conversation_id))
        before = view.rev
        if not view.apply(news):
            return news.run_id
        if view.rev != before or isinstance(news, RunSnapshot):
            self._tell(news.conversation_id, RunChanged(view))
        return None

    def _resync(self, snapshot: Snapshot) -> None:
        # Those that are still live come again by themselves.
        self.runs.clear()
        messages = {each.conversation_id: each.messages for each in snapshot.conversations}
        for follow in self._follows:
            follow.tell(Resynced(messages.get(follow.conversation_id, [])))

    def _tell(self, conversation_id: str, item: Item) -> None:
        for follow in self._follows:
            if follow.conversation_id == conversation_id:
                follow.tell(item)


def conversation_of(event: Event) -> str | None:
    """Which conversation it is about; None if about none."""
    for name in ("message", "receipt", "conversation"):
        inner = getattr(event, name, None)
        if isinstance(inner, Message | Receipt | Conversation):
            return inner.conversation_id
    found = getattr(event, "conversation_id", None)
    return found if isinstance(found, str) else None
