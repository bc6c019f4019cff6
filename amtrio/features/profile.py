"""COMPAT: what the process uses, for administrators, under the older server's route.

Figures are those that mean something in Python. Profiles of heap and processor are refused: tracing from inside would
slow everybody down, and `py-spy` does better from outside. Knows nothing of any account.
"""

from __future__ import annotations

import gc
import threading
from collections import Counter
from typing import Annotated

import msgspec
import trio
from msgspec import Meta

from amtrio.clock import rfc3339
from amtrio.context import Context
from amtrio.errors import Malformed
from amtrio.feature import get, post
from amtrio.metrics import resident_bytes
from amtrio.model.audit import record
from amtrio.store.database import Tx

_OUTSIDE = "a Python server is profiled from outside, without a change: py-spy dump, top or record --pid PID"


class AskProfile(msgspec.Struct, frozen=True, kw_only=True):
    """
    What to look at.

    Attributes:
        action: `stats`, `goroutine` (the tasks) or `gc` (collect now; everything waits for it).
    """

    action: Annotated[str, Meta(extra_json_schema={"enum": ["stats", "goroutine", "gc"]})] = "stats"


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the process uses. COMPAT: under the older server's names where they fit.

    Attributes:
        alloc_bytes, sys_bytes: resident memory; Python knows no finer figure without tracing.
        num_gc: garbage collections so far. goroutines: tasks.
        collected_objects: what these found. threads: of the process.
    """

    alloc_bytes: int
    sys_bytes: int
    num_gc: int
    collected_objects: int
    goroutines: int
    threads: int


class TaskCount(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks that run the same function."""

    name: str
    count: int


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """
    The figures of this moment.

    Attributes:
        tasks: with `goroutine`, most numerous first.
        before, after: with `gc`, together with what it freed.
    """

    status: str = "ok"
    action: str
    timestamp: str
    memory: Memory | msgspec.UnsetType = msgspec.UNSET
    goroutines: int | msgspec.UnsetType = msgspec.UNSET
    tasks: list[TaskCount] | msgspec.UnsetType = msgspec.UNSET
    gc_cycles: int | msgspec.UnsetType = msgspec.UNSET
    before: Memory | msgspec.UnsetType = msgspec.UNSET
    after: Memory | msgspec.UnsetType = msgspec.UNSET
    freed_bytes: int | msgspec.UnsetType = msgspec.UNSET
    collected_objects: int | msgspec.UnsetType = msgspec.UNSET


@get("/admin/profile", who="admin")
@post("/admin/profile", who="admin")
async def profile(ctx: Context, request: AskProfile) -> Profile:
    """
    Look at the process.

    Raises:
        Malformed: an action that Python has no truthful answer to.
    """
    at = rfc3339(ctx.clock.now_us())
    if request.action == "stats":
        return Profile(action="stats", timestamp=at, memory=_memory())
    if request.action == "goroutine":
        counted = _tasks()
        shown = [TaskCount(name=name, count=count) for name, count in counted.most_common()]
        return Profile(action="goroutine", timestamp=at, goroutines=counted.total(), tasks=shown)
    if request.action == "gc":
        await ctx.store.write(_record_collection, ctx)
        before = _memory()
        found = gc.collect()
        after = _memory()
        return Profile(
            action="gc",
            timestamp=at,
            gc_cycles=after.num_gc,
            before=before,
            after=after,
            freed_bytes=max(0, before.alloc_bytes - after.alloc_bytes),
            collected_objects=found,
        )
    known = request.action in {"heap", "cpu", "cpu_stop"}
    text = f"no action {request.action[:32]!r} here: {_OUTSIDE}" if known else f"unknown action {request.action[:32]!r}"
    raise Malformed(text)


def _record_collection(tx: Tx, ctx: Context) -> None:
    record(tx, ctx, "server.gc")


def _memory() -> Memory:
    stats = gc.get_stats()
    resident = resident_bytes()
    return Memory(
        alloc_bytes=resident,
        sys_bytes=resident,
        num_gc=sum(each["collections"] for each in stats),
        collected_objects=sum(each["collected"] for each in stats),
        goroutines=trio.lowlevel.current_statistics().tasks_living,
        threads=threading.active_count(),
    )


def _tasks() -> Counter[str]:
    """Every task by its name."""
    counted: Counter[str] = Counter()
    root = trio.lowlevel.current_root_task()
    waiting = [root] if root is not None else []
    while waiting:
        task = waiting.pop()
        counted[task.name] += 1
        for nursery in task.child_nurseries:
            waiting.extend(nursery.child_tasks)
    return counted
