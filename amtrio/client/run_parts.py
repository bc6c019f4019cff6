"""What a handler holds of the parts of its run: something to write to, to bring up to date, to leave.

Knows what each kind of part says about itself. How it gets to the server stands in `outgoing_run`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import anyio

from amtrio.client.errors import ClientError
from amtrio.client.outgoing_part import Kind

# So much of a run may wait for the network before its writer has to: half of what a run can hold.
WAITING_CHARACTERS = 256 * 1024


class Words(Protocol):
    """Where parts of a run go; `OutgoingRun` is one, and says of what it means by `changed`."""

    changed: Callable[[], None]

    @property
    def waiting(self) -> int: ...
    def raise_if_closed(self) -> None: ...
    def add_part(self, kind: Kind, meta: Mapping[str, Any], /) -> int: ...
    def set_meta(self, number: int, meta: Mapping[str, Any], /) -> None: ...
    def append(self, number: int, text: str, /) -> None: ...


class Flow:
    """Waits for what happens to a run on its way."""

    def __init__(self, out: Words, when_changed: Callable[[], None]) -> None:
        self.out = out
        self._when_changed = when_changed
        self._changed = anyio.Event()
        out.changed = self.changed

    def changed(self) -> None:
        """Something is different: whoever waits looks again."""
        self._changed.set()
        self._changed = anyio.Event()
        self._when_changed()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    async def room(self) -> None:
        """
        Wait until there is room for more.

        Raises:
            RunClosed: it has ended meanwhile. ClientError: the server refused part of it.
        """
        await anyio.lowlevel.checkpoint()
        if self.out.waiting > WAITING_CHARACTERS:
            await self.until(lambda: self.out.waiting <= WAITING_CHARACTERS)
            self.out.raise_if_closed()


class PartWriter:
    """
    One part of a run.

    Attributes:
        number: its place in the run, from 0.
    """

    def __init__(self, flow: Flow, kind: Kind, meta: Mapping[str, Any]) -> None:
        self._flow = flow
        self._meta = dict(meta)
        self.number = flow.out.add_part(kind, self._meta)

    async def write(self, text: str) -> None:
        """
        Append to its text. Waits only while more than 256 Ki characters of the run are on their way.

        Raises:
            RunClosed: the run has ended. Refused: the server takes no more of it.
        """
        if text:
            self._flow.out.append(self.number, text)
        await self._flow.room()

    async def update(self, meta: Mapping[str, Any]) -> None:
        """
        Replace its meta as a whole.

        Raises:
            TypeError: it cannot be told as JSON. RunClosed: the run has ended.
        """
        self._set(dict(meta))
        await self._flow.room()

    def _set(self, meta: dict[str, Any]) -> None:
        self._flow.out.set_meta(self.number, meta)
        self._meta = meta

    def _change(self, **fields: Any) -> None:
        self._set({**self._meta, **fields})


class Reasoning(PartWriter):
    """Thoughts; how long they took is told when the block is left."""

    def __init__(self, flow: Flow, title: str | None) -> None:
        super().__init__(flow, "reasoning", {} if title is None else {"title": title})
        self._began_at = anyio.current_time()

    def close(self) -> None:
        """The block is left."""
        self._change(duration_ms=_ms_since(self._began_at))


class ToolCall(PartWriter):
    """
    A tool that runs; `write` is for what it puts out meanwhile.

    Attributes:
        result: any JSON; told when the block is left.
    """

    def __init__(self, flow: Flow, name: str, arguments: Any, title: str | None) -> None:
        meta: dict[str, Any] = {"name": name, "state": "running"}
        if title is not None:
            meta["title"] = title
        if arguments is not None:
            meta["arguments"] = arguments
        super().__init__(flow, "tool", meta)
        self.result: Any = None
        self._failure: str | None = None
        self._began_at = anyio.current_time()

    def fail(self, text: str) -> None:
        """It did not work, and the handler goes on: the part will be shown as failed, with this text."""
        self._failure = text

    def close(self) -> None:
        """The block is left in order."""
        fields: dict[str, Any] = {"duration_ms": _ms_since(self._began_at), "state": "done"}
        if self._failure is not None:
            fields |= {"state": "failed", "result": {"error": self._failure}}
        if self.result is not None:
            fields["result"] = self.result
        self._change(**fields)

    def broke(self, error: BaseException) -> None:
        """The block is left by an error, which matters more than whatever goes wrong here."""
        if self._failure is None:
            is_error = isinstance(error, Exception)
            self._failure = f"{type(error).__name__}: {error}"[:500] if is_error else "stopped"
        try:
            self.close()
        except (ClientError, TypeError):
            return  # the run has ended, or the result cannot be told


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One step of a plan."""

    text: str
    state: Literal["pending", "running", "done"] = "pending"

    def fields(self) -> dict[str, str]:
        """As the meta of a plan has it."""
        return {"text": self.text, "state": self.state}


def _ms_since(began_at: float) -> int:
    return round((anyio.current_time() - began_at) * 1000)
