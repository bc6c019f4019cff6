"""Who is here, what they say they are doing, and when they were last seen.

Live state is `Fanout`'s; only `last_seen` is kept. Everything told here is ephemeral.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.context import Context, Services, Status, account_key, id_of, kind_of
from amtrio.errors import NotFound
from amtrio.feature import chore, command, get, on_presence
from amtrio.model.watchers import watchers_of
from amtrio.protocol.frames import Command, Event
from amtrio.store.database import ReadTx, Tx

MAX_STATUS_TEXT = 200


class PresenceUpdate(Event, frozen=True, kw_only=True, omit_defaults=False):
    """An account's first socket opened, or its last one ended."""

    type = "presence_update"
    id: str
    kind: str = msgspec.field(name="type")
    online: bool
    last_seen: str | None = None


class StatusChanged(Event, frozen=True, kw_only=True):
    """
    An account says what it is doing.

    Attributes:
        by_presence: it follows from a socket that opened or closed, not from a word of its own; sockets of older
            clients that offered v1 hear only the latter.
    """

    type = "status"
    sender_type: Literal["client", "agent"]
    sender_id: str
    status: str
    text: str = ""
    conversation_id: str | None = None
    by_presence: bool = False


class SetStatus(Command, frozen=True, kw_only=True):
    """`active` is what an older plugin says for `online`."""

    status: Literal["online", "active", "busy", "idle", "offline"]
    text: Annotated[str, Meta(max_length=MAX_STATUS_TEXT)] | None = None
    message: Annotated[str, Meta(max_length=MAX_STATUS_TEXT)] | None = None
    conversation_id: str | None = None


@command("status", budget="ephemeral")
async def set_status(ctx: Context, frame: SetStatus) -> None:
    """
    Say what one is doing, to everybody who may see it, or to one conversation.

    Raises:
        NotFound: the conversation is not there, or not the sender's.
    """
    who = ctx.principal
    word: Literal["online", "busy", "idle", "offline"] = "online" if frame.status == "active" else frame.status
    status = Status(word, frame.text or frame.message or "")
    event = StatusChanged(
        sender_type="agent" if who.kind == "agent" else "client",
        sender_id=who.id,
        status=status.word,
        text=status.text,
        conversation_id=frame.conversation_id,
    )
    if frame.conversation_id is not None:
        others = await ctx.store.read(_other_members, frame.conversation_id, who.account)
        ctx.fanout.tell(event, others)
        if who.kind != "agent":
            return
    ctx.fanout.set_status(who.account, status)
    watchers = await ctx.store.read(watchers_of, who.account, list(ctx.fanout.online()))
    ctx.fanout.tell(event, watchers)


def _other_members(tx: ReadTx, conversation_id: str, account: str) -> list[str]:
    members = [
        row[0]
        for row in tx.all(
            "SELECT account_key FROM member WHERE conversation_id = :id AND left_at_seq IS NULL", id=conversation_id
        )
    ]
    if account not in members:
        text = f"no conversation {conversation_id!r}"
        raise NotFound(text)
    return [member for member in members if member != account]


class _Changes:
    """Accounts whose presence changed since the last telling, oldest first."""

    def __init__(self) -> None:
        self.changed: dict[str, None] = {}


@on_presence
def note_change(services: Services, account: str, is_online: bool) -> None:  # noqa: FBT001 - the registry's signature
    """Remember it for `tell_changes`, which may wait for the database."""
    del is_online  # what is true when it is told counts
    changes = services.own(_Changes).changed
    changes.pop(account, None)
    changes[account] = None
    services.wake("tell_changes")


@chore(every_seconds=60)
async def tell_changes(services: Services) -> None:
    """Tell watchers who came and went, and write down when."""
    memory = services.own(_Changes)
    changed, memory.changed = memory.changed, {}
    if not changed:
        return
    seen_us = services.clock.now_us()
    await services.store.write(_note_last_seen, list(changed))
    for account in changed:
        online = services.fanout.is_online(account)
        watchers = await services.store.read(watchers_of, account, list(services.fanout.online()))
        watchers = [watcher for watcher in watchers if watcher != account]
        kind, id_ = kind_of(account), id_of(account)
        services.fanout.tell(PresenceUpdate(id=id_, kind=kind, online=online, last_seen=rfc3339(seen_us)), watchers)
        services.fanout.tell(
            StatusChanged(
                sender_type="agent" if kind == "agent" else "client",
                sender_id=id_,
                status=services.fanout.status(account).word,
                by_presence=True,
            ),
            watchers,
        )


def _note_last_seen(tx: Tx, accounts: list[str]) -> None:
    for account in accounts:
        table = "agent" if kind_of(account) == "agent" else "user_account"
        tx.run(
            f"UPDATE {table} SET last_seen_us = :at WHERE account_key = :account",  # noqa: S608 - two literals above
            at=tx.at_us,
            account=account,
        )


class AskPresence(msgspec.Struct, frozen=True, kw_only=True):
    """Whose; the asker's own by default."""

    user_id: str | None = None


class UserPresence(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whether a person is here.

    Attributes:
        status: what the person says, `online` without a word, `offline` without a connection.
        device_count: open connections. last_seen: now while online; empty if never.
    """

    user_id: str
    online: bool
    status: str
    device_count: int
    last_seen: str


@get("/presence/user", who="member")
async def user_presence(ctx: Context, request: AskPresence) -> UserPresence | list[UserPresence]:
    """
    Whether a person is here. COMPAT: a list of this one person for the Python SDK, which goes through it.

    Raises:
        NotFound: no such person, or one the asker shares no conversation with.
    """
    if request.user_id is None and ctx.principal.kind == "agent":
        text = "user_id is required"
        raise NotFound(text)
    user_id = request.user_id or ctx.principal.id
    account = account_key("user", user_id)
    last_seen_us = await ctx.store.read(_last_seen, account, ctx.principal.account)
    online = ctx.fanout.is_online(account)
    if online:
        last_seen_us = ctx.clock.now_us()
    shown = UserPresence(
        user_id=user_id,
        online=online,
        status=ctx.fanout.status(account).word,
        device_count=ctx.fanout.connections(account),
        last_seen=rfc3339(last_seen_us) if last_seen_us else "",
    )
    return [shown] if ctx.user_agent.startswith("Python-urllib/") else shown


def _last_seen(tx: ReadTx, account: str, viewer: str) -> int | None:
    row = tx.one("SELECT last_seen_us FROM user_account WHERE account_key = :account", account=account)
    if row is None or (account != viewer and viewer not in watchers_of(tx, account, [viewer])):
        text = f"no user {id_of(account)!r}"
        raise NotFound(text)
    last_seen_us: int | None = row[0]
    return last_seen_us
