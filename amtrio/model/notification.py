"""Whether an event may wake a person: what it muted, and its quiet hours.

One question, answered by one look at the database. Knows SQL and time zones. Knows no command, no route, no socket and
no way of waking anybody.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from amtrio.store.database import ReadTx

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR
SilentBecause = Literal["muted", "conversation muted", "quiet hours"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_silent(tx: ReadTx, account: str, conversation_id: str, at_us: int) -> SilentBecause | None:
    """
    Why news of a conversation must not wake `account` at this moment; None if it may.

    A person who asked for nothing is woken, and so is one whose time zone this machine has lost.
    """
    row = tx.one(
        """
        SELECT p.muted_until_us, mine.muted_until_us, p.quiet_from_minute, p.quiet_to_minute, p.time_zone
        FROM account a
        LEFT JOIN notification_preference p ON p.account_key = a.key
        LEFT JOIN member mine ON mine.account_key = a.key AND mine.conversation_id = :conversation
        WHERE a.key = :account""",
        account=account,
        conversation=conversation_id,
    )
    if row is None:
        return None
    muted_until_us, conversation_muted_until_us, quiet_from, quiet_to, time_zone = row
    if muted_until_us is not None and at_us < muted_until_us:
        return "muted"
    if conversation_muted_until_us is not None and at_us < conversation_muted_until_us:
        return "conversation muted"
    if quiet_from is not None and quiet_to is not None:
        zone = find_zone(time_zone)
        if zone is not None and is_between(minute_of_day(at_us, zone), quiet_from, quiet_to):
            return "quiet hours"
    return None


def is_between(minute: int, start: int, end: int) -> bool:
    """Whether a minute of the day lies in [start, end), over midnight if the end comes first."""
    if start <= end:
        return start <= minute < end
    return minute >= start or minute < end


def minute_of_day(at_us: int, zone: ZoneInfo) -> int:
    """
    What the clock on the wall shows, as minutes after midnight.

    Quiet hours are asked of the wall and never turned into moments: an hour that a change of the clocks skips or
    repeats needs no rule of its own.
    """
    there = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)
    return there.hour * MINUTES_PER_HOUR + there.minute


def find_zone(name: str) -> ZoneInfo | None:
    """The IANA time zone of that name, None if there is none. Names are files to the library, so anything may come."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
