"""Whose turn it is: messages of one conversation one after the other, several conversations at once.

Sans I/O. Knows ids and order; knows nothing of what is done in a turn.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """
    Items that wait for their turn, and those whose turn it is.

    A conversation that has had a turn goes behind those that wait, so that a busy one keeps nobody out.

    Args:
        at_once: turns at the same time, at least 1.
    """

    def __init__(self, at_once: int) -> None:
        if at_once < 1:
            raise ValueError("at least one conversation at a time")
        self._at_once = at_once
        self._waiting: dict[str, OrderedDict[str, T]] = {}  # by conversation, then by id
        self._conversations: dict[str, str] = {}  # of what waits, by id
        self._ready: deque[str] = deque()  # conversations with something waiting and no turn
        self._active: dict[str, str] = {}  # id of the item whose turn it is, by conversation

    def __len__(self) -> int:
        """How many wait."""
        return len(self._conversations)

    def __contains__(self, item_id: str) -> bool:
        """Whether it waits, or it is its turn."""
        return item_id in self._conversations or item_id in self._active.values()

    def add(self, conversation_id: str, item_id: str, item: T) -> bool:
        """
        Queue up behind what waits in its conversation.

        Returns:
            False if it is there already.
        """
        if item_id in self:
            return False
        waiting = self._waiting.setdefault(conversation_id, OrderedDict())
        if not waiting and conversation_id not in self._active:
            self._ready.append(conversation_id)
        waiting[item_id] = item
        self._conversations[item_id] = conversation_id
        return True

    def get(self, item_id: str) -> T | None:
        """What waits under this id."""
        conversation_id = self._conversations.get(item_id)
        return None if conversation_id is None else self._waiting[conversation_id][item_id]

    def replace(self, item_id: str, item: T) -> None:
        """Another one in its place; nothing if it does not wait."""
        conversation_id = self._conversations.get(item_id)
        if conversation_id is not None:
            self._waiting[conversation_id][item_id] = item

    def withdraw(self, item_id: str) -> T | None:
        """Take out what waits; None if it does not, or not any more."""
        conversation_id = self._conversations.pop(item_id, None)
        if conversation_id is None:
            return None
        waiting = self._waiting[conversation_id]
        item = waiting.pop(item_id)
        if not waiting:
            del self._waiting[conversation_id]
            if conversation_id not in self._active:
                self._ready.remove(conversation_id)
        return item

    def begin(self) -> tuple[str, T] | None:
        """The next one whose turn it is, with its conversation; None if nobody may begin now."""
        if not self._ready or len(self._active) >= self._at_once:
            return None
        conversation_id = self._ready.popleft()
        waiting = self._waiting[conversation_id]
        item_id, item = waiting.popitem(last=False)
        if not waiting:
            del self._waiting[conversation_id]
        del self._conversations[item_id]
        self._active[conversation_id] = item_id
        return conversation_id, item

    def end(self, conversation_id: str) -> None:
        """Its turn is over."""
        del self._active[conversation_id]
        if conversation_id in self._waiting:
            self._ready.append(conversation_id)
