"""What every feature that touches a conversation shares: the access check, and the shape of a conversation.

Knows SQL and wire names. Knows no command, no route, no socket.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from amtrio.clock import Clock, rfc3339
from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.protocol.frames import Event
from amtrio.store.database import ReadTx, Row, Tx, Value

MAX_TITLE = 200
# Counting further would cost more than anybody reads out of it: clients show 999+.
MAX_UNREAD = 1000
# What `checked_line` takes, for the description of the interface: its own words for what is wrong are better than those
# of a schema. No space at either end is stricter than it is, and loses nobody anything.
_NO_LINE = r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
LINE_PATTERN = rf"^[^\u0020\u00a0{_NO_LINE}]([^{_NO_LINE}]*[^\u0020\u00a0{_NO_LINE}])?$"
Title = Annotated[
    str,
    Meta(
        description=f"one line of 1 to {MAX_TITLE} characters; spaces round it do not count",
        extra_json_schema={"minLength": 1, "maxLength": MAX_TITLE, "pattern": LINE_PATTERN},
    ),
]
# `muted_until` of what is muted until somebody says otherwise: the last moment that RFC 3339 can name.
FOREVER_US: Final = 253_402_300_799_999_000
C = TypeVar("C", bound="Conversation")


class Conversation(Event, frozen=True, kw_only=True, omit_defaults=False):
    """A conversation as it is now."""

    conversation_id: str
    user_id: str
    agent_id: str
    title: str | None
    is_default: bool
    created_at: str
    updated_at: str

    @property
    def log_conversation(self) -> str:
        return self.conversation_id

    @property
    def log_subject(self) -> str:
        return self.conversation_id


class ConversationCreated(Conversation, frozen=True, kw_only=True, omit_defaults=False):
    """A conversation began."""

    type = "conversation_created"
    log_kind = "conversation_created"


class ConversationUpdated(Conversation, frozen=True, kw_only=True, omit_defaults=False):
    """Title or state changed."""

    type = "conversation_updated"
    log_kind = "conversation_updated"


CONVERSATION_COLUMNS = "c.id, c.user_key, c.agent_key, c.title, c.is_default, c.created_us, c.updated_us"

_MEMBERS = "SELECT account_key FROM member WHERE conversation_id = :id AND left_at_seq IS NULL"


def conversation(shape: type[C], row: Row) -> C:
    """`CONVERSATION_COLUMNS` as an event of the given class."""
    id_, user_key, agent_key, title, is_default, created_us, updated_us = row
    return shape(
        conversation_id=id_,
        user_id=user_key[2:],
        agent_id=agent_key[2:],
        title=title,
        is_default=bool(is_default),
        created_at=rfc3339(created_us),
        updated_at=rfc3339(updated_us),
    )


class ConversationDeleted(Event, frozen=True, kw_only=True):
    """A conversation and everything in it is gone."""

    type = "conversation_deleted"
    log_kind = "conversation_deleted"
    conversation_id: str

    @property
    def log_subject(self) -> str:
        return self.conversation_id


class LastMessage(msgspec.Struct, frozen=True, kw_only=True):
    """
    COMPAT: what a list shows of a conversation's newest message; both names of its id.

    Attributes:
        content: its beginning; empty if the message is encrypted: a preview of ciphertext tells nobody anything.
    """

    id: str
    message_id: str
    conversation_seq: int
    sender_type: str
    sender_id: str
    kind: str
    content: str
    created_at: str


class ConversationView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A conversation over REST, as one of its members sees it. COMPAT: it carries both names of its id.

    Attributes:
        last_message: the newest one that is not deleted.
        unread_count: messages of others above `read_up_to`; counting stops at 1000.
        pinned, archived, muted_until, tags: this member's own; the other side does not see them. Muted for ever is
            muted until the last moment of the year 9999.
    """

    id: str
    conversation_id: str
    user_id: str
    agent_id: str
    title: str | None
    is_default: bool
    created_at: str
    updated_at: str
    last_message: LastMessage | None
    unread_count: int
    read_up_to: int
    pinned: bool
    archived: bool
    muted_until: str | None
    tags: tuple[str, ...]


# An archived conversation comes back with its next message, unless it is muted for ever. Nothing is written for that:
# what was archived is everything up to a number, so a message costs no statement more.
ARCHIVED = f"""CASE WHEN mine.archived = 1 AND
    (c.last_seq <= mine.archived_up_to OR mine.muted_until_us >= {FOREVER_US}) THEN 1 ELSE 0 END"""
# Messages of others above one's own mark, as far as they are counted. It looks at no more of them than that.
UNREAD = f"""(SELECT count(*) FROM (
    SELECT 1 FROM message m WHERE m.conversation_id = c.id AND m.seq > mine.read_up_to
        AND m.sender_key <> mine.account_key AND m.deleted_us IS NULL LIMIT {MAX_UNREAD}) AS unread)"""  # noqa: S608
# Characters of the newest message in a list: a few lines, which is more than any list shows.
MAX_PREVIEW = 1_000
_VIEW = f"""
SELECT {CONVERSATION_COLUMNS}, mine.read_up_to, mine.pinned, {ARCHIVED}, mine.muted_until_us,
    last.id, last.seq, last.sender_key, last.kind, substr(last.content, 1, {MAX_PREVIEW}), last.created_us, {UNREAD}
FROM member mine JOIN conversation c ON c.id = mine.conversation_id
LEFT JOIN message last ON last.conversation_id = c.id AND last.seq = (
    SELECT max(m.seq) FROM message m WHERE m.conversation_id = c.id AND m.deleted_us IS NULL)
WHERE mine.account_key = :account AND mine.left_at_seq IS NULL"""  # noqa: S608 - our own column list


def conversation_views(tx: ReadTx, account: str, condition: str = "", /, **params: Value) -> list[ConversationView]:
    """
    The conversations of `account` as it sees them.

    Args:
        condition: SQL that goes on behind the WHERE clause, about `c` (conversation) and `mine` (member); never
            anything that a client said, which belongs into `params`.
    """
    rows = tx.all(f"{_VIEW} {condition}", account=account, **params)
    return [_view(tx, account, row) for row in rows]


def _view(tx: ReadTx, account: str, row: Row) -> ConversationView:
    read_up_to, pinned, archived, muted_until_us, id_, seq, sender, kind, content, created_us, unread = row[7:]
    last = None
    if id_ is not None:
        last = LastMessage(
            id=id_,
            message_id=id_,
            conversation_seq=seq,
            sender_type="agent" if sender[0] == "a" else "client",
            sender_id=sender[2:],
            kind=kind,
            content=content if kind != "encrypted" else "",
            created_at=rfc3339(created_us),
        )
    shown = conversation(Conversation, row[:7])
    return ConversationView(
        id=shown.conversation_id,
        conversation_id=shown.conversation_id,
        user_id=shown.user_id,
        agent_id=shown.agent_id,
        title=shown.title,
        is_default=shown.is_default,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
        last_message=last,
        unread_count=unread,
        read_up_to=read_up_to,
        pinned=bool(pinned),
        archived=bool(archived),
        muted_until=rfc3339(muted_until_us) if muted_until_us is not None else None,
        tags=tags_of(tx, account, shown.conversation_id),
    )


def conversation_view(tx: ReadTx, account: str, conversation_id: str) -> ConversationView:
    """
    One conversation of `account` as it sees it.

    Raises:
        NotFound: no such conversation, or not its own.
    """
    found = conversation_views(tx, account, "AND c.id = :id", id=conversation_id)
    if not found:
        raise no_conversation(conversation_id)
    return found[0]


def tags_of(tx: ReadTx, account: str, conversation_id: str) -> tuple[str, ...]:
    """The labels that `account` gave a conversation, by name."""
    rows = tx.all(
        "SELECT tag FROM conversation_tag WHERE conversation_id = :id AND account_key = :account ORDER BY tag",
        id=conversation_id,
        account=account,
    )
    return tuple(row[0] for row in rows)


def members(tx: ReadTx, conversation_id: str, account: str) -> list[str]:
    """
    The accounts in a conversation.

    Raises:
        NotFound: no such conversation, or `account` is not in it: one answer for both.
    """
    found = [row[0] for row in tx.all(_MEMBERS, id=conversation_id)]
    if account not in found:
        raise no_conversation(conversation_id)
    return found


def no_conversation(conversation_id: str) -> NotFound:
    return NotFound(f"conversation not found: {conversation_id[:64]!r}")


# Marks that turn the direction of what follows (UAX #9, 2): what is shown beside a title must not run backwards.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_line(what: str, text: str, most: int) -> str:
    """
    A line that people read, as it is stored: without spaces round it, and composed (NFC), so that two clients that
    spell the same line differently mean the same.

    Raises:
        Malformed: empty, longer than `most` characters, or with a control character or a line break in it.
    """
    line = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(line) <= most:
        text = f"{what} must be 1-{most} characters"
        raise Malformed(text)
    kinds = {unicodedata.category(each) for each in line}
    if kinds & {"Cc", "Cs", "Zl", "Zp"} or not _TURNING.isdisjoint(line):
        text = f"{what} must be one line without control characters"
        raise Malformed(text)
    if kinds <= {"Cf", "Zs"}:
        text = f"{what} must have something to see"
        raise Malformed(text)
    return line


def find_or_create(tx: Tx, clock: Clock, account: str, other: str, *, device: str | None = None) -> str:
    """
    The default conversation of a person and an agent, made now if there is none.

    Args:
        account: who asks, a person or an agent. other: whom with.

    Raises:
        NotFound: no such agent for this person; no such person for this agent.
    """
    user_key, agent_key = (account, other) if account[0] == "u" else (other, account)
    row = tx.one(
        "SELECT id FROM conversation WHERE user_key = :user AND agent_key = :agent AND is_default = 1",
        user=user_key,
        agent=agent_key,
    )
    if row is not None:
        return str(row[0])
    if account[0] == "a":
        # An agent may go on with people who began to talk with it; it may not accost strangers.
        text = f"no conversation with user {other[2:]!r}"
        raise NotFound(text)
    return create(tx, clock, user_key, agent_key, title=None, device=device)


_AGENT = """
SELECT 1 FROM agent WHERE account_key = :agent AND (
    visibility = 'everyone' OR owner_key = :viewer
    OR (visibility = 'listed' AND EXISTS (
        SELECT 1 FROM agent_reader r WHERE r.agent_key = agent.account_key AND r.account_key = :viewer)))"""


def may_see_agent(tx: ReadTx, agent_key: str, viewer: str) -> bool:
    """Whether there is such an agent for this person."""
    return tx.one(_AGENT, agent=agent_key, viewer=viewer) is not None


def create(tx: Tx, clock: Clock, user_key: str, agent_key: str, *, title: str | None, device: str | None) -> str:
    """
    Begin a conversation; without a title it is the default one of the two.

    Raises:
        NotFound: no such agent for this person.
    """
    if not may_see_agent(tx, agent_key, user_key):
        text = f"agent not found: {agent_key[2:]!r}"
        raise NotFound(text)
    id_ = clock.new_id("conv")
    created = tx.one(
        f"""
        INSERT INTO conversation AS c (id, user_key, agent_key, title, is_default, activity, created_us, updated_us)
        VALUES (:id, :user, :agent, :title, :is_default,
            (SELECT coalesce(max(activity), 0) + 1 FROM conversation), :at, :at)
        RETURNING {CONVERSATION_COLUMNS.replace("c.", "")}""",  # noqa: S608 - our own column list
        id=id_,
        user=user_key,
        agent=agent_key,
        title=title,
        is_default=int(title is None),
        at=tx.at_us,
    )
    if created is None:
        text = "the conversation could not be made"
        raise Conflict(text)
    for account, role in ((user_key, "owner"), (agent_key, "member")):
        tx.run(
            "INSERT INTO member (conversation_id, account_key, role) VALUES (:id, :account, :role)",
            id=id_,
            account=account,
            role=role,
        )
    tx.announce(conversation(ConversationCreated, created), (user_key, agent_key), device=device)
    return id_


def conversation_row(tx: ReadTx, conversation_id: str) -> Row | None:
    """`CONVERSATION_COLUMNS` of one conversation."""
    return tx.one(
        f"SELECT {CONVERSATION_COLUMNS} FROM conversation c WHERE c.id = :id",  # noqa: S608 - our own column list
        id=conversation_id,
    )


def others(accounts: Iterable[str], account: str) -> tuple[str, ...]:
    """Everybody but one."""
    return tuple(other for other in accounts if other != account)


def is_member(tx: ReadTx, conversation_id: str, account: str) -> bool:
    """Whether `account` is in the conversation now."""
    row = tx.one(
        "SELECT 1 FROM member WHERE conversation_id = :id AND account_key = :account AND left_at_seq IS NULL",
        id=conversation_id,
        account=account,
    )
    return row is not None
