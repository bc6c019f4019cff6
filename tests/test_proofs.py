"""Credentials that were checked a moment ago."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from amtrio import proofs as module
from amtrio.context import Principal
from amtrio.proofs import FRESH_SECONDS, Proofs

ALICE = Principal("user", "1", "u:1", "alice", "ses_1")


async def test_a_proof_is_found_while_it_is_fresh(autojump_clock: MockClock) -> None:
    """Then it is looked up again."""
    proofs = Proofs()
    assert proofs.find("t", at_us=0) is None
    assert proofs.remember("t", ALICE, proofs.moment(), expires_us=100)
    assert proofs.find("t", at_us=99) is ALICE
    await trio.sleep(FRESH_SECONDS + 1)
    assert proofs.find("t", at_us=99) is None


async def test_an_expired_token_is_found_no_more() -> None:
    """By the wall clock, whatever the proof's own age."""
    proofs = Proofs()
    proofs.remember("t", ALICE, proofs.moment(), expires_us=100)
    assert proofs.find("t", at_us=100) is None


async def test_an_ended_session_is_refused_even_by_a_late_look_up() -> None:
    """One that began before the end and says yes after it."""
    proofs = Proofs()
    proofs.remember("t", ALICE, proofs.moment(), expires_us=100)
    proofs.remember("other", Principal("user", "2", "u:2", "bob", "ses_2"), proofs.moment(), expires_us=100)
    proofs.forget({"ses_1"})
    assert proofs.find("t", at_us=0) is None
    assert proofs.find("other", at_us=0) is not None
    assert not proofs.remember("t", ALICE, proofs.moment(), expires_us=100)
    assert proofs.has_ended("ses_1")
    assert not proofs.has_ended("ses_2")


async def test_changed_rights_are_looked_up_again() -> None:
    """What a look-up saw that began before the change is not kept."""
    proofs = Proofs()
    before = proofs.moment()
    proofs.remember("t", ALICE, before, expires_us=100)
    proofs.remember("other", Principal("user", "2", "u:2", "bob", "ses_2"), before, expires_us=100)
    proofs.forget_account("u:1")
    assert proofs.find("t", at_us=0) is None
    assert proofs.find("other", at_us=0) is not None
    assert proofs.remember("t", ALICE, before, expires_us=100), "the session itself is good"
    assert proofs.find("t", at_us=0) is None
    assert proofs.remember("t", ALICE, proofs.moment(), expires_us=100)
    assert proofs.find("t", at_us=0) is ALICE


async def test_use_is_noted_once() -> None:
    proofs = Proofs()
    proofs.remember("t", ALICE, proofs.moment(), expires_us=100)
    proofs.find("t", at_us=0)
    assert proofs.take_used() == {"ses_1"}
    assert proofs.take_used() == set()


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PROOFS", 2)
    monkeypatch.setattr(module, "MAX_ENDED", 2)
    proofs = Proofs()
    for number in range(5):
        proofs.remember(f"t{number}", ALICE, proofs.moment(), expires_us=100)
        proofs.forget({f"ended_{number}"})
    assert [proofs.find(f"t{number}", at_us=0) is not None for number in range(5)] == [False] * 3 + [True] * 2
    assert [proofs.has_ended(f"ended_{number}") for number in range(5)] == [False] * 3 + [True] * 2
