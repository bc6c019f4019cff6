"""A device that reads its account's log page by page, from the place where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from amtrio.context import Services
from amtrio.fanout.backlog import read_page

T = TypeVar("T")


class Reader(Generic[T]):
    """
    Reads when it is told to, and keeps what it has understood.

    Attributes:
        seen: what it shows; `apply(seen, event)` is what a client does with what it is told.
    """

    def __init__(self, account: str, seen: T, apply: Callable[[T, Any], None]) -> None:
        self.account, self.after, self.seen, self._apply = account, 0, seen, apply

    async def read(self, services: Services) -> None:
        """The next page."""
        page = await services.store.read(read_page, self.account, self.after, services.registry.replays)
        for item in page.items:
            self.after = item.seq
            if item.event is not None:
                self._apply(self.seen, item.event)
