"""What a bridge needs of a message and of the run that answers it; the SDK's `Incoming` and `Run` are such.

Declarations only. Knows nothing of how they are sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from amtrio.client import Answer, Attachment, Option
from amtrio.client.events import Message
from amtrio.client.outgoing_part import Kind


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
    def metadata(self) -> Mapping[str, Any]: ...
    @property
    def attachments(self) -> Sequence[Attachment]: ...


class Part(Protocol):
    """One piece of an answer: text that grows, and a meta that is replaced as a whole."""

    async def write(self, text: str, /) -> None: ...
    async def update(self, meta: Mapping[str, Any], /) -> None: ...


class Run(Protocol):
    """The live answer to one message."""

    usage: Mapping[str, Any] | None

    async def write(self, text: str, /) -> None: ...
    async def part(self, kind: Kind, meta: Mapping[str, Any], /) -> Part: ...
    async def status(self, text: str, /) -> None: ...
    async def ask(self, text: str, options: Sequence[str | Option], /) -> Answer | None: ...
    async def upload(self, content: bytes, /, *, filename: str, content_type: str) -> Attachment: ...
    async def artifact(self, attachment: Attachment, /) -> None: ...
    async def history(self, limit: int, /) -> Sequence[Message]: ...


Handler = Callable[[Incoming, Run], Awaitable[None]]
