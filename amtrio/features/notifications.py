"""What a person does not want to be woken by: everything for a while, one conversation, or anything at night.

Knows frames and SQL. Knows nothing of sockets, HTTP or how people are woken; `amtrio.model.notification` decides.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from amtrio.clock import rfc3339
from amtrio.context import Context, Nothing, Services
from amtrio.errors import Malformed
from amtrio.feature import delete, get, on_removal, post, put, replay
from amtrio.model.conversation import FOREVER_US
from amtrio.model.notification import MINUTES_PER_HOUR, find_zone
from amtrio.model.own_state import announce_change, find_own_state, mute, own_state
from amtrio.protocol.frames import ClientId, Command, Event, Reply
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import LogRow

TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?!\n)$", description="HH:MM, 00:00 to 23:59")]
Moment = Annotated[datetime, Meta(tz=True)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotificationPreferences(Event, frozen=True, kw_only=True, omit_defaults=False):
    """
    When this account is not woken at all, as it is now; told to its own devices.

    Attributes:
        muted_until: the last moment of the year 9999 = for ever.
        quiet_from, quiet_to: HH:MM on the wall, both or neither; over midnight if the end comes first.
        time_zone: IANA name of where that wall is.
    """

    type = "notification_preferences"
    log_kind = "notification_preferences"
    muted_until: str | None = None
    quiet_from: str | None = None
    quiet_to: str | None = None
    time_zone: str = "UTC"

    @property
    def log_subject(self) -> str:
        """There is one of it in each account."""
        return "preferences"


class SetPreferences(Command, frozen=True, kw_only=True):
    """
    What is to change; what is left out stays, null takes it away.

    Attributes:
        muted: true = for ever, false = no longer. muted_until: or until then.
    """

    muted: bool | UnsetType = UNSET
    muted_until: Moment | UnsetType | None = UNSET
    quiet_from: TimeOfDay | UnsetType | None = UNSET
    quiet_to: TimeOfDay | UnsetType | None = UNSET
    time_zone: str | UnsetType = UNSET
    client_id: ClientId | None = None


@get("/notifications/preferences", who="user")
def preferences(tx: ReadTx, ctx: Context, request: Nothing) -> NotificationPreferences:
    """When one is not woken."""
    del request
    return _preferences(tx, ctx.principal.account)


@put("/notifications/preferences", who="user")
def set_preferences(tx: Tx, ctx: Context, request: SetPreferences) -> NotificationPreferences:
    """
    Change when one is not woken.

    Raises:
        Malformed: nothing to change, quiet hours with one end or without length, an unknown time zone, muted said
            twice.
    """
    if request == SetPreferences(client_id=request.client_id):
        text = "nothing to change: name at least one of muted, muted_until, quiet_from, quiet_to, time_zone"
        raise Malformed(text)
    account = ctx.principal.account
    before = _preferences(tx, account)
    row = _row(tx, account) or (None, None, None, "UTC")
    until_us = _until_us(request.muted, request.muted_until, otherwise=row[0])
    quiet_from = row[1] if request.quiet_from is UNSET else _minute(request.quiet_from)
    quiet_to = row[2] if request.quiet_to is UNSET else _minute(request.quiet_to)
    time_zone = row[3] if request.time_zone is UNSET else request.time_zone
    if (quiet_from is None) != (quiet_to is None):
        text = "quiet hours need both quiet_from and quiet_to"
        raise Malformed(text)
    if quiet_from is not None and quiet_from == quiet_to:
        text = "quiet hours must not end when they begin; to be left alone all day, set muted"
        raise Malformed(text)
    if find_zone(time_zone) is None:
        text = f"time_zone must be an IANA name such as Europe/Berlin, not {time_zone[:64]!r}"
        raise Malformed(text)
    tx.run(
        """
        INSERT INTO notification_preference
            (account_key, muted_until_us, quiet_from_minute, quiet_to_minute, time_zone, updated_us)
        VALUES (:account, :until, :quiet_from, :quiet_to, :zone, :at)
        ON CONFLICT (account_key) DO UPDATE SET muted_until_us = excluded.muted_until_us,
            quiet_from_minute = excluded.quiet_from_minute, quiet_to_minute = excluded.quiet_to_minute,
            time_zone = excluded.time_zone, updated_us = excluded.updated_us""",
        account=account,
        until=until_us,
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        zone=time_zone,
        at=tx.at_us,
    )
    after = _preferences(tx, account)
    if after != before:
        tx.announce(after, (account,), device=ctx.principal.device)
    return after


def _row(tx: ReadTx, account: str) -> tuple[int | None, int | None, int | None, str] | None:
    row = tx.one(
        """
        SELECT muted_until_us, quiet_from_minute, quiet_to_minute, time_zone
        FROM notification_preference WHERE account_key = :account""",
        account=account,
    )
    return row if row is None else (row[0], row[1], row[2], row[3])


def _preferences(tx: ReadTx, account: str) -> NotificationPreferences:
    row = _row(tx, account)
    if row is None:
        return NotificationPreferences()
    until_us, quiet_from, quiet_to, time_zone = row
    return NotificationPreferences(
        muted_until=rfc3339(until_us) if until_us is not None else None,
        quiet_from=_time_of_day(quiet_from),
        quiet_to=_time_of_day(quiet_to),
        time_zone=time_zone,
    )


def _until_us(muted: bool | UnsetType, until: datetime | UnsetType | None, *, otherwise: int | None) -> int | None:  # noqa: FBT001 - what the client said
    """Until when, microseconds since 1970."""
    if muted is not UNSET and until is not UNSET:
        text = "say either muted or muted_until"
        raise Malformed(text)
    if muted is not UNSET:
        return FOREVER_US if muted else None
    if until is UNSET:
        return otherwise
    if until is None:
        return None
    return max(0, min((until - _EPOCH) // timedelta(microseconds=1), FOREVER_US))


def _minute(time_of_day: str | None) -> int | None:
    if time_of_day is None:
        return None
    hour, minute = time_of_day.split(":")
    return int(hour) * MINUTES_PER_HOUR + int(minute)


def _time_of_day(minute: int | None) -> str | None:
    return None if minute is None else "{:02d}:{:02d}".format(*divmod(minute, MINUTES_PER_HOUR))


@replay("notification_preferences")
def replay_preferences(tx: ReadTx, account: str, row: LogRow) -> NotificationPreferences:
    """What holds now."""
    del row
    return _preferences(tx, account)


class MuteConversation(Command, frozen=True, kw_only=True):
    """
    Let a conversation wake one no more, or again.

    Attributes:
        muted: true = for ever, false = no longer. muted_until: or until then; null = no longer.
    """

    conversation_id: str
    muted: bool | UnsetType = UNSET
    muted_until: Moment | UnsetType | None = UNSET
    client_id: ClientId | None = None


class ConversationMuted(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """Whether a conversation may wake one now, and from when on it may again."""

    conversation_id: str
    muted: bool
    muted_until: str | None


@put("/conversations/<conversation_id>/notifications", who="user")
def mute_conversation(tx: Tx, ctx: Context, request: MuteConversation) -> ConversationMuted:
    """
    Mute one conversation.

    Raises:
        NotFound: no such conversation, or not the asker's. Malformed: neither muted nor muted_until, or both.
    """
    own_state(tx, ctx.principal.account, request.conversation_id)
    if request.muted is request.muted_until is UNSET:
        text = "muted or muted_until is required"
        raise Malformed(text)
    return _mute(tx, ctx, request.conversation_id, _until_us(request.muted, request.muted_until, otherwise=None))


class AskConversation(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    conversation_id: str


@delete("/conversations/<conversation_id>/notifications", who="user")
def unmute_conversation(tx: Tx, ctx: Context, request: AskConversation) -> ConversationMuted:
    """
    Let one conversation wake one again.

    Raises:
        NotFound: no such conversation, or not the asker's.
    """
    return _mute(tx, ctx, request.conversation_id, None)


def _mute(tx: Tx, ctx: Context, conversation_id: str, until_us: int | None) -> ConversationMuted:
    account = ctx.principal.account
    before = own_state(tx, account, conversation_id)
    mute(tx, account, conversation_id, until_us)
    after = announce_change(tx, account, before, device=ctx.principal.device)
    return ConversationMuted(
        conversation_id=conversation_id,
        muted=until_us is not None and tx.at_us < until_us,
        muted_until=after.muted_until,
    )


class MutedConversation(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT: one row of the older server's list."""

    conversation_id: str
    muted: bool


@get("/notification-prefs", who="user")  # COMPAT
def list_muted(tx: ReadTx, ctx: Context, request: Nothing) -> list[MutedConversation]:
    """The conversations that one has muted; all others are not."""
    del request
    rows = tx.all(
        """
        SELECT conversation_id FROM member
        WHERE account_key = :account AND left_at_seq IS NULL AND muted_until_us > :now ORDER BY conversation_id""",
        account=ctx.principal.account,
        now=ctx.clock.now_us(),
    )
    return [MutedConversation(conversation_id=row[0], muted=True) for row in rows]


class SetMuted(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT. Attributes: muted: of a form's texts only `true` is true."""

    conversation_id: str
    muted: str | bool = False
    client_id: ClientId | None = None


@post("/notification-prefs/set", who="user")  # COMPAT
def set_muted(tx: Tx, ctx: Context, request: SetMuted) -> MutedConversation:
    """Mute one conversation for ever, or no longer."""
    is_muted = request.muted is True or request.muted == "true"
    done = _mute(tx, ctx, request.conversation_id, FOREVER_US if is_muted else None)
    return MutedConversation(conversation_id=request.conversation_id, muted=done.muted)


class PreferenceDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """COMPAT: nothing is muted by it any more."""

    status: str = "deleted"


@post("/notification-prefs/delete", who="user")  # COMPAT
def delete_muted(tx: Tx, ctx: Context, request: AskConversation) -> PreferenceDeleted:
    """Unmute one conversation; no error if there was nothing to delete, as the older server had it."""
    if find_own_state(tx, ctx.principal.account, request.conversation_id) is not None:
        _mute(tx, ctx, request.conversation_id, None)
    return PreferenceDeleted()


@on_removal
def remove_preferences(tx: Tx, services: Services, account: str) -> None:
    """Nobody else knows of them."""
    del services
    tx.run("DELETE FROM notification_preference WHERE account_key = :account", account=account)
