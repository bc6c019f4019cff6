"""Cards: what an agent says of itself and of what it can do, and how people hear that it changed.

Knows frames and SQL. Knows nothing of sockets and HTTP. What a word under `supports` leads to is in the feature that
it is about.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.context import Context, Services
from amtrio.errors import Malformed
from amtrio.feature import chore, command, put
from amtrio.model.agent import (
    AGENT_COLUMNS,
    TELL_CHANGES,
    AgentChanged,
    Card,
    CardCommand,
    ChangedAgents,
    Text,
    abilities,
    agent_view,
    describe,
)
from amtrio.model.watchers import watchers_of
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import ClientId, Command, Done
from amtrio.store.database import ReadTx, Row, Tx

Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}(?!\n)$")]
Capability = Annotated[str, Meta(min_length=1, max_length=64)]
Words = Annotated[tuple[Word, ...], Meta(max_length=32)]
Commands = Annotated[tuple[CardCommand, ...], Meta(max_length=100)]
Capabilities = Annotated[tuple[Capability, ...], Meta(max_length=32)]


class SetCard(Card, Command, frozen=True, kw_only=True):
    """
    What is to change of one's own card; what is left out stays.

    Attributes:
        name: cannot be taken away; everything else can, by a text or a list that is empty.
        supports: which parts of the protocol the agent understands. Words that this server does not know are kept.
        commands: all of them, each name once. capabilities: all of them, in words for people.
    """

    description: Text | None = None
    supports: Words | None = None
    commands: Commands | None = None
    capabilities: Capabilities | None = None
    client_id: ClientId | None = None


@put("/agent/card", who="agent")
@command("card", who="agent")
def set_card(tx: Tx, ctx: Context, frame: SetCard) -> Done:
    """
    Say what one is and can do; the same again changes nothing and tells nobody.

    Raises:
        Malformed: an empty name, or two commands of one name.
    """
    if frame.name is not None and not frame.name.strip():
        text = "name: an agent has one"
        raise Malformed(text)
    names = [each.name for each in frame.commands or ()]
    if len(set(names)) < len(names):
        text = f"commands: the name {next(name for name in names if names.count(name) > 1)!r} twice"
        raise Malformed(text)
    account = ctx.principal.account
    said = {
        "description": frame.description,
        "supports": tuple(dict.fromkeys(frame.supports)) if frame.supports is not None else None,
        "commands": frame.commands,
        "capabilities": frame.capabilities,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    can = msgspec.structs.replace(abilities(tx, account), **changes)
    card = encode(can)
    texts = {column: getattr(frame, column) for column in ("name", "model", "personality", "specialty")}
    words: dict[str, str | None] = {column: text for column, text in texts.items() if text is not None}
    words["card"] = card.decode() if card != b"{}" else None
    describe(tx, ctx.services, account, words)
    return Done(status="stored")


@chore(every_seconds=60)
async def tell_agent_changes(services: Services) -> None:
    """Tell who is online and may see the agent how it is described now."""
    memory = services.own(ChangedAgents)
    changed, memory.accounts = memory.accounts, {}
    for account in changed:
        row, watchers = await services.store.read(_seen, account, list(services.fanout.online()))
        if row is not None:
            shown = agent_view(row, Context(services))
            services.fanout.tell(AgentChanged(**msgspec.structs.asdict(shown)), watchers)


assert tell_agent_changes.__name__ == TELL_CHANGES, "others wake it by this name"


def _seen(tx: ReadTx, account: str, online: list[str]) -> tuple[Row | None, list[str]]:
    row = tx.one(
        f"SELECT {AGENT_COLUMNS} FROM agent WHERE account_key = :account",  # noqa: S608 - our own column list
        account=account,
    )
    return row, watchers_of(tx, account, online)
