"""Agents: their accounts, credentials and card, and who may see them.

Knows credentials and SQL. Live status comes from `Fanout`. Knows nothing of sockets and of conversations.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.errors import Conflict, Malformed, NotFound, Unauthorized
from amtrio.feature import (
    Context,
    Nothing,
    Principal,
    Services,
    account_key,
    get,
    operation,
    post,
)
from amtrio.protocol.frames import ID_PATTERN, Json
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.store.log import make_account
from amtrio.tokens import fingerprint, same

CREDENTIAL_PREFIX = "agt_"
AgentId = Annotated[str, Meta(pattern=ID_PATTERN)]
Text = Annotated[str, Meta(max_length=2000)]

# The one rule of visibility: `everyone`; `listed` for the owner and those on the agent's list; `owner` alone.
VISIBLE = """
(agent.visibility = 'everyone' OR agent.owner_key = :viewer
 OR (agent.visibility = 'listed' AND EXISTS (
     SELECT 1 FROM agent_reader r WHERE r.agent_key = agent.account_key AND r.account_key = :viewer)))"""
_COLUMNS = "account_key, id, name, model, personality, specialty, last_seen_us, created_us, credential_kind"
_FIND = "SELECT credential_kind, credential_hash FROM agent WHERE id = :id"
_CREATE = """
INSERT INTO agent (account_key, id, name, model, personality, specialty, credential_kind, credential_hash, created_us)
VALUES (:account, :id, :name, :model, :personality, :specialty, :kind, :hash, :at)"""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent says of itself."""

    name: Text | None = None
    model: Text | None = None
    personality: Text | None = None
    specialty: Text | None = None


class RegisterAgent(Card, frozen=True, kw_only=True):
    """COMPAT: an agent registers itself with the secret that all agents of the older protocol share."""

    agent_id: str = ""
    agent_secret: str | None = None


async def authenticate_agent(services: Services, agent_id: str, secret: str, card: Card) -> Principal:
    """
    Prove an agent by its own credential or by the shared secret; registers it if the rules allow.

    Raises:
        Unauthorized: the secret is wrong for this agent. Malformed: the id has a wrong shape.
    """
    _check_id(agent_id)
    found = await services.store.read(_find_credential, agent_id)
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
        session=_session(account, kind, stored),
        device="agent",
    )


def _session(account: str, kind: str, credential_hash: str | None) -> str:
    """Agents do not sign in; what their sockets live on, and end with, is the credential."""
    return f"{account}:{kind}:{credential_hash or ''}"


def _find_credential(tx: ReadTx, agent_id: str) -> tuple[str, str | None] | None:
    return tx.one(_FIND, id=agent_id)


def _check_id(agent_id: str) -> None:
    try:
        msgspec.convert(agent_id, AgentId)
    except msgspec.ValidationError as exc:
        text = "agent_id must be 1 to 64 characters of A-Z a-z 0-9 _ . -" if agent_id else "missing agent_id"
        raise Malformed(text) from exc


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
        text = "invalid agent secret"
        raise Unauthorized(f"{text} for {agent_id!r}" if found else text)


def _keep_card(tx: Tx, services: Services, agent_id: str, secret: str, card: Card) -> None:
    """Store what the card says; a field left out or empty keeps what was there."""
    found = _find_credential(tx, agent_id)
    _check_secret(services, found, agent_id, secret)
    if found is None:
        _create(tx, agent_id, card, kind="shared", credential_hash=None)
        return
    tx.run(
        """
        UPDATE agent SET
            name = coalesce(nullif(:name, ''), name), model = coalesce(nullif(:model, ''), model),
            personality = coalesce(nullif(:personality, ''), personality),
            specialty = coalesce(nullif(:specialty, ''), specialty)
        WHERE id = :id""",
        id=agent_id,
        name=card.name,
        model=card.model,
        personality=card.personality,
        specialty=card.specialty,
    )


def _create(tx: Tx, agent_id: str, card: Card, *, kind: str, credential_hash: str | None) -> None:
    account = account_key("agent", agent_id)
    if tx.one("SELECT 1 FROM account WHERE key = :account", account=account) is not None:
        text = f"agent id {agent_id!r} is taken"
        raise Conflict(text)
    make_account(tx, account)
    tx.run(
        _CREATE,
        account=account,
        id=agent_id,
        name=card.name or agent_id,
        model=card.model or "",
        personality=card.personality or "",
        specialty=card.specialty or "",
        kind=kind,
        hash=credential_hash,
        at=tx.at_us,
    )


@post("/auth/agent", who="anyone", budget="auth")
async def register_agent(ctx: Context, request: RegisterAgent) -> Json:
    """COMPAT: register or update an agent with the shared secret."""
    if not request.agent_id:
        text = "missing agent_id"
        raise Malformed(text)
    await authenticate_agent(ctx.services, request.agent_id, request.agent_secret or "", request)
    row = await ctx.store.read(_one, request.agent_id)
    return {"status": "registered", **_card(row)}


def _one(tx: ReadTx, agent_id: str) -> Row:
    row = tx.one(f"SELECT {_COLUMNS} FROM agent WHERE id = :id", id=agent_id)  # noqa: S608 - our own column list
    if row is None:
        text = f"no agent {agent_id!r}"
        raise NotFound(text)
    return row


def _card(row: Row) -> Json:
    _, id_, name, model, personality, specialty, *_ = row
    return {
        "id": id_,
        "agent_id": id_,
        "name": name,
        "model": model,
        "personality": personality,
        "specialty": specialty,
    }


def _shown(row: Row, ctx: Context) -> Json:
    account, last_seen_us = row[0], row[6]
    status = ctx.fanout.status(account)
    online = ctx.fanout.is_online(account)
    last_seen_us = ctx.clock.now_us() if online else last_seen_us
    shown = _card(row) | {
        "status": status.word,
        "online": online,
        "last_seen": rfc3339(last_seen_us) if last_seen_us else None,
    }
    return shown | {"status_text": status.text} if status.text else shown


@get("/agents", who="member")
async def list_agents(ctx: Context, request: Nothing) -> list[Json]:
    """The agents that the asker may talk to, by name."""
    del request
    rows = await ctx.store.read(visible_agents, ctx.principal.account)
    return [_shown(row, ctx) for row in rows]


def visible_agents(tx: ReadTx, viewer: str) -> list[Row]:
    return tx.all(
        f"SELECT {_COLUMNS} FROM agent WHERE {VISIBLE} OR account_key = :viewer ORDER BY name, id",  # noqa: S608 - ours
        viewer=viewer,
    )


@get("/admin/agents", who="admin")
async def list_all_agents(ctx: Context, request: Nothing) -> list[Json]:
    """Every agent with its connection, for administrators."""
    del request
    shown = []
    for row in await ctx.store.read(_all):
        agent = _shown(row, ctx) | {"credential": row[8], "connections": ctx.fanout.connections(row[0])}
        since_us = ctx.fanout.connected_since_us(row[0])
        shown.append(agent | {"connected_at": rfc3339(since_us)} if since_us else agent)
    return shown


def _all(tx: ReadTx) -> list[Row]:
    return tx.all(f"SELECT {_COLUMNS} FROM agent ORDER BY name, id")  # noqa: S608 - our own column list


class AgentName(msgspec.Struct, frozen=True, kw_only=True):
    """Names an agent to an operation."""

    agent_id: str


class AddAgent(Card, frozen=True, kw_only=True):
    """`amtrio agent add`."""

    agent_id: str


@operation("agent.add")
async def operation_add(services: Services, request: AddAgent) -> Json:
    """Make an agent with a credential of its own; this is the only time it is shown."""
    _check_id(request.agent_id)
    secret = CREDENTIAL_PREFIX + services.clock.new_secret()
    await services.store.write(_add, request, fingerprint(secret))
    return {"agent_id": request.agent_id, "token": secret}


def _add(tx: Tx, request: AddAgent, credential_hash: str) -> None:
    _create(tx, request.agent_id, request, kind="own", credential_hash=credential_hash)


class NoArguments(msgspec.Struct, frozen=True):
    """An operation without arguments."""


@operation("agent.list")
async def operation_list(services: Services, request: NoArguments) -> list[Json]:
    """Every agent."""
    del request
    ctx = Context(services)
    return [
        _shown(row, ctx) | {"credential": row[8], "connections": services.fanout.connections(row[0])}
        for row in await services.store.read(_all)
    ]


@operation("agent.rotate")
async def operation_rotate(services: Services, request: AgentName) -> Json:
    """Give an agent a new credential of its own; older ones and the shared secret are refused from now on."""
    secret = CREDENTIAL_PREFIX + services.clock.new_secret()
    await services.store.write(_set_credential, services, request.agent_id, "own", fingerprint(secret))
    return {"agent_id": request.agent_id, "token": secret}


@operation("agent.revoke")
async def operation_revoke(services: Services, request: AgentName) -> Json:
    """Refuse every credential of an agent until `rotate`; its conversations stay."""
    await services.store.write(_set_credential, services, request.agent_id, "revoked", None)
    return {"agent_id": request.agent_id, "status": "revoked"}


def _set_credential(tx: Tx, services: Services, agent_id: str, kind: str, credential_hash: str | None) -> None:
    _end_sockets(tx, services, agent_id)
    tx.run(
        "UPDATE agent SET credential_kind = :kind, credential_hash = :hash WHERE id = :id",
        kind=kind,
        hash=credential_hash,
        id=agent_id,
    )


def _end_sockets(tx: Tx, services: Services, agent_id: str) -> None:
    found = _find_credential(tx, agent_id)
    if found is None:
        text = f"no agent {agent_id!r}"
        raise NotFound(text)
    ended = _session(account_key("agent", agent_id), *found)
    tx.on_commit(lambda: services.end_sessions({ended}))


@operation("agent.remove")
async def operation_remove(services: Services, request: AgentName) -> Json:
    """Remove an agent with its conversations; the id is never given out again."""
    await services.store.write(_remove, services, request.agent_id)
    return {"agent_id": request.agent_id, "status": "removed"}


def _remove(tx: Tx, services: Services, agent_id: str) -> None:
    _end_sockets(tx, services, agent_id)
    account = account_key("agent", agent_id)
    services.remove_account(tx, account)
    tx.run("DELETE FROM agent WHERE account_key = :account", account=account)
