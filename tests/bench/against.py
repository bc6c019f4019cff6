"""Two trees side by side: a server of this one, a server of the other, in turn, asked the same by the same generator.

Knows the scenarios. Knows nothing of how figures are shown.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.loop import Broken
from tests.bench.report import Result
from tests.bench.scenarios import Bench
from tests.bench.server import environment_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.talk import Version

HERE = Path(__file__).resolve().parents[2]


@dataclass
class Versus(Bench):
    """
    Ratios, pair by pair: what one server of this tree did, by what one of `other` did right after it.

    A machine's speed drifts by more than most changes gain. The two of a pair share its mood, and each has a process
    and a database of its own, so that neither lives on the other's luck.

    Attributes:
        other: the checkout to compare with; it runs with this tree's Python and libraries.
    """

    other: Path = field(kw_only=True)

    def scenarios(self) -> dict[str, Callable[[], None]]:
        """The crowds; one window per server, `plan.windows` pairs."""
        for tree in (HERE, self.other):
            _check(tree)
        return {"v1": lambda: self.compare("v1"), "v2": lambda: self.compare("v2")}

    def compare(self, version: Version) -> None:
        """Every crowd of the plan."""
        for crowd in self.plan.crowds:
            users, agents, in_flight = crowd
            title = f"{version}, {users} users, {agents} agents, {in_flight} in flight"
            ratios: dict[str, list[float]] = {}
            for number in range(self.plan.windows):
                self.tell(f"{title}: pair {number + 1} of {self.plan.windows}")
                mine, other = self._once(HERE, version, crowd), self._once(self.other, version, crowd)
                for name, value in mine.items():
                    if other[name] > 0:
                        ratios.setdefault(name, []).append(value / other[name])
            result = self._begin(f"{title}: this tree by the other")
            for name, values in ratios.items():
                result.add(name, "ratio", *values)

    def _once(self, tree: Path, version: Version, crowd: tuple[int, int, int]) -> dict[str, float]:
        """One window of one crowd on a new server."""
        users, agents, in_flight = crowd
        plan, self.plan = self.plan, replace(self.plan, windows=1)
        result = Result("")
        try:
            with self._server(tree) as (server, rest):
                people = self._people(rest, users)
                names = [rest.register_agent(f"bench-agent-{at}", server.agent_secret) for at in range(agents)]
                with self._crowd(server, rest, version, people, names) as (loop, speakers, tally):
                    self._closed_loop(result, server, loop, speakers, tally, in_flight)
                result.add("peak RSS", "MiB", server.peak_rss_bytes())
        finally:
            self.plan = plan
        return {figure.name: figure.median for figure in result.figures}


def _check(tree: Path) -> None:
    """
    Comparing a tree with itself by mistake would look like good news.

    Raises:
        Broken: a server started in `tree` would be another one.
    """
    code = "import amtrio; print(amtrio.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tree, env=environment_of(tree), capture_output=True, text=True, check=False
    )
    if not done.stdout.strip().startswith(f"{tree.resolve()}/"):
        raise Broken(f"{tree} is no checkout of amtrio: {(done.stdout + done.stderr).strip()}")
