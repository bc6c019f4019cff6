"""What a connection tells: events from the account log, passing ones, and the state of the connection itself.

Knows the shapes only. Every shape ignores fields it does not know, so that newer servers can be read.
Source: docs/protocol.md, "Events".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from amtrio.client.shapes import AccountKind, AgentInfo, Attachment, PartDelta, Question, RunPart, RunRecord

SenderType = Literal["client", "agent"]


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """One emoji of one member on one message."""

    id: str = ""
    emoji: str
    account_kind: AccountKind
    account_id: str
    created_at: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """
    Attributes:
        conversation_seq: its place in the conversation: 1, 2, 3 … without gaps.
        client_id: the sender's own id of it; only the sender's account sees it.
        kind: `encrypted` means that `content` is ciphertext, which `encryption` says more of; else it is a text.
        attachments: its files, in order.
        queued: the agent has not taken it up yet, so it can still be withdrawn.
        steers: id of the run that it was said into.
        run: the run that it is the end of.
        deleted: a tombstone; content is then empty.
    """

    message_id: str
    conversation_id: str
    conversation_seq: int
    sender_type: SenderType
    sender_id: str
    content: str = ""
    created_at: str = ""
    content_format: str | None = None
    kind: str | None = None
    client_id: str | None = None
    reply_to: str | None = None
    metadata: dict[str, Any] | None = None
    encryption: dict[str, Any] | None = None
    reactions: list[Reaction] = []
    attachments: list[Attachment] = []
    queued: bool = False
    steers: str | None = None
    run: RunRecord | None = None
    question: Question | None = None
    edited_at: str | None = None
    deleted: bool = False


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """How far a member has got, as `conversation_seq`. A mark never moves back."""

    conversation_id: str = ""
    account_kind: AccountKind
    account_id: str
    read_up_to: int = 0
    delivered_up_to: int = 0


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """
    One person and one agent; `messages` and `receipts` only in a snapshot, the last two fields only in lists.

    Attributes:
        pinned, archived, muted_until, tags: this account's own; in snapshots and lists, not in events.
    """

    conversation_id: str
    user_id: str = ""
    agent_id: str = ""
    title: str | None = None
    is_default: bool = False
    created_at: str = ""
    updated_at: str = ""
    pinned: bool = False
    archived: bool = False
    muted_until: str | None = None
    tags: list[str] = []
    receipts: list[Receipt] = []
    messages: list[Message] = []
    unread_count: int | None = None
    last_message: Any = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """
    Attributes:
        seq: number in the account's log; None for what no log keeps and any queue may drop.
    """

    seq: int | None = None


class MessagePosted(Event, frozen=True, kw_only=True):
    message: Message


class MessageEdited(Event, frozen=True, kw_only=True):
    message: Message


class MessageDeleted(Event, frozen=True, kw_only=True):
    message_id: str
    conversation_id: str
    conversation_seq: int
    deleted_by: str | None = None
    deleted_at: str | None = None


class ReactionAdded(Event, frozen=True, kw_only=True):
    message_id: str
    conversation_id: str
    emoji: str
    account_kind: AccountKind
    account_id: str
    id: str = ""
    created_at: str = ""


class ReactionRemoved(Event, frozen=True, kw_only=True):
    message_id: str
    conversation_id: str
    emoji: str
    account_kind: AccountKind
    account_id: str


class ReceiptMoved(Event, frozen=True, kw_only=True):
    receipt: Receipt


class ConversationCreated(Event, frozen=True, kw_only=True):
    conversation: Conversation


class ConversationUpdated(Event, frozen=True, kw_only=True):
    conversation: Conversation


class ConversationDeleted(Event, frozen=True, kw_only=True):
    conversation_id: str


class ConversationStateChanged(Event, frozen=True, kw_only=True):
    """
    What this account keeps about a conversation.

    Attributes:
        archived: a later message ends it, unless the conversation is muted for ever (year 9999).
    """

    conversation_id: str
    pinned: bool = False
    archived: bool = False
    muted_until: str | None = None
    tags: list[str] = []


class NotificationPreferencesChanged(Event, frozen=True, kw_only=True):
    """Attributes: muted_until: RFC 3339. quiet_from, quiet_to: HH:MM in `time_zone`."""

    muted_until: str | None = None
    quiet_from: str | None = None
    quiet_to: str | None = None
    time_zone: str = "UTC"


class Gone(Event, frozen=True, kw_only=True):
    """
    A number whose event shows nothing any more.

    Attributes:
        skipped: it is there, but seems to be what ends this program: fetch what is new in `conversation_id` instead.
    """

    skipped: bool = False
    conversation_id: str | None = None


class TypingChanged(Event, frozen=True, kw_only=True):
    conversation_id: str
    sender_type: SenderType
    sender_id: str
    typing: bool = True


class StatusChanged(Event, frozen=True, kw_only=True):
    sender_type: SenderType
    sender_id: str
    status: str
    text: str | None = None


class PresenceChanged(Event, frozen=True, kw_only=True):
    id: str
    type: AccountKind
    online: bool
    last_seen: str | None = None


class AgentChanged(Event, frozen=True, kw_only=True):
    """What an agent says about itself is another, or who may see it; the whole of it."""

    agent: AgentInfo


class DeliveredMoved(Event, frozen=True, kw_only=True):
    conversation_id: str
    account_kind: AccountKind
    account_id: str
    delivered_up_to: int


class IdentityKeyChanged(Event, frozen=True, kw_only=True):
    """Somebody we talk with, or we ourselves, has another identity key: compare again what was compared."""

    account_kind: AccountKind
    account_id: str
    version: int
    public_key: str
    changed_at: str


class OneTimeKeysLow(Event, frozen=True, kw_only=True):
    """Few of our one-time keys are left: upload more."""

    remaining: int


class MessageTaken(Event, frozen=True, kw_only=True):
    """An agent has taken up what was `queued`."""

    message_id: str
    conversation_id: str
    conversation_seq: int


class QuestionAnswered(Event, frozen=True, kw_only=True):
    message_id: str
    conversation_id: str
    question: Question


class QuestionClosed(Event, frozen=True, kw_only=True):
    """Nobody needs to answer any more: it expired, or the agent closed it."""

    message_id: str
    conversation_id: str
    question: Question


class RunEnded(Event, frozen=True, kw_only=True):
    """A run has ended with nothing to keep; one that left something ends with its message."""

    run_id: str
    conversation_id: str
    agent_id: str
    outcome: str


class RunSnapshot(Event, frozen=True, kw_only=True):
    """A live run as a whole; it replaces what is shown of it. `RunView` applies it and what follows."""

    run_id: str
    conversation_id: str
    agent_id: str
    rev: int
    reply_to: str | None = None
    started_at: str = ""
    parts: list[RunPart] = []


class RunDelta(Event, frozen=True, kw_only=True):
    """What is new about a live run. Attributes: rev: one more than that of the one before."""

    run_id: str
    conversation_id: str
    rev: int
    parts: list[PartDelta] = []


class RunControlState(Event, frozen=True, kw_only=True):
    """
    How a stop or a word into a run fares.

    Attributes:
        action: `stop` or `steer`. state: `sent`, `acknowledged`, `unresponsive` or `closed`.
    """

    run_id: str
    conversation_id: str
    control_id: str
    action: str
    state: str


class Unknown(Event, frozen=True, kw_only=True):
    """From a newer server, or not of the shape this library knows: safe to ignore, its number counts."""

    type: str
    data: dict[str, Any]


class Snapshot(Event, frozen=True, kw_only=True):
    """
    The account as it was at `seq`, read in one transaction: forget what you have and build anew from this.

    Comes in place of the events that the server could not give any more.
    """

    epoch: str
    conversations: list[Conversation]


class Online(Event, frozen=True, kw_only=True):
    """
    This library has a working socket.

    Attributes:
        id: who the server says we are. limits: as in the frame `connected`.
    """

    id: str
    kind: AccountKind
    device_id: str | None = None
    limits: dict[str, int] = {}
    capabilities: list[str] = []


class Offline(Event, frozen=True, kw_only=True):
    """This library lost its socket, or got none, and tries again after `retry_in_s` seconds."""

    reason: str
    retry_in_s: float


# Events whose data is the thing itself: the field it goes to, and the shape.
_WRAPPED: Mapping[str, tuple[type[Event], str]] = {
    "message": (MessagePosted, "message"),
    "message_edited": (MessageEdited, "message"),
    "receipt": (ReceiptMoved, "receipt"),
    "conversation_created": (ConversationCreated, "conversation"),
    "conversation_updated": (ConversationUpdated, "conversation"),
    "agent_changed": (AgentChanged, "agent"),
}
_PLAIN: Mapping[str, type[Event]] = {
    "message_deleted": MessageDeleted,
    "reaction_added": ReactionAdded,
    "reaction_removed": ReactionRemoved,
    "conversation_deleted": ConversationDeleted,
    "conversation_state": ConversationStateChanged,
    "notification_preferences": NotificationPreferencesChanged,
    "gone": Gone,
    "message_taken": MessageTaken,
    "question_answered": QuestionAnswered,
    "question_closed": QuestionClosed,
    "run_ended": RunEnded,
    "run_snapshot": RunSnapshot,
    "run_delta": RunDelta,
    "run_control_state": RunControlState,
    "typing": TypingChanged,
    "status": StatusChanged,
    "presence_update": PresenceChanged,
    "delivered": DeliveredMoved,
    "identity_key_changed": IdentityKeyChanged,
    "one_time_keys_low": OneTimeKeysLow,
}


def read_event(word: str, data: Mapping[str, Any], seq: int | None) -> Event:
    """
    The event of a frame.

    Never fails: a shape this library does not know becomes `Unknown`, since its number must count all the same.
    """
    try:
        if word in _WRAPPED:
            shape, field = _WRAPPED[word]
            return msgspec.convert({"seq": seq, field: data}, shape)
        if word in _PLAIN:
            return msgspec.convert({**data, "seq": seq}, _PLAIN[word])
    except msgspec.ValidationError:
        pass
    return Unknown(seq=seq, type=word, data=dict(data))
