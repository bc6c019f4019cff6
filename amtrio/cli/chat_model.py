"""What `amtrio chat` knows: conversations, messages in order, who types, who is there, what is unread.

Pure state: events and the passing of time go in, nothing comes out but what is asked for. Knows no terminal and no
socket.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from amtrio.client.events import (
    Conversation,
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    DeliveredMoved,
    Event,
    Message,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    Offline,
    Online,
    PresenceChanged,
    Receipt,
    ReceiptMoved,
    Snapshot,
    StatusChanged,
    TypingChanged,
)
from amtrio.client.shapes import AgentInfo

# The server ends a typing mark after 5 s and says so; if that word is lost, the mark goes a second later.
_TYPING_LASTS_S = 6.0
# A snapshot and a page of history carry so many messages of a conversation.
PAGE_MESSAGES = 50

MarkState = Literal["sending", "refused", "stored", "delivered", "read"]


@dataclass(slots=True)
class Outgoing:
    """A message of ours that the log has not brought back yet. `error`: why it never will."""

    client_id: str
    content: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One message to show. `state` only for our own."""

    key: str
    sender: str
    content: str
    created_at: str = ""
    is_own: bool = False
    is_edited: bool = False
    is_deleted: bool = False
    quoted: str = ""
    state: MarkState | None = None


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

    def add(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.messages[message.conversation_seq] = message
            if message.sender_type == "client":
                self.outgoing = [mine for mine in self.outgoing if mine.client_id != message.client_id]

    def mark(self, receipt: Receipt) -> None:
        """Marks never move back, whatever order the news come in."""
        if receipt.account_kind == "user":
            self.read_by_us = max(self.read_by_us, receipt.read_up_to)
        else:
            self.read_by_agent = max(self.read_by_agent, receipt.read_up_to)
            self.delivered_to_agent = max(self.delivered_to_agent, receipt.delivered_up_to, receipt.read_up_to)

    def state_of(self, message: Message) -> MarkState:
        if message.conversation_seq <= self.read_by_agent:
            return "read"
        return "delivered" if message.conversation_seq <= self.delivered_to_agent else "stored"


class ChatModel:
    """
    Attributes:
        current: id of the conversation on the screen; None shows the list of agents.
        trouble: why there is no connection, empty while there is one. was_online: there has been one before.
        knows_agents: whether the list of agents has been asked for; until then an empty one means nothing.
        notice: one line for the person, such as why a command did not work.
    """

    def __init__(self) -> None:
        self.me = ""
        self.agents: dict[str, AgentInfo] = {}
        self.talks: dict[str, Talk] = {}
        self.current: str | None = None
        self.trouble = "looking for the server"
        self.was_online = False
        self.knows_agents = False
        self.notice = ""

    # ---------------------------------------------------------------------------------------------------- what comes in

    def apply(self, event: Event, now: float) -> None:
        """Take in one event. `now`: seconds of a monotonic clock. What concerns no known conversation is let go."""
        match event:
            case Snapshot():
                self._rebuild(event)
            case MessagePosted():
                self._posted(event.message)
            case MessageEdited():
                self._replace(event.message)
            case MessageDeleted():
                self._deleted(event)
            case ReceiptMoved():
                self._mark(event.receipt)
            case DeliveredMoved():
                self._mark(
                    Receipt(
                        conversation_id=event.conversation_id,
                        account_kind=event.account_kind,
                        account_id=event.account_id,
                        delivered_up_to=event.delivered_up_to,
                    )
                )
            case ConversationCreated() | ConversationUpdated():
                self.know(event.conversation)
            case ConversationDeleted():
                self._forget(event.conversation_id)
            case _:
                self._passing(event, now)

    def know(self, conversation: Conversation) -> Talk:
        """A conversation is new or has changed; what is known of it stays."""
        talk = self.talks.setdefault(conversation.conversation_id, Talk(conversation))
        talk.conversation = conversation
        return talk

    def set_agents(self, agents: Sequence[AgentInfo]) -> None:
        self.agents = {agent.agent_id: agent for agent in agents}
        self.knows_agents = True

    def add_older(self, conversation_id: str, messages: Sequence[Message]) -> None:
        """A page of history. It never overwrites what events told since, which may be newer."""
        talk = self.talks.get(conversation_id)
        if talk is not None:
            talk.add(message for message in messages if message.conversation_seq not in talk.messages)

    def sending(self, conversation_id: str, client_id: str, content: str) -> None:
        self.talks[conversation_id].outgoing.append(Outgoing(client_id, content))

    def refused(self, conversation_id: str, client_id: str, why: str) -> None:
        talk = self.talks.get(conversation_id)
        for mine in talk.outgoing if talk else ():
            if mine.client_id == client_id:
                mine.error = why

    def _passing(self, event: Event, now: float) -> None:
        match event:
            case Online():
                self.me, self.trouble, self.was_online = event.id, "", True
            case Offline():
                self.trouble = event.reason or "connection lost"
                for talk in self.talks.values():
                    talk.typing_until = 0.0
            case TypingChanged() if event.sender_type == "agent" and event.conversation_id in self.talks:
                self.talks[event.conversation_id].typing_until = now + _TYPING_LASTS_S if event.typing else 0.0
            case StatusChanged() if event.sender_type == "agent":
                self._agent_is(event.sender_id, status=event.status, status_text=event.text)
            case PresenceChanged() if event.type == "agent":
                status = "online" if event.online else "offline"
                self._agent_is(event.id, online=event.online, status=status, last_seen=event.last_seen)
            case _:
                pass

    def _agent_is(self, agent_id: str, **changed: object) -> None:
        if agent_id in self.agents:
            self.agents[agent_id] = msgspec.structs.replace(self.agents[agent_id], **changed)

    def _rebuild(self, snapshot: Snapshot) -> None:
        before, self.talks = self.talks, {}
        for conversation in snapshot.conversations:
            talk = Talk(msgspec.structs.replace(conversation, messages=[], receipts=[]))
            if talk.id in before:
                # Ours that the log has not told yet: the snapshot may or may not have them.
                talk.outgoing = before[talk.id].outgoing
            talk.add(conversation.messages)
            for receipt in conversation.receipts:
                talk.mark(receipt)
            self.talks[talk.id] = talk
        if self.current not in self.talks:
            self.current = None

    def _posted(self, message: Message) -> None:
        talk = self.talks.get(message.conversation_id)
        if talk is None:
            return
        talk.add([message])
        if message.sender_type == "agent":
            talk.typing_until = 0.0

    def _replace(self, message: Message) -> None:
        talk = self.talks.get(message.conversation_id)
        if talk is not None and message.conversation_seq in talk.messages:
            talk.messages[message.conversation_seq] = message

    def _deleted(self, event: MessageDeleted) -> None:
        talk = self.talks.get(event.conversation_id)
        if talk is not None and event.conversation_seq in talk.messages:
            known = talk.messages[event.conversation_seq]
            talk.messages[event.conversation_seq] = msgspec.structs.replace(known, content="", deleted=True)

    def _mark(self, receipt: Receipt) -> None:
        talk = self.talks.get(receipt.conversation_id)
        if talk is not None:
            talk.mark(receipt)

    def _forget(self, conversation_id: str) -> None:
        self.talks.pop(conversation_id, None)
        if self.current == conversation_id:
            self.current = None
            self.notice = "this conversation was deleted"

    # --------------------------------------------------------------------------------------------------- what is asked

    @property
    def talk(self) -> Talk | None:
        """The conversation on the screen."""
        return self.talks.get(self.current) if self.current is not None else None

    def talk_with(self, agent_id: str) -> Talk | None:
        """The default conversation with an agent, else any."""
        found = [talk for talk in self.talks.values() if talk.agent_id == agent_id]
        return next((talk for talk in found if talk.conversation.is_default), found[0] if found else None)

    def agent_name(self, agent_id: str) -> str:
        agent = self.agents.get(agent_id)
        return agent.name or agent_id if agent else agent_id

    def agent_list(self) -> list[AgentInfo]:
        """As numbered on the screen: those who are there first, then by name."""
        return sorted(
            self.agents.values(), key=lambda agent: (not agent.online, (agent.name or agent.agent_id).lower())
        )

    def find_agent(self, text: str) -> AgentInfo | None:
        """By number in the list, by id, or by the beginning of the name if only one begins so."""
        listed = self.agent_list()
        if text.isdecimal() and 1 <= int(text[:6]) <= len(listed):
            return listed[int(text) - 1]
        if text in self.agents:
            return self.agents[text]
        begun = [agent for agent in listed if (agent.name or agent.agent_id).lower().startswith(text.lower())]
        return begun[0] if len(begun) == 1 and text else None

    def unread_with(self, agent_id: str) -> int:
        return sum(talk.unread for talk in self.talks.values() if talk.agent_id == agent_id)

    def unread_elsewhere(self) -> int:
        return sum(talk.unread for talk in self.talks.values() if talk.id != self.current)

    def is_typing(self, now: float) -> bool:
        """Whether the agent on the screen types."""
        return self.talk is not None and self.talk.typing_until > now

    def last_own(self) -> Message | None:
        """What /edit and /delete are about."""
        own = [m for m in self.talk.in_order() if m.sender_type == "client" and not m.deleted] if self.talk else []
        return own[-1] if own else None

    def lines(self) -> list[Line]:
        """The conversation on the screen, oldest first; ours on their way last."""
        talk = self.talk
        if talk is None:
            return []
        by_id = {message.message_id: message for message in talk.messages.values()}
        shown = [self._line(talk, message, by_id.get(message.reply_to or "")) for message in talk.in_order()]
        for mine in talk.outgoing:
            content = f"{mine.content}\n\n({mine.error})" if mine.error else mine.content
            state: MarkState = "refused" if mine.error else "sending"
            shown.append(Line(mine.client_id, "you", content, is_own=True, state=state))
        return shown

    def _line(self, talk: Talk, message: Message, quoted: Message | None) -> Line:
        is_own = message.sender_type == "client"
        return Line(
            message.message_id,
            "you" if is_own else self.agent_name(message.sender_id),
            _text(message),
            message.created_at,
            is_own=is_own,
            is_edited=message.edited_at is not None,
            is_deleted=message.deleted,
            quoted=_text(quoted) if quoted else "",
            state=talk.state_of(message) if is_own else None,
        )


def _text(message: Message) -> str:
    """What there is to read; this program has no keys."""
    return "(encrypted message)" if message.kind == "encrypted" and not message.deleted else message.content
