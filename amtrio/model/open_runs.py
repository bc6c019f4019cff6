"""The runs that are going on: what each has said, who is shown it, and since when its agent is away.

Lives in memory; storage has it at most a second later. Knows the fan-out. Knows no SQL, no command, no socket.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import trio

from amtrio.clock import rfc3339
from amtrio.context import Fanout, Services, id_of
from amtrio.model.run import RunRow
from amtrio.model.run_body import Body
from amtrio.model.run_controls import Control
from amtrio.model.run_part import PartChange, PartShown
from amtrio.protocol.frames import Event

# The chores that carry on what a run says.
SHOW_CHANGES = "show_changes"


class RunSnapshot(Event, frozen=True, kw_only=True, omit_defaults=False):
    """
    A run as it is now. Ephemeral; it takes the place of whatever is shown of the run.

    Attributes:
        rev: of the newest change in it.
    """

    type = "run_snapshot"
    run_id: str
    conversation_id: str
    agent_id: str
    reply_to: str | None
    rev: int
    started_at: str
    parts: tuple[PartShown, ...]


class RunDelta(Event, frozen=True, kw_only=True):
    """
    What a run said since the last one. Ephemeral.

    Attributes:
        rev: one more than that of the change before; whoever misses one needs a snapshot.
    """

    type = "run_delta"
    run_id: str
    conversation_id: str
    rev: int
    parts: tuple[PartChange, ...]


class OpenRun:
    """
    One of them; a `context.Live`.

    Attributes:
        agent: account key. watchers: account keys of the people of its conversation.
        supports: what the agent's card said when it began.
        started_at: by the monotonic clock. away_since: by the same, None while its agent is there.
        controls: what the person wants of it, by id.
        chunk_bytes: how long its chunks on disk are together.
        is_ending: nothing can be said any more, and it is on its way to the disk.
    """

    def __init__(
        self,
        run_id: str,
        *,
        agent: str,
        conversation_id: str,
        watchers: Sequence[str],
        body: Body,
        fanout: Fanout,
        started_us: int,
        reply_to: str | None = None,
        supports: frozenset[str] = frozenset(),
    ) -> None:
        self.id = run_id
        self.agent = agent
        self.conversation_id = conversation_id
        self.watchers = watchers
        self.body = body
        self.reply_to = reply_to
        self.supports = supports
        self.started_us = started_us
        self.started_at = trio.current_time()
        self.away_since: float | None = None
        self.is_ending = False
        self.rev = 0
        self.chunk_bytes = 0
        self.controls: dict[str, Control] = {}
        self._fanout = fanout

    def tell_changes(self) -> int:
        """Tell devices what they have not seen; answers how many sockets heard of it."""
        changes = self.body.changes(self.body.devices)
        if not changes.parts:
            return 0
        self.body.reached(self.body.devices, changes)
        self.rev += 1
        return self._fanout.change(
            self, RunDelta(run_id=self.id, conversation_id=self.conversation_id, rev=self.rev, parts=changes.parts)
        )

    def snapshot(self) -> RunSnapshot:
        """What it looks like, after everybody else was told what is in it."""
        self.tell_changes()
        return RunSnapshot(
            run_id=self.id,
            conversation_id=self.conversation_id,
            agent_id=id_of(self.agent),
            reply_to=self.reply_to,
            rev=self.rev,
            started_at=rfc3339(self.started_us),
            parts=self.body.parts(),
        )


class OpenRuns:
    """All of them. One per server: `services.own(OpenRuns)`."""

    def __init__(self) -> None:
        self._by_id: dict[str, OpenRun] = {}
        self._by_conversation: dict[str, dict[str, OpenRun]] = {}
        self._by_agent: dict[str, dict[str, OpenRun]] = {}
        self.untold: dict[OpenRun, None] = {}
        self.unstored: dict[OpenRun, None] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[OpenRun]:
        return iter(tuple(self._by_id.values()))

    def get(self, run_id: str) -> OpenRun | None:
        return self._by_id.get(run_id)

    def of_agent(self, agent: str) -> tuple[OpenRun, ...]:
        return tuple(self._by_agent.get(agent, {}).values())

    def of_conversation(self, conversation_id: str) -> tuple[OpenRun, ...]:
        return tuple(self._by_conversation.get(conversation_id, {}).values())

    def has_queue(self, conversation_id: str) -> bool:
        """
        Whether what is said in a conversation now waits for an agent that is busy and says that it keeps a queue.

        Also called from the writer's thread, which reads one dictionary entry; what is just beginning or ending may
        count or not.
        """
        return any("queue" in run.supports for run in self.of_conversation(conversation_id))

    def add(self, run: OpenRun) -> None:
        self._by_id[run.id] = run
        self._by_conversation.setdefault(run.conversation_id, {})[run.id] = run
        self._by_agent.setdefault(run.agent, {})[run.id] = run

    def remove(self, run: OpenRun) -> None:
        """Forget it; safe to call twice."""
        if self._by_id.get(run.id) is not run:
            return
        del self._by_id[run.id]
        self.untold.pop(run, None)
        self.unstored.pop(run, None)
        for index, key in ((self._by_conversation, run.conversation_id), (self._by_agent, run.agent)):
            index[key].pop(run.id)
            if not index[key]:
                del index[key]

    def changed(self, run: OpenRun) -> bool:
        """It said something; True if nothing was waiting to be told before."""
        was_idle = not self.untold
        self.untold[run] = None
        self.unstored[run] = None
        return was_idle


def open_run(
    services: Services, row: RunRow, watchers: tuple[str, ...], supported: frozenset[str], body: Body
) -> OpenRun:
    """It is going on from now on, and shown to whom it concerns."""
    run = OpenRun(
        row.id,
        agent=row.agent_key,
        conversation_id=row.conversation_id,
        watchers=watchers,
        body=body,
        fanout=services.fanout,
        started_us=row.started_us,
        reply_to=row.reply_to,
        supports=supported,
    )
    services.own(OpenRuns).add(run)
    services.fanout.show(run)
    services.wake(SHOW_CHANGES)  # for devices that are too busy to be shown it now
    return run
