"""What every feature that touches an agent's account shares: its card, who may see it, its credential, its end.

Knows SQL and wire names. Knows no command, no route, no socket.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.context import Context, Services, account_key
from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.protocol.frames import ID_PATTERN
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.store.log import make_account
from amtrio.tokens import fingerprint

CREDENTIAL_PREFIX = "agt_"
AgentId = Annotated[str, Meta(pattern=ID_PATTERN)]
Text = Annotated[str, Meta(max_length=2000)]

# The one rule of visibility: `everyone`; `listed` for the owner and those on the agent's list; `owner` alone.
VISIBLE = """
(agent.visibility = 'everyone' OR agent.owner_key = :viewer
 OR (agent.visibility = 'listed' AND EXISTS (
     SELECT 1 FROM agent_reader r WHERE r.agent_key = agent.account_key AND r.account_key = :viewer)))"""
AGENT_COLUMNS = "account_key, id, name, model, personality, specialty, last_seen_us"
_CREATE = """
INSERT INTO agent (account_key, id, name, model, personality, specialty, credential_kind, credential_hash, created_us)
VALUES (:account, :id, :name, :model, :personality, :specialty, :kind, :hash, :at)"""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent says of itself."""

    name: Text | None = None
    model: Text | None = None
    personality: Text | None = None
    specialty: Text | None = None


class AgentView(msgspec.Struct, frozen=True, kw_only=True):
    """
    An agent as the people see it who may. COMPAT: it carries both names of its id.

    Attributes:
        status: online, busy, idle or offline. status_text: what the agent adds to that.
        last_seen: now, while it is connected.
    """

    id: str
    agent_id: str
    name: str
    model: str
    personality: str
    specialty: str
    status: str
    online: bool
    last_seen: str | None
    status_text: str | msgspec.UnsetType = msgspec.UNSET


def agent_view(row: Row, ctx: Context) -> AgentView:
    """`AGENT_COLUMNS` with what the agent says of itself at this moment."""
    account, id_, name, model, personality, specialty, last_seen_us = row
    status = ctx.fanout.status(account)
    online = ctx.fanout.is_online(account)
    last_seen_us = ctx.clock.now_us() if online else last_seen_us
    return AgentView(
        id=id_,
        agent_id=id_,
        name=name,
        model=model,
        personality=personality,
        specialty=specialty,
        status=status.word,
        online=online,
        last_seen=rfc3339(last_seen_us) if last_seen_us else None,
        status_text=status.text or msgspec.UNSET,
    )


def check_agent_id(agent_id: str) -> None:
    """
    Refuse ids of another shape.

    Raises:
        Malformed: says which rule.
    """
    try:
        msgspec.convert(agent_id, AgentId)
    except msgspec.ValidationError as exc:
        text = "agent_id must be 1 to 64 characters of A-Z a-z 0-9 _ . -" if agent_id else "missing agent_id"
        raise Malformed(text) from exc


def create_agent(tx: Tx, agent_id: str, card: Card, *, kind: str, credential_hash: str | None) -> None:
    """
    Make an agent.

    Raises:
        Conflict: the id is taken, also by one that was removed.
    """
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


def new_credential(services: Services) -> tuple[str, str]:
    """A credential of an agent's own, and the hash that is kept of it."""
    secret = CREDENTIAL_PREFIX + services.clock.new_secret()
    return secret, fingerprint(secret)


def find_credential(tx: ReadTx, agent_id: str) -> tuple[str, str | None] | None:
    """Its kind and hash; None if there is no such agent."""
    return tx.one("SELECT credential_kind, credential_hash FROM agent WHERE id = :id", id=agent_id)


def credential_session(account: str, kind: str, credential_hash: str | None) -> str:
    """Agents do not sign in; what their sockets live on, and end with, is the credential."""
    return f"{account}:{kind}:{credential_hash or ''}"


def set_credential(tx: Tx, services: Services, agent_id: str, credential_hash: str | None) -> None:
    """
    Give an agent a credential of its own, or none; the old one ends at once with the sockets that live on it.

    Raises:
        NotFound: no such agent.
    """
    _end_sockets(tx, services, agent_id)
    tx.run(
        "UPDATE agent SET credential_kind = :kind, credential_hash = :hash WHERE id = :id",
        kind="own" if credential_hash is not None else "revoked",
        hash=credential_hash,
        id=agent_id,
    )


def remove_agent(tx: Tx, services: Services, agent_id: str) -> None:
    """
    Remove an agent with its conversations; the id is never given out again.

    Raises:
        NotFound: no such agent.
    """
    _end_sockets(tx, services, agent_id)
    account = account_key("agent", agent_id)
    services.remove_account(tx, account)
    tx.run("DELETE FROM agent WHERE account_key = :account", account=account)


def _end_sockets(tx: Tx, services: Services, agent_id: str) -> None:
    found = find_credential(tx, agent_id)
    if found is None:
        raise no_agent(agent_id)
    ended = credential_session(account_key("agent", agent_id), *found)
    tx.on_commit(lambda: services.end_sessions({ended}))


def supports(tx: ReadTx, agent_key: str) -> frozenset[str]:
    """What an agent's card says that it can do: `stop`, `steer`, `queue` and so on."""
    row = tx.one("SELECT card FROM agent WHERE account_key = :agent", agent=agent_key)
    if row is None or row[0] is None:
        return frozenset()
    return frozenset(msgspec.json.decode(row[0]).get("supports", ()))


def no_agent(agent_id: str) -> NotFound:
    return NotFound(f"no agent {agent_id[:64]!r}")
