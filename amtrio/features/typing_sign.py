"""Who is writing at this moment. Ephemeral: nothing of it is stored.

Knows memberships and time; a sign of writing ends by itself, so that a lost "stopped" leaves nobody typing for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from amtrio.context import Context, Services, account_key
from amtrio.feature import chore, command, on
from amtrio.model.conversation import members, others
from amtrio.model.message import MessagePosted, SenderType, sender_type
from amtrio.protocol.frames import Command, Event


class Typing(Event, frozen=True, kw_only=True, omit_defaults=False):
    """Somebody writes, or has stopped."""

    type = "typing"
    conversation_id: str
    sender_type: SenderType
    sender_id: str
    agent_id: str
    typing: bool


class SetTyping(Command, frozen=True, kw_only=True):
    """COMPAT: older clients leave the flag out and mean true."""

    conversation_id: str
    typing: bool | None = None


@dataclass(frozen=True, slots=True)
class _Sign:
    until: float
    event: Typing
    watchers: Sequence[str]


class _Signs:
    """Who is writing where, until when."""

    def __init__(self) -> None:
        self.signs: dict[tuple[str, str], _Sign] = {}


@command("typing", budget="ephemeral")
async def set_typing(ctx: Context, frame: SetTyping) -> None:
    """
    Say that one writes, or has stopped.

    Raises:
        NotFound: no such conversation, or not the sender's.
    """
    who = ctx.principal
    accounts = await ctx.store.read(members, frame.conversation_id, who.account)
    is_typing = frame.typing is not False
    agent = next((key for key in accounts if key[0] == "a"), "a:")
    event = Typing(
        conversation_id=frame.conversation_id,
        sender_type=sender_type(who.account),
        sender_id=who.id,
        agent_id=agent[2:],
        typing=is_typing,
    )
    watchers = others(accounts, who.account)
    signs = ctx.services.own(_Signs).signs
    key = (frame.conversation_id, who.account)
    if is_typing:
        signs[key] = _Sign(trio.current_time() + ctx.config.sessions.typing_stop_s, event, watchers)
    else:
        signs.pop(key, None)
    ctx.fanout.tell(event, watchers)


def _stop(services: Services, key: tuple[str, str]) -> None:
    sign = services.own(_Signs).signs.pop(key, None)
    if sign is not None:
        stopped = Typing(
            conversation_id=sign.event.conversation_id,
            sender_type=sign.event.sender_type,
            sender_id=sign.event.sender_id,
            agent_id=sign.event.agent_id,
            typing=False,
        )
        services.fanout.tell(stopped, sign.watchers)


@on(MessagePosted)
def stop_with_message(services: Services, event: MessagePosted) -> None:
    """What was being written has arrived."""
    signs = services.own(_Signs).signs
    if signs:
        sender = account_key("agent" if event.sender_type == "agent" else "user", event.sender_id)
        _stop(services, (event.conversation_id, sender))


@chore(every_seconds=1)
async def stop_stale_typing(services: Services) -> None:
    """End the signs that nobody repeated."""
    now = trio.current_time()
    signs = services.own(_Signs).signs
    for key in [key for key, sign in signs.items() if sign.until <= now]:
        _stop(services, key)
