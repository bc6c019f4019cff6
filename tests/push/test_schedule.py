"""The earliest first, at its time, one a conversation."""

from __future__ import annotations

import trio
import trio.testing

from amtrio.push.schedule import Key, Schedule, Task


def key(name: str) -> Key:
    return (("u:a", name), "wake")


def task(name: str, due: float) -> Task:
    return Task(key(name), since=0.0, due=due)


async def test_each_comes_at_its_time(autojump_clock: trio.testing.MockClock) -> None:
    """The earliest first, also one that is put while somebody waits; several may wait."""
    schedule = Schedule()
    taken: list[tuple[str, float]] = []
    start = trio.current_time()

    async def take() -> None:
        while True:
            one = await schedule.next()
            taken.append((one.key[0][1], trio.current_time() - start))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(take)
        await trio.testing.wait_all_tasks_blocked()
        schedule.put(task("late", start + 9))
        schedule.put(task("early", start + 5))
        await trio.sleep(2)
        schedule.put(task("between", start + 3))
        schedule.put(task("overdue", start + 1))
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    assert taken == [("overdue", 2), ("between", 3), ("early", 5), ("late", 9)]
    assert schedule.waiting == {}


async def test_a_newer_one_takes_the_place(autojump_clock: trio.testing.MockClock) -> None:
    """Later or earlier than the one before."""
    schedule = Schedule()
    start = trio.current_time()
    for name, first, second in (("a", 5, 9), ("b", 5, 2)):
        schedule.put(task(name, start + first))
        schedule.put(task(name, start + second))
    assert len(schedule.waiting) == 2
    found = [await schedule.next() for _ in range(2)]
    assert [(each.key[0][1], each.due - start) for each in found] == [("b", 2), ("a", 9)]
    with trio.move_on_after(100) as limit:
        await schedule.next()
    assert limit.cancelled_caught
