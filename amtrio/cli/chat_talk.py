"""One conversation as `amtrio chat` knows it: its messages in order, ours on their way, how far each side has read.

Pure state. Knows no other conversation and nothing of what is being written live.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from amtrio.client import Question
from amtrio.client.events import Conversation, Message, Receipt

MarkState = Literal["sending", "refused", "stored", "queued", "delivered", "read"]


@dataclass(slots=True)
class Outgoing:
    """A message of ours that the log has not brought back yet. `error`: why it never will."""

    client_id: str
    content: str
    error: str = ""


@dataclass(slots=True)
class Talk:
    """One conversation with what is known of it."""

    conversation: Conversation
    messages: dict[int, Message] = field(default_factory=dict)
    outgoing: list[Outgoing] = field(default_factory=list)
    read_by_us: int = 0
    read_by_agent: int = 0
    delivered_to_agent: int = 0
    typing_until: float = 0.0

    @property
    def id(self) -> str:
        return self.conversation.conversation_id

    @property
    def agent_id(self) -> str:
        return self.conversation.agent_id

    @property
    def first_seq(self) -> int:
        return min(self.messages, default=1)

    @property
    def last_seq(self) -> int:
        return max(self.messages, default=0)

    @property
    def has_older(self) -> bool:
        """Numbers have no gaps, so what is missing in front is known from the first one."""
        return self.first_seq > 1

    @property
    def unread(self) -> int:
        return sum(
            1
            for seq, message in self.messages.items()
            if seq > self.read_by_us and message.sender_type == "agent" and not message.deleted
        )

    def in_order(self) -> list[Message]:
        return [self.messages[seq] for seq in sorted(self.messages)]

    def own(self) -> list[Message]:
        """Ours that are still there, oldest first."""
        return [each for each in self.in_order() if each.sender_type == "client" and not each.deleted]

    def has_own_between(self, after: int, before: int) -> bool:
        """Whether we have said anything between two messages."""
        between = (self.messages.get(seq) for seq in range(after + 1, before))
        return any(each is not None and each.sender_type == "client" and not each.deleted for each in between)

    def open_question(self) -> Message | None:
        """The newest message that waits for an answer."""
        asking = (each for each in reversed(self.in_order()) if each.question is not None and not each.deleted)
        return next((each for each in asking if each.question is not None and each.question.state == "open"), None)

    def add(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.messages[message.conversation_seq] = message
            if message.sender_type == "client":
                self.outgoing = [mine for mine in self.outgoing if mine.client_id != message.client_id]

    def replace(self, message: Message) -> None:
        if message.conversation_seq in self.messages:
            self.messages[message.conversation_seq] = message

    def delete(self, conversation_seq: int) -> None:
        known = self.messages.get(conversation_seq)
        if known is not None:
            changed = msgspec.structs.replace(known, content="", deleted=True, queued=False)
            self.messages[conversation_seq] = changed

    def take(self, conversation_seq: int) -> None:
        """The agent has taken up what was queued."""
        known = self.messages.get(conversation_seq)
        if known is not None:
            self.messages[conversation_seq] = msgspec.structs.replace(known, queued=False)

    def settle(self, message_id: str, question: Question) -> None:
        """A question was answered, has expired or was closed."""
        for seq, known in self.messages.items():
            if known.message_id == message_id:
                self.messages[seq] = msgspec.structs.replace(known, question=question)
                return

    def mark(self, receipt: Receipt) -> None:
        """Marks never move back, whatever order the news come in."""
        if receipt.account_kind == "user":
            self.read_by_us = max(self.read_by_us, receipt.read_up_to)
        else:
            self.read_by_agent = max(self.read_by_agent, receipt.read_up_to)
            self.delivered_to_agent = max(self.delivered_to_agent, receipt.delivered_up_to, receipt.read_up_to)

    def state_of(self, message: Message) -> MarkState:
        if message.queued:
            return "queued"
        if message.conversation_seq <= self.read_by_agent:
            return "read"
        return "delivered" if message.conversation_seq <= self.delivered_to_agent else "stored"
