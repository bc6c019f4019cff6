"""Agents: how they prove themselves and register, which ones a person sees, and what the command line does with them.

Knows credentials and SQL. Live status comes from `Fanout`. Knows nothing of sockets and of conversations; what
administrators do over REST is `admin_agents`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.context import Context, Nothing, Principal, Services, account_key
from amtrio.errors import Unauthorized
from amtrio.feature import get, on_removal, operation, post
from amtrio.model.agent import (
    AGENT_COLUMNS,
    VISIBLE,
    AgentView,
    Card,
    agent_view,
    check_agent_id,
    create_agent,
    credential_session,
    describe,
    find_credential,
    new_credential,
    no_agent,
    remove_agent,
    set_credential,
)
from amtrio.model.audit import BY_COMMAND_LINE, record
from amtrio.protocol.frames import Json
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.tokens import fingerprint, same


class RegisterAgent(Card, frozen=True, kw_only=True):
    """COMPAT: an agent registers itself with the secret that all agents of the older protocol share."""

    agent_id: Annotated[str, Meta(extra_json_schema={"pattern": "^[A-Za-z0-9_.-]{1,64}$"})]
    agent_secret: str | None = None


async def authenticate_agent(services: Services, agent_id: str, secret: str, card: Card) -> Principal:
    """
    Prove an agent by its own credential or by the shared secret; registers it if the rules allow.

    Raises:
        Unauthorized: the secret is wrong for this agent. Malformed: the id has a wrong shape.
    """
    check_agent_id(agent_id)
    found = await services.store.read(find_credential, agent_id)
    _check_secret(services, found, agent_id, secret)
    if found is None or any(value for value in (card.name, card.model, card.personality, card.specialty)):
        await services.store.write(_keep_card, services, agent_id, secret, card)
    kind, stored = found or ("shared", None)
    account = account_key("agent", agent_id)
    # One cursor per agent: whatever program holds its credential goes on where the last one stopped.
    return Principal(
        kind="agent",
        id=agent_id,
        account=account,
        name=agent_id,
        session=credential_session(account, kind, stored),
        device="agent",
    )


def _check_secret(services: Services, found: tuple[str, str | None] | None, agent_id: str, secret: str) -> None:
    kind, stored = found or ("none", None)
    if kind == "own":
        is_right = stored is not None and same(stored, fingerprint(secret))
    else:
        shared = services.config.secrets.agent.reveal()
        rule = services.config.auth.agent_self_registration
        is_right = same(shared, secret) and (
            (kind == "shared" and rule != "off") or (kind == "none" and rule == "open")
        )
    if not is_right:
        # One answer for an agent that exists and for one that does not.
        text = f"invalid agent secret for {agent_id!r}"
        raise Unauthorized(text)


def _keep_card(tx: Tx, services: Services, agent_id: str, secret: str, card: Card) -> None:
    """Store what the card says; a field left out or empty keeps what was there."""
    found = find_credential(tx, agent_id)
    _check_secret(services, found, agent_id, secret)
    if found is None:
        create_agent(tx, agent_id, card, kind="shared", credential_hash=None)
        return
    words = {column: getattr(card, column) for column in ("name", "model", "personality", "specialty")}
    describe(tx, services, account_key("agent", agent_id), {column: text for column, text in words.items() if text})


class AgentRegistered(msgspec.Struct, frozen=True, kw_only=True):
    """The card as it is kept. COMPAT: both names of the id."""

    status: str = "registered"
    id: str
    agent_id: str
    name: str
    model: str
    personality: str
    specialty: str


@post("/auth/agent", who="anyone", budget="auth")
async def register_agent(ctx: Context, request: RegisterAgent) -> AgentRegistered:
    """COMPAT: register or update an agent with the shared secret."""
    await authenticate_agent(ctx.services, request.agent_id, request.agent_secret or "", request)
    _, id_, name, model, personality, specialty, *_ = await ctx.store.read(_one, request.agent_id)
    return AgentRegistered(id=id_, agent_id=id_, name=name, model=model, personality=personality, specialty=specialty)


def _one(tx: ReadTx, agent_id: str) -> Row:
    row = tx.one(f"SELECT {AGENT_COLUMNS} FROM agent WHERE id = :id", id=agent_id)  # noqa: S608 - our own column list
    if row is None:
        raise no_agent(agent_id)
    return row


@get("/agents", who="member")
async def list_agents(ctx: Context, request: Nothing) -> list[AgentView]:
    """The agents that the asker may talk to, by name."""
    del request
    return [agent_view(row, ctx) for row in await ctx.store.read(visible_agents, ctx.principal.account)]


def visible_agents(tx: ReadTx, viewer: str) -> list[Row]:
    return tx.all(
        f"SELECT {AGENT_COLUMNS} FROM agent WHERE {VISIBLE} OR account_key = :viewer ORDER BY name, id",  # noqa: S608 - ours
        viewer=viewer,
    )


@on_removal
def remove_from_lists(tx: Tx, services: Services, account: str) -> None:
    """Agents outlive their owner: they belong to nobody then, and only administrators see those that hid."""
    del services
    tx.run("UPDATE agent SET owner_key = NULL WHERE owner_key = :account", account=account)
    tx.run("DELETE FROM agent_reader WHERE account_key = :account", account=account)


class AgentName(msgspec.Struct, frozen=True, kw_only=True):
    """Names an agent to an operation."""

    agent_id: str


class AddAgent(Card, frozen=True, kw_only=True):
    """`amtrio agent add`."""

    agent_id: str


def _by_command_line(services: Services) -> Context:
    return Context(services, actor=BY_COMMAND_LINE)


@operation("agent.add")
async def operation_add(services: Services, request: AddAgent) -> Json:
    """Make an agent with a credential of its own; this is the only time it is shown."""
    check_agent_id(request.agent_id)
    secret, kept = new_credential(services)
    await services.store.write(_add, services, request, kept)
    return {"agent_id": request.agent_id, "token": secret}


def _add(tx: Tx, services: Services, request: AddAgent, credential_hash: str) -> None:
    create_agent(tx, request.agent_id, request, kind="own", credential_hash=credential_hash)
    record(tx, _by_command_line(services), "agent.added", request.agent_id)


class NoArguments(msgspec.Struct, frozen=True):
    """An operation without arguments."""


@operation("agent.list")
async def operation_list(services: Services, request: NoArguments) -> list[Json]:
    """Every agent."""
    del request
    ctx = Context(services)
    return [
        msgspec.to_builtins(agent_view(row[:-1], ctx))
        | {"credential": row[-1], "connections": services.fanout.connections(row[0])}
        for row in await services.store.read(_all)
    ]


def _all(tx: ReadTx) -> list[Row]:
    return tx.all(f"SELECT {AGENT_COLUMNS}, credential_kind FROM agent ORDER BY name, id")  # noqa: S608 - ours


@operation("agent.rotate")
async def operation_rotate(services: Services, request: AgentName) -> Json:
    """Give an agent a new credential of its own; older ones and the shared secret are refused from now on."""
    secret, kept = new_credential(services)
    await services.store.write(_set_credential, services, request.agent_id, kept)
    return {"agent_id": request.agent_id, "token": secret}


@operation("agent.revoke")
async def operation_revoke(services: Services, request: AgentName) -> Json:
    """Refuse every credential of an agent until `rotate`; its conversations stay."""
    await services.store.write(_set_credential, services, request.agent_id, None)
    return {"agent_id": request.agent_id, "status": "revoked"}


def _set_credential(tx: Tx, services: Services, agent_id: str, credential_hash: str | None) -> None:
    set_credential(tx, services, agent_id, credential_hash)
    action = "agent.revoked" if credential_hash is None else "agent.rotated"
    record(tx, _by_command_line(services), action, agent_id)


@operation("agent.remove")
async def operation_remove(services: Services, request: AgentName) -> Json:
    """Remove an agent with its conversations; the id is never given out again."""
    await services.store.write(_remove, services, request.agent_id)
    return {"agent_id": request.agent_id, "status": "removed"}


def _remove(tx: Tx, services: Services, agent_id: str) -> None:
    remove_agent(tx, services, agent_id)
    record(tx, _by_command_line(services), "agent.removed", agent_id)
