"""Whether somebody is to be woken for a conversation, with which words, on which devices: today's truth, in one look.

Knows SQL and words. Knows no push service, no route, and nothing of time-outs and of who looks at the app.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from amtrio.model.message import HAS_ATTACHMENTS
from amtrio.model.notification import is_silent
from amtrio.model.push_device import Platform
from amtrio.store.database import ReadTx, Tx

# What a locked screen shows of a message is shorter; with everything around it it stays far below 4 KiB, which is
# what all three services take.
MAX_BODY_CHARS: Final = 240
MAX_TITLE_CHARS: Final = 100
# Counting stops here, as it does in lists of conversations.
MAX_UNREAD: Final = 1000
# Beginning of a message that is read to show some of it: spaces are folded.
_READ_CHARS: Final = 1000

_NEWEST = """
SELECT m.id, m.seq, m.kind, substr(m.content, 1, :chars), m.extras, a.name
FROM member mine
JOIN message m ON m.conversation_id = mine.conversation_id AND m.seq = (
    SELECT max(unread.seq) FROM message unread WHERE unread.conversation_id = mine.conversation_id
        AND unread.seq > mine.read_up_to AND unread.sender_key <> mine.account_key AND unread.deleted_us IS NULL)
LEFT JOIN agent a ON a.account_key = m.sender_key
WHERE mine.conversation_id = :conversation AND mine.account_key = :account AND mine.left_at_seq IS NULL"""
_UNREAD = """
SELECT count(*) FROM (
    SELECT 1 FROM member mine JOIN message m ON m.conversation_id = mine.conversation_id AND m.seq > mine.read_up_to
    WHERE mine.account_key = :account AND mine.left_at_seq IS NULL AND m.sender_key <> :account
        AND m.deleted_us IS NULL LIMIT :most) AS unread"""
_DEVICES = """
SELECT d.id, d.platform, d.address, coalesce(d.p256dh, ''), coalesce(d.auth, ''), d.can_withdraw, d.updated_us
FROM push_device d JOIN login_session s ON s.id = d.session_id
WHERE d.account_key = :account AND s.ended_us IS NULL ORDER BY d.updated_us DESC, d.id"""
# Conversations in which something happened lately and something is unread, of people whose devices can be woken.
_OPEN_WAKES = """
SELECT DISTINCT mine.account_key, c.id FROM push_device d
JOIN member mine ON mine.account_key = d.account_key JOIN conversation c ON c.id = mine.conversation_id
WHERE c.updated_us > :since AND c.last_seq > mine.read_up_to AND mine.left_at_seq IS NULL"""

_READ_MEANWHILE = """
SELECT shown.account_key, shown.conversation_id FROM push_shown shown
JOIN member mine ON mine.account_key = shown.account_key AND mine.conversation_id = shown.conversation_id
JOIN message m ON m.conversation_id = shown.conversation_id AND m.seq = shown.seq
WHERE mine.read_up_to >= shown.seq OR m.deleted_us IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Device:
    """
    One device that takes pushes.

    Attributes:
        address: the token or the endpoint. p256dh, auth: of Web Push.
        can_withdraw: it may be told that what it shows was read elsewhere.
        registered_us: when it gave this address last.
    """

    id: str
    platform: Platform
    address: str
    p256dh: str
    auth: str
    can_withdraw: bool
    registered_us: int


@dataclass(frozen=True, slots=True)
class Notice:
    """
    What a device is told.

    Attributes:
        unread: messages that wait in all conversations, for the app's badge.
        is_withdrawn: nothing to show; what was shown of this conversation is to be taken back.
    """

    conversation_id: str
    message_id: str
    title: str
    body: str
    unread: int
    is_withdrawn: bool = False

    @property
    def tag(self) -> str:
        """A newer notice of the same conversation replaces the older one."""
        return f"conversation-{self.conversation_id}"


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What to do.

    Attributes:
        reason: for the log; why nothing is sent, or `wake` or `withdraw`.
        seq: number of the message that is shown once this is done; 0 = none.
        notice: None if there is nothing to send.
    """

    reason: str
    seq: int = 0
    notice: Notice | None = None
    devices: tuple[Device, ...] = ()


def decide_to_wake(
    tx: ReadTx, account: str, conversation_id: str, *, shown: int, now_us: int, has_text: bool = True
) -> Decision:
    """
    Whether `account` is to be woken for the newest message of a conversation, and how.

    Args:
        shown: the message of it that is on its screens; 0 = none.
        has_text: whether the notice may say who wrote and what.
    """
    row = tx.one(_NEWEST, conversation=conversation_id, account=account, chars=_READ_CHARS)
    if row is None:
        return Decision("read")
    message_id, seq, kind, content, extras, agent_name = row
    if seq <= shown:
        return Decision("shown already")
    silent = is_silent(tx, account, conversation_id, now_us)
    if silent is not None:
        return Decision(silent)
    devices = _devices(tx, account)
    if not devices:
        return Decision("no devices")
    title, body = words(agent_name or "", kind, content, has_files=bool(extras & HAS_ATTACHMENTS), has_text=has_text)
    return Decision("wake", seq, Notice(conversation_id, message_id, title, body, _unread(tx, account)), devices)


def decide_to_withdraw(tx: ReadTx, account: str, conversation_id: str, *, shown: int) -> Decision:
    """Whether the message that is on the screens of `account` was read or deleted meanwhile, or is gone altogether."""
    row = tx.one(
        """
        SELECT 1 FROM member mine JOIN message m ON m.conversation_id = mine.conversation_id
        WHERE mine.conversation_id = :conversation AND mine.account_key = :account AND mine.left_at_seq IS NULL
            AND m.seq = :shown AND m.seq > mine.read_up_to AND m.deleted_us IS NULL""",
        conversation=conversation_id,
        account=account,
        shown=shown,
    )
    if row is not None:
        return Decision("still unread", shown)
    notice = Notice(conversation_id, "", "", "", _unread(tx, account), is_withdrawn=True)
    return Decision("withdraw", 0, notice, tuple(each for each in _devices(tx, account) if each.can_withdraw))


def _devices(tx: ReadTx, account: str) -> tuple[Device, ...]:
    return tuple(
        Device(id_, platform, address, p256dh, auth, bool(can_withdraw), updated_us)
        for id_, platform, address, p256dh, auth, can_withdraw, updated_us in tx.all(_DEVICES, account=account)
    )


def _unread(tx: ReadTx, account: str) -> int:
    row = tx.one(_UNREAD, account=account, most=MAX_UNREAD)
    return int(row[0]) if row is not None else 0


def words(sender: str, kind: str, content: str, *, has_files: bool, has_text: bool) -> tuple[str, str]:
    """Title and body of a notice."""
    if not has_text:
        return "New message", "Open the app to read it"
    title = cut(sender, MAX_TITLE_CHARS) or "New message"
    if kind == "encrypted":
        return title, "New encrypted message"
    body = cut(content, MAX_BODY_CHARS)
    if not body:
        return title, "Sent a file" if has_files else "New message"
    return title, body


def cut(text: str, most_chars: int) -> str:
    """The beginning of a text in one line, whole characters only, with … if there is more."""
    line = " ".join(text.split())
    if len(line) <= most_chars:
        return line
    beginning = line[: most_chars - 1]
    # Nothing that belongs to a character that is gone: combining marks, joiners, half a flag.
    word_end = beginning.rfind(" ")
    if word_end > most_chars // 2:
        beginning = beginning[:word_end]
    return beginning.rstrip(" \u200d\ufe0f") + "…"


def mark_shown(tx: Tx, account: str, conversation_id: str, seq: int) -> None:
    """Note which message is on the screens, 0 = none; nothing if the conversation is gone."""
    if seq:
        tx.run(
            """
            INSERT INTO push_shown (account_key, conversation_id, seq, shown_us)
            SELECT account_key, conversation_id, :seq, :at FROM member
            WHERE account_key = :account AND conversation_id = :conversation
            ON CONFLICT (account_key, conversation_id)
            DO UPDATE SET seq = excluded.seq, shown_us = excluded.shown_us""",
            account=account,
            conversation=conversation_id,
            seq=seq,
            at=tx.at_us,
        )
    else:
        tx.run(
            "DELETE FROM push_shown WHERE account_key = :account AND conversation_id = :conversation",
            account=account,
            conversation=conversation_id,
        )


def forget_device(tx: Tx, id_: str, address: str) -> None:
    """The service knows it no more; unless it has given another address meanwhile."""
    tx.run("DELETE FROM push_device WHERE id = :id AND address = :address", id=id_, address=address)


@dataclass(frozen=True, slots=True)
class Remembered:
    """
    What a start finds.

    Attributes:
        reachable: accounts with devices. shown: which message of a conversation is on their screens.
        open: where somebody may have to be woken. read: where what is shown was read or deleted meanwhile.
    """

    reachable: set[str]
    shown: dict[tuple[str, str], int]
    open: list[tuple[str, str]]
    read: list[tuple[str, str]]


def remembered(tx: ReadTx, since_us: int, most: int) -> Remembered:
    """What the time before a restart left."""
    rows = tx.all(
        "SELECT account_key, conversation_id, seq FROM push_shown ORDER BY shown_us DESC LIMIT :most", most=most
    )
    return Remembered(
        reachable={row[0] for row in tx.all("SELECT DISTINCT account_key FROM push_device")},
        shown={(account, conversation): seq for account, conversation, seq in reversed(rows)},
        open=[(account, conversation) for account, conversation in tx.all(_OPEN_WAKES, since=since_us)],
        read=[(account, conversation) for account, conversation in tx.all(_READ_MEANWHILE)],
    )
