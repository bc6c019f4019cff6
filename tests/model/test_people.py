"""What every feature that touches a person's account shares."""

from __future__ import annotations

import pytest

from amtrio.context import Context
from amtrio.errors import Conflict, Malformed, NotFound
from amtrio.model.people import (
    account_by_id,
    account_by_name,
    check_another_admin,
    check_username,
    create_user,
    end_session,
    end_sessions,
    open_session,
    open_sessions,
    set_admin,
)
from amtrio.store.database import Tx
from tests.features.conftest import Cast, cast, scene
from tests.harness import Scene

__all__ = ["cast", "scene"]


@pytest.mark.parametrize("name", ["ab", "x" * 51, "a b", "alice\n", "", "ä_umlaut"])
def test_names_have_a_shape(name: str) -> None:
    with pytest.raises(Malformed):
        check_username(name)
    check_username("alice_99")


async def test_accounts_are_found_by_id_and_name_or_not_at_all(scene: Scene, cast: Cast) -> None:
    store, key = scene.running.services.store, f"u:{cast.alice.id}"
    assert await store.read(account_by_id, cast.alice.id) == await store.read(account_by_name, "alice") == key
    for find, asked in ((account_by_id, "alice"), (account_by_name, cast.alice.id)):
        with pytest.raises(NotFound):
            await store.read(find, asked)


async def test_a_taken_name_makes_no_account(scene: Scene, cast: Cast) -> None:
    services = scene.running.services
    with pytest.raises(Conflict):
        await services.store.write(create_user, services, "alice", "hash")
    (count,) = await services.store.read(lambda tx: tx.all("SELECT count(*) FROM account WHERE key LIKE 'u:%'"))
    assert count == (2,)


async def test_which_sessions_end(scene: Scene, cast: Cast) -> None:
    """All but one, one alone, or all; their cursors hold back no pruning."""
    services, account = scene.running.services, f"u:{cast.alice.id}"
    ctx = Context(services)

    def sign_in(tx: Tx) -> str:
        return open_session(tx, ctx, cast.alice.id).session_id

    def listed(tx: Tx) -> set[str]:
        return {each.session_id for each in open_sessions(tx, account, now_us=tx.at_us)}

    a, b, c, d = [await services.store.write(sign_in) for _ in range(4)]
    ended = await services.store.write(end_sessions, services, account, keep=a)
    assert {b, c, d} < ended
    assert await services.store.write(listed) == {a}
    e = await services.store.write(sign_in)
    await services.store.write(end_session, services, account, e)
    for session in (e, "", "ses_none"):
        with pytest.raises(NotFound):
            await services.store.write(end_session, services, account, session)
    assert services.proofs.has_ended(e)
    cursors = await services.store.read(
        lambda tx: {row[0] for row in tx.all("SELECT device_key FROM cursor WHERE account_key = :a", a=account)}
    )
    assert cursors == {a}


async def test_somebody_is_left_to_administer(scene: Scene, cast: Cast) -> None:
    """Only the one last administrator is held back; where there is none, nobody is."""
    services = scene.running.services
    alice, bob = f"u:{cast.alice.id}", f"u:{cast.bob.id}"
    await services.store.read(check_another_admin, alice)
    await services.store.write(set_admin, services, alice, is_admin=True)
    await services.store.read(check_another_admin, bob)
    with pytest.raises(Conflict):
        await services.store.read(check_another_admin, alice)
    await services.store.write(set_admin, services, bob, is_admin=True)
    await services.store.read(check_another_admin, alice)
