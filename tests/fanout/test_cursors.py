"""Several sockets on one cursor: the smallest position is stored, and nothing is forgotten before it is written."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from amtrio.fanout import cursors as module
from amtrio.fanout.cursors import ABSENCE_SECONDS, Cursors
from amtrio.store.log import Cursor


def taken(cursors: Cursors) -> dict[str, int]:
    found = cursors.take_dirty()
    cursors.written(found)
    return {each.device: each.seq for each in found}


async def test_a_single_socket_moves_its_cursor() -> None:
    """Forwards only, and each move is handed over once."""
    cursors = Cursors()
    phone = cursors.open("u:1", "phone", 5)
    phone.confirm(7)
    phone.confirm(6)
    assert taken(cursors) == {"phone": 7}
    assert taken(cursors) == {}
    phone.confirm(9)
    phone.close()
    assert taken(cursors) == {"phone": 9}


async def test_the_slowest_of_two_sockets_counts() -> None:
    """What one has seen and the other has not is not confirmed; a third one begins there."""
    cursors = Cursors()
    awake, asleep = cursors.open("u:1", "s", 5), cursors.open("u:1", "s", 5)
    awake.confirm(50)
    assert taken(cursors) == {"s": 5}
    assert cursors.position("u:1", "s", 0) == 5
    asleep.confirm(20)
    assert cursors.open("u:1", "s", 0).confirmed == 20


async def test_one_that_leaves_behind_is_waited_for(autojump_clock: MockClock) -> None:
    """Its sisters do not carry the cursor past what it missed, until it is plain that it will not come back."""
    cursors = Cursors()
    awake, asleep = cursors.open("u:1", "s", 5), cursors.open("u:1", "s", 5)
    asleep.close()
    awake.confirm(50)
    assert taken(cursors) == {"s": 5}
    await trio.sleep(ABSENCE_SECONDS + 1)
    awake.confirm(51)
    assert taken(cursors) == {"s": 51}


async def test_one_that_comes_back_takes_over_what_was_missed() -> None:
    cursors = Cursors()
    awake, asleep = cursors.open("u:1", "s", 5), cursors.open("u:1", "s", 5)
    asleep.close()
    awake.confirm(50)
    back = cursors.open("u:1", "s", 0)
    assert back.confirmed == 5
    back.confirm(50)
    assert taken(cursors) == {"s": 50}


async def test_what_could_not_be_written_is_handed_over_again() -> None:
    """Also of a socket that has gone meanwhile; a newer position wins over the database's older one."""
    cursors = Cursors()
    phone = cursors.open("u:1", "phone", 5)
    phone.confirm(9)
    phone.close()
    lost = cursors.take_dirty()
    assert cursors.position("u:1", "phone", 5) == 9, "it is not on disk yet"
    cursors.failed(lost)
    assert taken(cursors) == {"phone": 9}
    assert cursors.position("u:1", "phone", 9) == 9


async def test_accounts_and_devices_are_apart() -> None:
    cursors = Cursors()
    for account in ("u:1", "u:2"):
        cursors.open(account, "phone", 1).confirm(len(account) + int(account[-1]))
    assert sorted(cursors.take_dirty(), key=lambda each: each.account) == [
        Cursor("u:1", "phone", 4), Cursor("u:2", "phone", 5),
    ]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["open", "confirm", "close", "write", "fail"]), st.integers(0, 4)), max_size=30)
)
@pytest.mark.parametrize("_", [0])
def test_what_is_stored_never_passes_an_open_socket(_: int, steps: list[tuple[str, int]]) -> None:
    """Whatever order sockets open, confirm and leave in."""

    async def main() -> None:
        cursors, handles, disk = Cursors(), [], 0
        for head, (step, number) in enumerate(steps, 1):
            if step == "open":
                handles.append(cursors.open("u:1", "s", disk))
            elif step == "confirm" and handles:
                handles[number % len(handles)].confirm(head)
            elif step == "close" and handles:
                handles.pop(number % len(handles)).close()
            else:
                batch = cursors.take_dirty()
                if step == "fail":
                    cursors.failed(batch)
                else:
                    disk = max([disk, *(each.seq for each in batch)])
                    cursors.written(batch)
            assert all(disk <= handle.confirmed for handle in handles)

    trio.run(main)
    assert module.ABSENCE_SECONDS > 0
