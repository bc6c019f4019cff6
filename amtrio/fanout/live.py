"""Things that change many times a second: each device is shown one whole first and then its changes, without a hole.

A device that is too busy to take a change misses all further ones until it has been shown the whole thing anew, so a
slow one costs one picture now and then instead of a backlog. Knows subscribers; knows nothing of what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amtrio.context import Live
    from amtrio.fanout.hub import Outgoing, Subscriber
    from amtrio.protocol.frames import Event


class LiveViews:
    """
    Who sees which live thing, and who has fallen behind.

    Args:
        subscribers: the open sockets of an account. outgoing: makes an event ready to be sent.
    """

    def __init__(
        self, subscribers: Callable[[str], Iterable[Subscriber]], outgoing: Callable[[Event], Outgoing]
    ) -> None:
        self._subscribers = subscribers
        self._outgoing = outgoing
        self._shown: dict[str, dict[Live, None]] = {}
        self._behind: dict[Subscriber, dict[Live, None]] = {}

    def show(self, live: Live) -> None:
        """From now on its watchers see it, those that are here and those that come."""
        outgoing = self._outgoing(live.snapshot())
        for account in live.watchers:
            self._shown.setdefault(account, {})[live] = None
            for subscriber in tuple(self._subscribers(account)):
                self._tell_whole(subscriber, live, outgoing)

    def change(self, live: Live, event: Event) -> int:
        """
        One change, for everybody who has seen all before it.

        Returns:
            How many sockets it went to.
        """
        outgoing = self._outgoing(event)
        told = 0
        for account in live.watchers:
            if live not in self._shown.get(account, ()):
                continue  # it begins just now, or has come to its end
            for subscriber in tuple(self._subscribers(account)):
                if live in self._behind.get(subscriber, ()):
                    continue
                if subscriber.tell(outgoing):
                    told += 1
                else:
                    self._behind.setdefault(subscriber, {})[live] = None
        return told

    def hide(self, live: Live) -> None:
        """It has come to its end; what it became is told by the log."""
        for account in live.watchers:
            shown = self._shown.get(account)
            if shown is not None:
                shown.pop(live, None)
                if not shown:
                    del self._shown[account]
        for subscriber in [each for each, lives in self._behind.items() if live in lives]:
            self._caught_up(subscriber, live)

    def of(self, account: str) -> tuple[Live, ...]:
        """What an account sees now."""
        return tuple(self._shown.get(account, ()))

    def arrived(self, subscriber: Subscriber) -> None:
        """A socket that has just opened."""
        lives = self.of(subscriber.account)
        if lives:
            # Making a picture may tell others the last change before it; whoever waits for the picture is left out.
            self._behind[subscriber] = dict.fromkeys(lives)
        for live in lives:
            self._tell_whole(subscriber, live, self._outgoing(live.snapshot()))

    def left(self, subscriber: Subscriber) -> None:
        """A socket that has ended."""
        self._behind.pop(subscriber, None)

    def catch_up(self) -> bool:
        """Show whoever fell behind the whole thing, if it takes it now; True if somebody still does not."""
        if not self._behind:
            return False
        pictures: dict[Live, Outgoing] = {}
        for subscriber, lives in tuple(self._behind.items()):
            for live in tuple(lives):
                picture = pictures.get(live)
                if picture is None:
                    picture = pictures[live] = self._outgoing(live.snapshot())
                if not self._tell_whole(subscriber, live, picture):
                    break
        return bool(self._behind)

    def _tell_whole(self, subscriber: Subscriber, live: Live, outgoing: Outgoing) -> bool:
        if subscriber.tell(outgoing):
            self._caught_up(subscriber, live)
            return True
        self._behind.setdefault(subscriber, {})[live] = None
        return False

    def _caught_up(self, subscriber: Subscriber, live: Live) -> None:
        lives = self._behind.get(subscriber)
        if lives is not None:
            lives.pop(live, None)
            if not lives:
                del self._behind[subscriber]
