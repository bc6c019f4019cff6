"""What the scenes of bridges share: a message, and a run that writes down what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio

from amtrio.client import Answer, Attachment, Option
from amtrio.client.events import Message


@dataclass(frozen=True)
class Note:
    """A message of alice."""

    content: str = "hello"
    message_id: str = "m1"
    conversation_id: str = "c1"
    user_id: str = "alice"
    created_at: str = "2026-11-22T12:00:00.000Z"
    conversation_seq: int = 1
    reply_to: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    attachments: Sequence[Any] = ()


def said(content: str, conversation_seq: int = 1, **fields: Any) -> Message:
    """A message of alice in a history."""
    return Message(
        message_id=f"m{conversation_seq}",
        conversation_id="c1",
        conversation_seq=conversation_seq,
        content=content,
        **{"sender_type": "client", "sender_id": "alice", **fields},
    )


@dataclass
class Written:
    """One part as it stands."""

    kind: str
    meta: dict[str, Any]
    text: str = ""
    on_change: Callable[[], None] = lambda: None

    async def write(self, text: str, /) -> None:
        self.text += text
        self.on_change()

    async def update(self, meta: Mapping[str, Any], /) -> None:
        self.meta = dict(meta)
        self.on_change()


@dataclass
class Record:
    """A run that is never sent anywhere: the parts are those that the server would have."""

    parts: list[Written] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    questions: list[tuple[str, Sequence[Option]]] = field(default_factory=list)
    uploads: list[tuple[bytes, str, str]] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    usage: Mapping[str, Any] | None = None
    past: list[Message] = field(default_factory=list)
    choose: Callable[[Sequence[Option]], str | None] = lambda options: options[0].id
    _changed: anyio.Event | None = None

    async def write(self, text: str, /) -> None:
        if not self.parts or self.parts[-1].kind != "text":
            self.parts.append(Written("text", {}, on_change=self._tell))
        await self.parts[-1].write(text)

    async def part(self, kind: str, meta: Mapping[str, Any], /) -> Written:
        self.parts.append(Written(kind, dict(meta), on_change=self._tell))
        self._tell()
        return self.parts[-1]

    async def status(self, text: str, /) -> None:
        self.statuses.append(text)
        self._tell()

    async def ask(self, text: str, options: Sequence[str | Option], /) -> Answer | None:
        offered = [each for each in options if isinstance(each, Option)]
        self.questions.append((text, offered))
        self._tell()
        chosen = self.choose(offered)
        if chosen == "never":
            await anyio.sleep_forever()
        return None if chosen is None else Answer(option_ids=[chosen])

    async def upload(self, content: bytes, /, *, filename: str, content_type: str) -> Attachment:
        self.uploads.append((content, filename, content_type))
        return Attachment(attachment_id=f"att_{len(self.uploads)}", filename=filename)

    async def artifact(self, attachment: Attachment, /) -> None:
        self.artifacts.append(attachment.attachment_id)

    async def history(self, limit: int, /) -> Sequence[Message]:
        return self.past[-limit:]

    @property
    def text(self) -> str:
        """What the message would say."""
        return "\n\n".join(part.text for part in self.parts if part.kind == "text")

    def of(self, kind: str) -> list[Written]:
        return [part for part in self.parts if part.kind == kind]

    async def until(self, condition: Callable[[Record], bool]) -> None:
        """Wait until something has been written."""
        while not condition(self):
            self._changed = self._changed or anyio.Event()
            await self._changed.wait()

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None
