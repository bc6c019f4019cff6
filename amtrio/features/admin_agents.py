"""Agents in the hands of an administrator, over REST: make, rotate, revoke, remove, and say who may see them.

Knows SQL. How an agent proves itself is `agents`. Knows nothing of sockets.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.context import Context, Nothing, id_of
from amtrio.feature import delete, get, patch, post
from amtrio.model.agent import (
    AGENT_COLUMNS,
    AgentId,
    AgentView,
    Card,
    Text,
    agent_view,
    create_agent,
    new_credential,
    no_agent,
    note_change,
    remove_agent,
    set_credential,
)
from amtrio.model.audit import record
from amtrio.model.people import account_by_id
from amtrio.store.database import ReadTx, Row, Tx

Visibility = Literal["everyone", "listed", "owner"]
MAX_READERS = 1000
Readers = Annotated[list[str], Meta(max_length=MAX_READERS)]
_COLUMNS = f"{AGENT_COLUMNS}, credential_kind, owner_key, visibility, created_us"


class AdminAgentView(AgentView, frozen=True, kw_only=True):
    """
    An agent with what only administrators see.

    Attributes:
        credential: `own`, `shared` (the server's AGENT_SECRET) or `revoked`.
        owner: a user id. readers: user ids that a `listed` agent is shown to beside its owner.
        connected_at: of the oldest open socket.
    """

    credential: str
    owner: str | None
    visibility: str
    readers: list[str]
    created_at: str
    connections: int
    connected_at: str | msgspec.UnsetType = msgspec.UNSET


class AskAgent(msgspec.Struct, frozen=True, kw_only=True):
    """Which one."""

    agent_id: str


@get("/admin/agents", who="admin")
async def list_all_agents(ctx: Context, request: Nothing) -> list[AdminAgentView]:
    """Every agent with its connections, by name."""
    del request
    rows, readers = await ctx.store.read(_all)
    return [_shown(row, readers.get(row[0], []), ctx) for row in rows]


def _all(tx: ReadTx) -> tuple[list[Row], dict[str, list[str]]]:
    readers: dict[str, list[str]] = {}
    for agent, reader in tx.all("SELECT agent_key, account_key FROM agent_reader ORDER BY account_key"):
        readers.setdefault(agent, []).append(reader)
    return tx.all(f"SELECT {_COLUMNS} FROM agent ORDER BY name, id"), readers  # noqa: S608 - our own column list


@get("/admin/agents/<agent_id>", who="admin")
async def show_agent(ctx: Context, request: AskAgent) -> AdminAgentView:
    """One of them."""
    row, readers = await ctx.store.read(_one, request.agent_id)
    return _shown(row, readers, ctx)


def _one(tx: ReadTx, agent_id: str) -> tuple[Row, list[str]]:
    row = tx.one(f"SELECT {_COLUMNS} FROM agent WHERE id = :id", id=agent_id)  # noqa: S608 - our own column list
    if row is None:
        raise no_agent(agent_id)
    readers = tx.all("SELECT account_key FROM agent_reader WHERE agent_key = :agent ORDER BY account_key", agent=row[0])
    return row, [each[0] for each in readers]


def _shown(row: Row, readers: list[str], ctx: Context) -> AdminAgentView:
    credential, owner, visibility, created_us = row[-4:]
    since_us = ctx.fanout.connected_since_us(row[0])
    return AdminAgentView(
        **msgspec.structs.asdict(agent_view(row[:-4], ctx)),
        credential=credential,
        owner=id_of(owner) if owner is not None else None,
        visibility=visibility,
        readers=[id_of(reader) for reader in readers],
        created_at=rfc3339(created_us),
        connections=ctx.fanout.connections(row[0]),
        connected_at=rfc3339(since_us) if since_us else msgspec.UNSET,
    )


class AgentToken(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's own credential; this is the only time it is shown."""

    agent_id: str
    token: str


class MakeAgent(Card, frozen=True, kw_only=True):
    """An agent's id, 1 to 64 of `[A-Za-z0-9_.-]`, and its card."""

    agent_id: AgentId


@post("/admin/agents", who="admin")
def make_agent(tx: Tx, ctx: Context, request: MakeAgent) -> AgentToken:
    """
    Make an agent with a credential of its own.

    Raises:
        Conflict: the id is taken, also by one that was removed.
    """
    token, kept = new_credential(ctx.services)
    create_agent(tx, request.agent_id, request, kind="own", credential_hash=kept)
    record(tx, ctx, "agent.added", request.agent_id)
    return AgentToken(agent_id=request.agent_id, token=token)


@post("/admin/agents/<agent_id>/rotate", who="admin")
def rotate_agent(tx: Tx, ctx: Context, request: AskAgent) -> AgentToken:
    """Give an agent a new credential; the old one and the shared secret are refused from now on."""
    token, kept = new_credential(ctx.services)
    set_credential(tx, ctx.services, request.agent_id, kept)
    record(tx, ctx, "agent.rotated", request.agent_id)
    return AgentToken(agent_id=request.agent_id, token=token)


class AgentDone(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to which agent."""

    agent_id: str
    status: str


@post("/admin/agents/<agent_id>/revoke", who="admin")
def revoke_agent(tx: Tx, ctx: Context, request: AskAgent) -> AgentDone:
    """Refuse every credential of an agent until `rotate`; its sockets close, its conversations stay."""
    set_credential(tx, ctx.services, request.agent_id, None)
    record(tx, ctx, "agent.revoked", request.agent_id)
    return AgentDone(agent_id=request.agent_id, status="revoked")


@delete("/admin/agents/<agent_id>", who="admin")
def delete_agent(tx: Tx, ctx: Context, request: AskAgent) -> AgentDone:
    """Remove an agent with its conversations; the id is never given out again."""
    remove_agent(tx, ctx.services, request.agent_id)
    record(tx, ctx, "agent.removed", request.agent_id)
    return AgentDone(agent_id=request.agent_id, status="removed")


class ChangeAgent(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is to be changed; what is left out stays.

    Attributes:
        owner: a user id, or null for nobody.
        visibility: `everyone`, `listed` (its owner and `readers`) or `owner`.
        readers: all user ids of the list, in place of those that were on it.
    """

    agent_id: str
    name: Text | msgspec.UnsetType = msgspec.UNSET
    model: Text | msgspec.UnsetType = msgspec.UNSET
    personality: Text | msgspec.UnsetType = msgspec.UNSET
    specialty: Text | msgspec.UnsetType = msgspec.UNSET
    owner: str | msgspec.UnsetType | None = msgspec.UNSET
    visibility: Visibility | msgspec.UnsetType = msgspec.UNSET
    readers: Readers | msgspec.UnsetType = msgspec.UNSET


@patch("/admin/agents/<agent_id>", who="admin")
async def change_agent(ctx: Context, request: ChangeAgent) -> AdminAgentView:
    """
    Change an agent's card, owner or who may see it; it counts for whoever asks next.

    Who talks with it already goes on: hiding an agent ends no conversation.

    Raises:
        NotFound: no such agent, or no such person.
    """
    row, readers = await ctx.store.write(_change, ctx, request)
    return _shown(row, readers, ctx)


def _change(tx: Tx, ctx: Context, request: ChangeAgent) -> tuple[Row, list[str]]:
    (account, *_), _ = _one(tx, request.agent_id)
    for column in ("name", "model", "personality", "specialty", "visibility"):
        value = getattr(request, column)
        if value is not msgspec.UNSET:
            tx.run(
                f"UPDATE agent SET {column} = :value WHERE account_key = :account",  # noqa: S608 - of the list above
                value=value,
                account=account,
            )
            # Cards are an agent's own words and may be long; that they were changed says enough.
            shown: dict[str, str] = {column: value} if column == "visibility" else {"changed": column}
            record(tx, ctx, "agent.changed", request.agent_id, **shown)
    if request.owner is not msgspec.UNSET:
        owner = account_by_id(tx, request.owner) if request.owner is not None else None
        tx.run("UPDATE agent SET owner_key = :owner WHERE account_key = :account", owner=owner, account=account)
        record(tx, ctx, "agent.changed", request.agent_id, owner=request.owner)
    if request.readers is not msgspec.UNSET:
        _set_readers(tx, account, request.readers)
        record(tx, ctx, "agent.changed", request.agent_id, readers=len(set(request.readers)))
    note_change(tx, ctx.services, account)
    return _one(tx, request.agent_id)


def _set_readers(tx: Tx, account: str, readers: list[str]) -> None:
    wanted = {account_by_id(tx, reader) for reader in readers}
    tx.run("DELETE FROM agent_reader WHERE agent_key = :agent", agent=account)
    for reader in sorted(wanted):
        tx.run(
            "INSERT INTO agent_reader (agent_key, account_key) VALUES (:agent, :reader)", agent=account, reader=reader
        )
