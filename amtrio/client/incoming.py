"""The message that a handler is given.

Knows shapes only.
"""

from __future__ import annotations

from dataclasses import dataclass
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
        metadata: as the sender's program gave it. reply_to: id of the message that it answers.
        raw: all that the server said.
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

    @classmethod
    def of(cls, message: Message) -> Incoming:
        """What a handler sees of a message."""
        return cls(
            message_id=message.message_id,
            conversation_id=message.conversation_id,
            user_id=message.sender_id,
            content=message.content,
            created_at=message.created_at,
            conversation_seq=message.conversation_seq,
            reply_to=message.reply_to,
            kind=message.kind,
            metadata=message.metadata or {},
            attachments=message.attachments,
            raw=message,
        )
