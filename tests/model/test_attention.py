"""Who looks at the app, as far as their devices say so."""

from __future__ import annotations

import trio
import trio.testing

from amtrio.model.attention import VISIBLE_SECONDS, Attention


async def test_a_look_ends_by_itself(autojump_clock: trio.testing.MockClock) -> None:
    """A frozen tab says nothing any more; one that goes on says so."""
    attention = Attention()
    assert attention.looks_until("u:a") is None
    attention.look("u:a", "laptop")
    await trio.sleep(VISIBLE_SECONDS / 2)
    attention.look("u:a", "laptop")
    attention.look("u:a", "phone")
    await trio.sleep(VISIBLE_SECONDS * 0.9)
    assert attention.looks_until("u:a") == trio.current_time() + VISIBLE_SECONDS * 0.1
    assert attention.looks_until("u:b") is None
    await trio.sleep(VISIBLE_SECONDS * 0.11)
    assert attention.looks_until("u:a") is None


async def test_looking_away_is_told() -> None:
    """Once per device that looked; nobody is told of what was not known."""
    attention = Attention()
    told: list[tuple[str, bool]] = []
    attention.looked_away = lambda account: told.append((account, attention.looks_until(account) is None))
    attention.look_away("u:a", "laptop")
    attention.forget("u:a")
    attention.look("u:a", "laptop")
    attention.look("u:a", "phone")
    attention.look_away("u:a", "phone")
    attention.look_away("u:a", "phone")
    attention.look_away("u:a", "laptop")
    attention.look("u:a", "laptop")
    attention.forget("u:a")
    assert told == [("u:a", False), ("u:a", True), ("u:a", True)]
