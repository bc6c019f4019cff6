"""What features may ask of a database: run one synchronous unit of work, atomically and durably.

Knows nothing of SQLite, frames or sockets. A unit is a plain function `unit(tx, ...)`: it cannot wait, so nothing
interleaves with it, and it may run again after a failure, so it has no effect but through `tx`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import msgspec
import outcome

P = ParamSpec("P")
T = TypeVar("T")

Value = str | int | float | bytes | None
Row = tuple[Any, ...]


class Loggable(Protocol):
    """
    What the account log keeps of an event: enough to find today's truth again, never its text.

    `log_kind` is empty for events that only live sockets hear and no log keeps.
    """

    @property
    def log_kind(self) -> str: ...
    @property
    def log_conversation(self) -> str | None: ...
    @property
    def log_subject(self) -> str | None: ...


class ReadTx(Protocol):
    """One consistent look at the data. Parameters are `:name` in the SQL and keywords here."""

    def one(self, sql: str, /, **params: Value) -> Row | None:
        """The first row, or None."""
        ...

    def all(self, sql: str, /, **params: Value) -> list[Row]:
        """Every row."""
        ...


class Tx(ReadTx, Protocol):
    """A unit's hold on the one write transaction."""

    @property
    def at_us(self) -> int:
        """Wall-clock time of this unit, microseconds since 1970 UTC: shown, never ordered by."""
        ...

    def run(self, sql: str, /, **params: Value) -> int:
        """Execute; answers how many rows changed."""
        ...

    def announce(self, event: Loggable, accounts: Iterable[str], /, *, device: str | None = None) -> None:
        """
        Put `event` into the log of each account, in this transaction, and publish it after the commit.

        Args:
            accounts: account keys; each gets the next number of its own log.
            device: cursor key of the device that caused it, when one did.
        """
        ...

    def on_commit(self, call: Callable[[], object], /) -> None:
        """Call once, on the Trio thread, after the commit and in commit order; never if the unit fails."""
        ...


class Committed(msgspec.Struct, frozen=True):
    """
    One announcement that is on disk: the event and the number it got in each account's log.

    A struct because there is one per message: making it takes 60 ns, a frozen dataclass 470.

    Attributes:
        cause: what its unit was handed over with; the store only passes it on.
    """

    event: Loggable
    device: str | None
    at_us: int
    seqs: Sequence[tuple[str, int]]
    cause: object = None


Done = Callable[["outcome.Outcome[Any]"], object]


class Database(Protocol):
    """Durable storage shared by every feature."""

    @property
    def epoch(self) -> str:
        """Names this history; numbers of another epoch mean nothing here."""
        ...

    async def write(self, unit: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """
        Run `unit` in the write transaction; returns after the commit reached the disk.

        Cancelling does not undo a unit that was handed over: its outcome is always known.

        Raises:
            StorageUnavailable: the disk refused; the unit did not happen.
            Exception: whatever the unit raised; only this unit was rolled back.
        """
        ...

    def submit(
        self, unit: Callable[..., Any], args: tuple[object, ...], done: Done, /, *, cause: object = None
    ) -> None:
        """
        `write` without a waiting task: `done` hears the outcome on the Trio thread after the commit.

        Units run in the order of submission. `done` is called after the announcements of its unit were published.

        Args:
            cause: comes back with what the unit announced; for tracing.
        """
        ...

    async def read(self, unit: Callable[Concatenate[ReadTx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `unit` in one read transaction on a reader thread; writers do not wait for it."""
        ...

    def health(self) -> str:
        """`ok`, or what is wrong in words an operator can act on."""
        ...
