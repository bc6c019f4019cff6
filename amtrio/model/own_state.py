"""What a member keeps about a conversation for itself: pinned, archived, muted, labels.

The other side neither sees it nor hears of it; the member's own devices do. Knows SQL and wire names. Knows no command,
no route, no socket.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from amtrio.clock import Clock, rfc3339
from amtrio.errors import Conflict
from amtrio.model.conversation import ARCHIVED, LINE_PATTERN, checked_line, no_conversation, tags_of
from amtrio.protocol.frames import Event
from amtrio.store.database import ReadTx, Tx

MAX_TAG = 50
TagText = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_TAG, "pattern": LINE_PATTERN})]
MAX_TAGS_PER_CONVERSATION = 20
MAX_TAGS_PER_ACCOUNT = 100


class ConversationState(Event, frozen=True, kw_only=True, omit_defaults=False):
    """
    What this account keeps about a conversation, as it is now; told to its own devices only.

    Attributes:
        archived: a message above the conversation's number at that moment ends it, unless muted for ever.
        muted_until: no news of it wakes anybody until then; the last moment of the year 9999 = for ever.
    """

    type = "conversation_state"
    log_kind = "conversation_state"
    conversation_id: str
    pinned: bool
    archived: bool
    muted_until: str | None
    tags: tuple[str, ...]

    @property
    def log_conversation(self) -> str:
        return self.conversation_id

    @property
    def log_subject(self) -> str:
        return self.conversation_id


def find_own_state(tx: ReadTx, account: str, conversation_id: str) -> ConversationState | None:
    """What `account` keeps about a conversation; None if it is in none of that id."""
    row = tx.one(
        f"""
        SELECT mine.pinned, {ARCHIVED}, mine.muted_until_us
        FROM member mine JOIN conversation c ON c.id = mine.conversation_id
        WHERE c.id = :id AND mine.account_key = :account AND mine.left_at_seq IS NULL""",  # noqa: S608 - our own words
        id=conversation_id,
        account=account,
    )
    if row is None:
        return None
    pinned, archived, muted_until_us = row
    return ConversationState(
        conversation_id=conversation_id,
        pinned=bool(pinned),
        archived=bool(archived),
        muted_until=rfc3339(muted_until_us) if muted_until_us is not None else None,
        tags=tags_of(tx, account, conversation_id),
    )


def own_state(tx: ReadTx, account: str, conversation_id: str) -> ConversationState:
    """
    What `account` keeps about a conversation.

    Raises:
        NotFound: no such conversation, or not its own.
    """
    found = find_own_state(tx, account, conversation_id)
    if found is None:
        raise no_conversation(conversation_id)
    return found


def announce_change(tx: Tx, account: str, before: ConversationState, *, device: str | None) -> ConversationState:
    """Tell the account's own devices what is different now from `before`, if anything is."""
    after = own_state(tx, account, before.conversation_id)
    if after != before:
        tx.announce(after, (account,), device=device)
    return after


def pin(tx: Tx, account: str, conversation_id: str, *, on: bool) -> None:
    """Mark a conversation of one's own as important."""
    tx.run(
        "UPDATE member SET pinned = :pinned WHERE conversation_id = :id AND account_key = :account",
        pinned=int(on),
        id=conversation_id,
        account=account,
    )


def archive(tx: Tx, account: str, conversation_id: str, *, on: bool) -> None:
    """Put a conversation of one's own away until its next message."""
    tx.run(
        """
        UPDATE member SET archived = :archived,
            archived_up_to = (SELECT c.last_seq FROM conversation c WHERE c.id = member.conversation_id)
        WHERE conversation_id = :id AND account_key = :account""",
        archived=int(on),
        id=conversation_id,
        account=account,
    )


def mute(tx: Tx, account: str, conversation_id: str, until_us: int | None) -> None:
    """
    Let a conversation of one's own wake nobody until then, or again with None.

    Muting for ever decides what becomes of an archived conversation; so what is in the archive at this moment stays
    there, and what has come back stays out.
    """
    tx.run(
        f"""
        UPDATE member AS mine SET muted_until_us = :until,
            archived = (SELECT {ARCHIVED} FROM conversation c WHERE c.id = mine.conversation_id),
            archived_up_to = (SELECT c.last_seq FROM conversation c WHERE c.id = mine.conversation_id)
        WHERE conversation_id = :id AND account_key = :account""",  # noqa: S608 - our own words
        until=until_us,
        id=conversation_id,
        account=account,
    )


def checked_tag(text: str) -> str:
    """
    A label as it is stored.

    Raises:
        Malformed: empty, too long, or not one line.
    """
    return checked_line("tag", text, MAX_TAG)


def add_tag(tx: Tx, clock: Clock, account: str, conversation_id: str, tag: str) -> bool:
    """
    Label a conversation of one's own.

    Args:
        tag: as `checked_tag` returned it.

    Returns:
        False if it had that label.

    Raises:
        Conflict: one label more than a conversation or an account may have.
    """
    added = tx.run(
        """
        INSERT INTO conversation_tag (conversation_id, account_key, tag, id, created_us)
        VALUES (:id, :account, :tag, :tag_id, :at) ON CONFLICT (conversation_id, account_key, tag) DO NOTHING""",
        id=conversation_id,
        account=account,
        tag=tag,
        tag_id=clock.new_id("tag"),
        at=tx.at_us,
    )
    if not added:
        return False
    here, everywhere = tx.one(
        """
        SELECT (SELECT count(*) FROM conversation_tag WHERE conversation_id = :id AND account_key = :account),
            (SELECT count(DISTINCT tag) FROM conversation_tag WHERE account_key = :account)""",
        id=conversation_id,
        account=account,
    ) or (0, 0)
    if here > MAX_TAGS_PER_CONVERSATION:
        text = f"a conversation may have at most {MAX_TAGS_PER_CONVERSATION} tags"
        raise Conflict(text)
    if everywhere > MAX_TAGS_PER_ACCOUNT:
        text = f"there may be at most {MAX_TAGS_PER_ACCOUNT} different tags"
        raise Conflict(text)
    return True


def remove_tag(tx: Tx, account: str, conversation_id: str, tag: str) -> bool:
    """Take a label off; False if it was not there."""
    gone = tx.run(
        "DELETE FROM conversation_tag WHERE conversation_id = :id AND account_key = :account AND tag = :tag",
        id=conversation_id,
        account=account,
        tag=tag,
    )
    return bool(gone)


def set_tags(tx: Tx, clock: Clock, account: str, conversation_id: str, tags: Iterable[str]) -> None:
    """
    Let a conversation have these labels and no others.

    Raises:
        Malformed, Conflict: as for one.
    """
    wanted = {checked_tag(tag) for tag in tags}
    present = set(tags_of(tx, account, conversation_id))
    # Off before on, or a full conversation could not be labelled anew.
    for tag in sorted(present - wanted):
        remove_tag(tx, account, conversation_id, tag)
    for tag in sorted(wanted - present):
        add_tag(tx, clock, account, conversation_id, tag)
