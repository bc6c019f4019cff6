"""The message that a handler is given.

Knows shapes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from amtrio.client.events import Message
from amtrio.client.shapes import Attachment


@dataclass(frozen=True, slots=True)
class Incoming:
    """
    What a person wrote.

    Attributes:
        user_id: who wrote it. content: Markdown. conversation_seq: its place in the conversation.
        kind: None for a text; `encrypted` only where the handler asked for it, `content` is ciphertext then.
        encrypted: it came encrypted and was opened, so what is said to it is sent encrypted; see `SealedRun`.
        attachments: its files, for `Run.download`; those of an encrypted message as their sender describes them.
        missing_files: names of files that an encrypted message speaks of and the server does not have (any more).
        metadata: as the sender's program gave it. reply_to: id of the message that it answers.
        raw: all that the server said; `content` is ciphertext there if it came encrypted.
    """

    message_id: str
    conversation_id: str
    user_id: str
    content: str
    created_at: str
    conversation_seq: int
    reply_to: str | None
    kind: str | None
    metadata: dict[str, Any]
    attachments: list[Attachment]
    raw: Message
    encrypted: bool = False
    missing_files: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        message: Message,
        opened: str | None = None,
        files: Sequence[Attachment] = (),
        missing: Sequence[str] = (),
    ) -> Incoming:
        """
        What a handler sees of a message.

        Args:
            opened: what it says, if it came encrypted. files, missing: what it says of files then.
        """
        return cls(
            message_id=message.message_id,
            conversation_id=message.conversation_id,
            user_id=message.sender_id,
            content=message.content if opened is None else opened,
            created_at=message.created_at,
            conversation_seq=message.conversation_seq,
            reply_to=message.reply_to,
            kind=message.kind if opened is None else None,
            metadata=message.metadata or {},
            attachments=message.attachments if opened is None else list(files),
            raw=message,
            encrypted=opened is not None,
            missing_files=list(missing),
        )
