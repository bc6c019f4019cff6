"""Removing a person or an agent, with rows in every table that knows accounts: nothing blocks it, nothing is left.

The tables are asked of the schema: a new one that refers to an account fails here until it is filled below and its
feature's `on_removal` takes its rows away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from amtrio.features import accounts, agents
from amtrio.features.accounts import RemoveUser
from amtrio.features.agents import AgentName
from amtrio.features.leftover_files import collect_files
from amtrio.store.database import ReadTx, Tx
from tests.features.conftest import Cast, cast, scene, send
from tests.harness import Scene

__all__ = ["cast", "scene"]

# How a row comes to refer to the account. None: it does already, by registering and talking.
FILL: Final[dict[tuple[str, str], str | None]] = {
    ("user_account", "account_key"): None,
    ("login_session", "account_key"): None,
    ("agent", "account_key"): None,
    ("agent", "owner_key"): "UPDATE agent SET owner_key = :account WHERE id = 'other'",
    ("agent_reader", "account_key"): "INSERT INTO agent_reader VALUES ('a:other', :account)",
    ("agent_reader", "agent_key"): "INSERT INTO agent_reader SELECT :account, account_key FROM user_account",
    ("conversation", "user_key"): None,
    ("conversation", "agent_key"): None,
    ("member", "account_key"): None,
    ("message", "sender_key"): None,
    ("cursor", "account_key"): "INSERT INTO cursor VALUES (:account, 'a device', 0, 0, 0)",
    ("command_done", "account_key"): """
        INSERT INTO command_done (account_key, client_id, digest, answer, done_us)
        VALUES (:account, 'client-id-00000001', '', '{}', 0)""",
    ("reaction", "account_key"): "INSERT INTO reaction SELECT id, :account, '+1', 'rxn_1', 0 FROM message LIMIT 1",
    ("conversation_tag", "account_key"): """
        INSERT INTO conversation_tag SELECT conversation_id, account_key, 'tag', 'tag_1', 0 FROM member
        WHERE account_key = :account LIMIT 1""",
    ("attachment", "owner_key"): """
        INSERT INTO attachment (id, owner_key, state, filename, created_us)
        VALUES ('att_1', :account, 'stored', 'x', 0)""",
    ("public_key", "account_key"): """
        INSERT INTO public_key (id, account_key, kind, public_key, fingerprint, created_us)
        VALUES ('key_1', :account, 'identity', 'x', 'y', 0)""",
    ("spent_key", "account_key"): "INSERT INTO spent_key VALUES (:account, 'y', 0)",
    ("notification_preference", "account_key"): """
        INSERT INTO notification_preference (account_key, updated_us) VALUES (:account, 0)""",
    ("push_device", "account_key"): """
        INSERT INTO push_device
            (id, account_key, session_id, platform, address, p256dh, auth, created_us, updated_us)
        SELECT 'push_1', account_key, id, 'ios', 'x', NULL, NULL, 0, 0 FROM login_session
        WHERE account_key = :account LIMIT 1""",
    ("push_shown", "account_key"): """
        INSERT INTO push_shown SELECT account_key, conversation_id, 1, 0 FROM member
        WHERE account_key = :account LIMIT 1""",
    ("run", "agent_key"): """
        INSERT INTO run (id, agent_key, conversation_id, started_us)
        SELECT 'run_1', :account, id, 0 FROM conversation WHERE agent_key = :account LIMIT 1""",
    ("question", "answered_by_key"): """
        INSERT INTO question (message_id, options, is_multiple, takes_text, answered_by_key)
        SELECT m.id, '[]', 0, 0, :account FROM message m JOIN conversation c ON c.id = m.conversation_id
        WHERE c.user_key = :account LIMIT 1""",
}
# Agents neither sign in nor own others; people are no agents.
OF_PEOPLE: Final = {
    ("user_account", "account_key"), ("login_session", "account_key"), ("agent", "owner_key"),
    ("agent_reader", "account_key"), ("conversation", "user_key"), ("push_device", "account_key"),
    ("question", "answered_by_key"),
}  # fmt: skip
OF_AGENTS: Final = {
    ("agent", "account_key"),
    ("agent_reader", "agent_key"),
    ("conversation", "agent_key"),
    ("run", "agent_key"),
}


def references(tx: ReadTx) -> set[tuple[str, str]]:
    """Every column that refers to an account, or to a row that has an account's key."""
    found = set()
    for (table,) in tx.all("SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in tx.all(f'SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'{table}\')'):
            if row[0] == "account" or row[2] == "account_key":
                found.add((table, row[1]))
    return found


def filled(tx: Tx, account: str, places: set[tuple[str, str]]) -> None:
    for place in places:
        sql = FILL[place]
        if sql is not None:
            tx.run(sql, account=account)


def left(tx: ReadTx, account: str) -> set[tuple[str, str]]:
    return {
        (table, column)
        for table, column in references(tx)
        if tx.one(f"SELECT 1 FROM {table} WHERE {column} = :account", account=account)
    }


async def test_every_table_that_knows_accounts_is_filled_here(scene: Scene) -> None:
    assert await scene.running.services.store.read(references) == set(FILL)


@pytest.mark.parametrize("kind", ["person", "agent"])
async def test_nothing_of_a_removed_account_is_left(scene: Scene, cast: Cast, kind: str, tmp_path: Path) -> None:
    """In none of these tables; the other members hear of it, the database stays consistent."""
    services = scene.running.services
    await scene.register_agent("other")
    async with scene.device(cast.helper) as helper:
        await helper.send(cast.talk, "of the agent")
    await send(scene, cast.alice, cast.talk, "of the person")
    account = f"u:{cast.alice.id}" if kind == "person" else "a:helper"
    places = set(FILL) - (OF_AGENTS if kind == "person" else OF_PEOPLE)
    await services.store.write(filled, account, places)
    assert await services.store.read(left, account) == places, "or this test proves nothing"
    witness = cast.helper if kind == "person" else cast.alice
    async with scene.device(witness) as device:
        if kind == "person":
            await accounts.operation_remove_user(services, RemoveUser(username="alice"))
        else:
            await agents.operation_remove(services, AgentName(agent_id="helper"))
        await device.next("conversation_deleted", conversation_id=cast.talk)
    await collect_files(services)  # which the removal has woken
    assert await services.store.read(left, account) == set()
    broken = await services.store.read(lambda tx: tx.all("SELECT * FROM pragma_foreign_key_check"))
    assert broken == []
    row = await services.store.read(
        lambda tx: tx.one("SELECT removed_us FROM account WHERE key = :account", account=account)
    )
    assert row is not None
    assert row[0] is not None
