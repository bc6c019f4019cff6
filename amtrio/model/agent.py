"""What every feature that touches an agent's account shares: its card, who may see it, its credential, its end.

Knows SQL and wire names. Knows no command, no route, no socket.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.context import Context, Services, account_key
from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.protocol.frames import ID_PATTERN, Event
from amtrio.store.database import ReadTx, Row, Tx
from amtrio.store.log import make_account
from amtrio.tokens import fingerprint

CREDENTIAL_PREFIX = "agt_"
AgentId = Annotated[str, Meta(pattern=ID_PATTERN)]
Text = Annotated[str, Meta(max_length=2000)]
# A picker of commands has room for a hundred, and each has to fit into one line of it.
CommandName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}(?!\n)$")]
CommandDescription = Annotated[str, Meta(max_length=200)]
CommandArguments = Annotated[str, Meta(max_length=100)]
# The chore that tells people how agents are described now.
TELL_CHANGES = "tell_agent_changes"

# The one rule of visibility: `everyone`; `listed` for the owner and those on the agent's list; `owner` alone.
VISIBLE = """
(agent.visibility = 'everyone' OR agent.owner_key = :viewer
 OR (agent.visibility = 'listed' AND EXISTS (
     SELECT 1 FROM agent_reader r WHERE r.agent_key = agent.account_key AND r.account_key = :viewer)))"""
AGENT_COLUMNS = "account_key, id, name, model, personality, specialty, last_seen_us, card"
_CREATE = """
INSERT INTO agent (account_key, id, name, model, personality, specialty, credential_kind, credential_hash, created_us)
VALUES (:account, :id, :name, :model, :personality, :specialty, :kind, :hash, :at)"""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent says of itself."""

    name: Text | None = None
    model: Text | None = None
    personality: Text | None = None
    specialty: Text | None = None


class CardCommand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Something to say to an agent that it understands in its own way, `/name arguments`.

    Attributes:
        arguments: what may stand behind the name, in words for people.
    """

    name: CommandName
    description: CommandDescription
    arguments: CommandArguments | None = None


class Abilities(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The part of a card that says what the agent can do; kept as JSON.

    Attributes:
        supports: words of this protocol; those that no server knows yet are kept too.
        capabilities: words for people.
    """

    description: str = ""
    supports: tuple[str, ...] = ()
    commands: tuple[CardCommand, ...] = ()
    capabilities: tuple[str, ...] = ()


class AgentView(Event, frozen=True, kw_only=True, omit_defaults=False):
    """
    An agent as the people see it who may. COMPAT: it carries both names of its id.

    Attributes:
        status: online, busy, idle or offline. status_text: what the agent adds to that.
        last_seen: now, while it is connected.
        supports, commands, capabilities: see `Abilities`.
    """

    id: str
    agent_id: str
    name: str
    model: str
    personality: str
    specialty: str
    description: str
    supports: tuple[str, ...]
    commands: tuple[CardCommand, ...]
    capabilities: tuple[str, ...]
    status: str
    online: bool
    last_seen: str | None
    status_text: str | msgspec.UnsetType = msgspec.UNSET


class AgentChanged(AgentView, frozen=True, kw_only=True, omit_defaults=False):
    """An agent is described in another way than before."""

    type = "agent_changed"


def agent_view(row: Row, ctx: Context) -> AgentView:
    """`AGENT_COLUMNS` with what the agent says of itself at this moment."""
    account, id_, name, model, personality, specialty, last_seen_us, card = row
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
        **msgspec.structs.asdict(_abilities(card)),
        status=status.word,
        online=online,
        last_seen=rfc3339(last_seen_us) if last_seen_us else None,
        status_text=status.text or msgspec.UNSET,
    )


def _abilities(card: str | None) -> Abilities:
    return msgspec.json.decode(card, type=Abilities) if card is not None else _NONE


_NONE = Abilities()


def abilities(tx: ReadTx, account: str) -> Abilities:
    """What an agent says that it can do; nothing, if there is no such agent."""
    row = tx.one("SELECT card FROM agent WHERE account_key = :account", account=account)
    return _abilities(row[0] if row is not None else None)


def supports(tx: ReadTx, account: str) -> frozenset[str]:
    """Which parts of the protocol an agent's card says that it understands: `stop`, `steer`, `queue` and so on."""
    return frozenset(abilities(tx, account).supports)


class ChangedAgents:
    """Account keys of agents whose description changed since people were told, oldest first."""

    def __init__(self) -> None:
        self.accounts: dict[str, None] = {}


def describe(tx: Tx, services: Services, account: str, words: Mapping[str, str | None]) -> None:
    """
    Describe an agent anew; what is the same already is not written, and nobody is told.

    Args:
        words: column to text: `name`, `model`, `personality`, `specialty`, or `card` (JSON of `Abilities`).
    """
    row = tx.one(
        f"SELECT {', '.join(('account_key', *words))} FROM agent WHERE account_key = :account",  # noqa: S608 - ours
        account=account,
    )
    if row is None:
        return
    changed = {column: text for (column, text), before in zip(words.items(), row[1:], strict=True) if text != before}
    if changed:
        tx.run(
            f"UPDATE agent SET {', '.join(f'{column} = :{column}' for column in changed)}"  # noqa: S608 - ours
            " WHERE account_key = :account",
            account=account,
            **changed,
        )
        note_change(tx, services, account)


def note_change(tx: Tx, services: Services, account: str) -> None:
    """Let those who may see an agent be told how it is described after this transaction."""

    def tell() -> None:
        services.own(ChangedAgents).accounts[account] = None
        services.wake(TELL_CHANGES)

    tx.on_commit(tell)


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


def no_agent(agent_id: str) -> NotFound:
    return NotFound(f"no agent {agent_id[:64]!r}")
