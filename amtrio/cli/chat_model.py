"""What `amtrio chat` knows: conversations, messages in order, what is being written, who types, who is there.

Pure state: events and the passing of time go in, nothing comes out but what is asked for. Knows no terminal and no
socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from amtrio.cli.chat_runs import LiveRun, Runs
from amtrio.cli.chat_talk import MarkState, Outgoing, Talk
from amtrio.client import AgentInfo
from amtrio.client.events import (
    AgentChanged,
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
    MessageTaken,
    Offline,
    Online,
    PresenceChanged,
    QuestionAnswered,
    QuestionClosed,
    Receipt,
    ReceiptMoved,
    RunControlState,
    RunDelta,
    RunEnded,
    RunSnapshot,
    Snapshot,
    StatusChanged,
    TypingChanged,
)

# The server ends a typing mark after 5 s and says so; if that word is lost, the mark goes a second later.
_TYPING_LASTS_S = 6.0
# A snapshot and a page of history carry so many messages of a conversation.
PAGE_MESSAGES = 50
# A second Ctrl-C within this time leaves, whatever the first one stops.
_LEAVE_WITHIN_S: Final = 2.0
# They come often and change no message.
_NO_MESSAGE: Final = (PresenceChanged, RunControlState, RunDelta, RunSnapshot, StatusChanged, TypingChanged)


@dataclass(frozen=True, slots=True)
class Line:
    """
    One message to show. `state` only for our own.

    Attributes:
        is_steering: it was said into an answer while that was written.
        message: as the server told it; None for what it has not told yet.
    """

    key: str
    sender: str
    content: str
    created_at: str = ""
    is_own: bool = False
    is_edited: bool = False
    is_deleted: bool = False
    is_steering: bool = False
    quoted: str = ""
    state: MarkState | None = None
    message: Message | None = None


class ChatModel:
    """
    Attributes:
        current: id of the conversation on the screen; None shows the list of agents.
        trouble: why there is no connection, empty while there is one. was_online: there has been one before.
        knows_agents: whether the list of agents has been asked for; until then an empty one means nothing.
        notice: for the person, such as why a command did not work.
        runs: what is being written.
        revision: another one whenever `lines` may be others.
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
        self.runs = Runs()
        self.revision = 0
        self._now = 0.0
        self._interrupted_at = -_LEAVE_WITHIN_S
        self._takers: Mapping[type[Event], Callable[[Any], object]] = {
            Snapshot: self._rebuild,
            MessagePosted: self._posted,
            MessageEdited: lambda event: self._in(event.message, Talk.replace, event.message),
            MessageDeleted: lambda event: self._in(event, Talk.delete, event.conversation_seq),
            MessageTaken: lambda event: self._in(event, Talk.take, event.conversation_seq),
            QuestionAnswered: lambda event: self._in(event, Talk.settle, event.message_id, event.question),
            QuestionClosed: lambda event: self._in(event, Talk.settle, event.message_id, event.question),
            ReceiptMoved: lambda event: self._in(event.receipt, Talk.mark, event.receipt),
            DeliveredMoved: lambda event: self._in(event, Talk.mark, _receipt(event)),
            ConversationCreated: lambda event: self.know(event.conversation),
            ConversationUpdated: lambda event: self.know(event.conversation),
            ConversationDeleted: lambda event: self._forget(event.conversation_id),
            RunSnapshot: self.runs.snapshot,
            RunDelta: self.runs.delta,
            RunControlState: self.runs.control,
            RunEnded: self._run_ended,
            Online: self._online,
            Offline: self._offline,
            TypingChanged: self._typing,
            StatusChanged: self._status,
            PresenceChanged: self._presence,
            AgentChanged: lambda event: self.agents.__setitem__(event.agent.agent_id, event.agent),
        }

    # ---------------------------------------------------------------------------------------------------- what comes in

    def apply(self, event: Event, now: float) -> None:
        """Take in one event. `now`: seconds of a monotonic clock. What concerns no known conversation is let go."""
        self._now = now
        if not isinstance(event, _NO_MESSAGE):
            self.revision += 1
        taker = self._takers.get(type(event))
        if taker is not None:
            taker(event)

    def know(self, conversation: Conversation) -> Talk:
        """A conversation is new or has changed; what is known of it stays."""
        talk = self.talks.setdefault(conversation.conversation_id, Talk(conversation))
        talk.conversation = conversation
        return talk

    def set_agents(self, agents: Sequence[AgentInfo]) -> None:
        self.revision += 1
        self.agents = {agent.agent_id: agent for agent in agents}
        self.knows_agents = True

    def add_older(self, conversation_id: str, messages: Sequence[Message]) -> None:
        """A page of history. It never overwrites what events told since, which may be newer."""
        self.revision += 1
        talk = self.talks.get(conversation_id)
        if talk is not None:
            talk.add(message for message in messages if message.conversation_seq not in talk.messages)

    def sending(self, conversation_id: str, client_id: str, content: str) -> None:
        self.revision += 1
        self.talks[conversation_id].outgoing.append(Outgoing(client_id, content))

    def refused(self, conversation_id: str, client_id: str, why: str) -> None:
        self.revision += 1
        talk = self.talks.get(conversation_id)
        for mine in talk.outgoing if talk else ():
            if mine.client_id == client_id:
                mine.error = why

    def _in(self, where: Any, change: Callable[..., None], *args: object) -> None:
        """Change the conversation that something is about, if it is known."""
        talk = self.talks.get(where.conversation_id)
        if talk is not None:
            change(talk, *args)

    def _posted(self, event: MessagePosted) -> None:
        message = event.message
        self.runs.posted(message)
        talk = self.talks.get(message.conversation_id)
        if talk is None:
            return
        talk.add([message])
        if message.sender_type == "agent":
            talk.typing_until = 0.0

    def _run_ended(self, event: RunEnded) -> None:
        run = self.runs.end(event.run_id)
        if run is not None and run.view.conversation_id == self.current and event.outcome != "done":
            self.notice = f"{self.agent_name(event.agent_id)}: {event.outcome}, before anything was said"

    def _online(self, event: Online) -> None:
        self.me, self.trouble, self.was_online = event.id, "", True

    def _offline(self, event: Offline) -> None:
        self.trouble = event.reason or "connection lost"
        self.runs.lost()
        for talk in self.talks.values():
            talk.typing_until = 0.0

    def _typing(self, event: TypingChanged) -> None:
        talk = self.talks.get(event.conversation_id)
        if talk is not None and event.sender_type == "agent":
            talk.typing_until = self._now + _TYPING_LASTS_S if event.typing else 0.0

    def _status(self, event: StatusChanged) -> None:
        if event.sender_type == "agent":
            self._agent_is(event.sender_id, status=event.status, status_text=event.text)

    def _presence(self, event: PresenceChanged) -> None:
        if event.type == "agent":
            status = "online" if event.online else "offline"
            self._agent_is(event.id, online=event.online, status=status, last_seen=event.last_seen)

    def _agent_is(self, agent_id: str, **changed: object) -> None:
        if agent_id in self.agents:
            self.agents[agent_id] = msgspec.structs.replace(self.agents[agent_id], **changed)

    def _rebuild(self, snapshot: Snapshot) -> None:
        before, self.talks = self.talks, {}
        self.runs.forget_live()
        for conversation in snapshot.conversations:
            talk = Talk(msgspec.structs.replace(conversation, messages=[], receipts=[]))
            if talk.id in before:
                # Ours that the log has not told yet: the snapshot may or may not have them.
                talk.outgoing = before[talk.id].outgoing
            talk.add(conversation.messages)
            for message in conversation.messages:
                self.runs.posted(message)
            for receipt in conversation.receipts:
                talk.mark(receipt)
            self.talks[talk.id] = talk
        if self.current not in self.talks:
            self.current = None

    def _forget(self, conversation_id: str) -> None:
        self.talks.pop(conversation_id, None)
        for run in self.runs.of(conversation_id):
            self.runs.end(run.run_id)
        if self.current == conversation_id:
            self.current = None
            self.notice = "this conversation was deleted"

    # --------------------------------------------------------------------------------------------------- what is asked

    @property
    def talk(self) -> Talk | None:
        """The conversation on the screen."""
        return self.talks.get(self.current) if self.current is not None else None

    @property
    def agent(self) -> AgentInfo | None:
        """The agent on the screen."""
        return self.agents.get(self.talk.agent_id) if self.talk else None

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

    def live(self) -> list[LiveRun]:
        """What is being written in the conversation on the screen."""
        return self.runs.of(self.current)

    def newest_run(self) -> LiveRun | None:
        """What /steer and Ctrl-C are about."""
        return next(reversed(self.live()), None)

    def interrupted(self, now: float) -> LiveRun | None:
        """
        Ctrl-C was pressed.

        Returns:
            The run to stop; None: the person wants to leave.
        """
        is_second = now - self._interrupted_at < _LEAVE_WITHIN_S
        self._interrupted_at = now
        return None if is_second else self.newest_run()

    def last_own(self) -> Message | None:
        """What /edit and /delete are about."""
        return next(reversed(self.talk.own()), None) if self.talk else None

    def last_queued(self) -> Message | None:
        """What /withdraw is about."""
        return next((each for each in reversed(self.talk.own()) if each.queued), None) if self.talk else None

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
        # Every run answers some message; that is worth saying only if we have said more since.
        if quoted and message.run and not talk.has_own_between(quoted.conversation_seq, message.conversation_seq):
            quoted = None
        return Line(
            message.message_id,
            "you" if is_own else self.agent_name(message.sender_id),
            _text(message),
            message.created_at,
            is_own=is_own,
            is_edited=message.edited_at is not None,
            is_deleted=message.deleted,
            is_steering=message.steers is not None,
            quoted=_text(quoted) if quoted else "",
            state=talk.state_of(message) if is_own else None,
            message=message,
        )


def _text(message: Message) -> str:
    """What there is to read; this program has no keys."""
    return "(encrypted message)" if message.kind == "encrypted" and not message.deleted else message.content


def _receipt(event: DeliveredMoved) -> Receipt:
    return Receipt(
        conversation_id=event.conversation_id,
        account_kind=event.account_kind,
        account_id=event.account_id,
        delivered_up_to=event.delivered_up_to,
    )
