"""What a bridge needs of a message and of the run that answers it; the SDK's `Incoming` and `Run` are such.

Declarations only. Knows nothing of how they are sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol


class RunFailed(Exception):
    """The answer failed; the text is for the person."""


@dataclass(frozen=True, slots=True)
class Option:
    """A button of a question."""

    id: str
    label: str
    description: str | None = None
    style: Literal["primary", "danger", "default"] = "default"


class Incoming(Protocol):
    """A person's message."""

    @property
    def message_id(self) -> str: ...
    @property
    def conversation_id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def created_at(self) -> str: ...
    @property
    def conversation_seq(self) -> int: ...
    @property
    def reply_to(self) -> str | None: ...
    @property
    def metadata(self) -> dict[str, Any] | None: ...
    @property
    def attachments(self) -> Sequence[Any]: ...


class Part(Protocol):
    """One piece of an answer: text that grows, and a meta that is replaced as a whole."""

    async def write(self, text: str, /) -> None: ...
    async def update(self, meta: Mapping[str, Any], /) -> None: ...


class Answer(Protocol):
    """What the person chose."""

    @property
    def option_ids(self) -> Sequence[str]: ...


class Run(Protocol):
    """The live answer to one message."""

    usage: dict[str, Any] | None

    async def write(self, text: str, /) -> None: ...
    async def part(self, kind: str, meta: Mapping[str, Any], /) -> Part: ...
    async def status(self, text: str, /) -> None: ...
    async def ask(self, content: str, options: Sequence[Option], /) -> Answer | None: ...
    async def upload(self, content: bytes, /, *, filename: str, content_type: str) -> Any: ...
    async def artifact(self, attachment: Any, /) -> None: ...
    async def history(self, *, limit: int) -> Sequence[Any]: ...


Handler = Callable[[Incoming, Run], Awaitable[None]]
