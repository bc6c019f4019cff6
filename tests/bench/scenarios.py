"""What is measured: each scenario sets its stage, warms up, and measures several windows.

Knows the generator's parts and the server's process. Knows nothing of how figures are shown.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.loop import Broken, Loop
from tests.bench.report import Result, percentile
from tests.bench.rest import PASSWORD, Asker, Person, Rest, request
from tests.bench.runs import Heard, Run, Typing, Typist, Watcher
from tests.bench.server import Cores, Server, run_server
from tests.bench.talk import EchoAgent, Speaker, Tally, User, Version, agent_side, client_side, close_all

_DRAIN_SECONDS = 30.0
# Longer than the 250 ms after which older clients are asked what has arrived.
_SETTLE_SECONDS = 0.6
_MS = 1e3
_KIB = 1024
_LISTS_AT_ONCE = 8
_LOGINS_AT_ONCE = 4
_TALK_DURING_LOGINS_PER_SECOND = 200.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how much."""

    windows: int
    seconds: float
    warm_up_seconds: float
    crowds: Sequence[tuple[int, int, int]]
    """Users, agents, messages in flight per user."""
    open_loop_per_second: float
    idle_sockets: Sequence[int]
    history: Sequence[int]
    starts: int


FULL = Plan(
    windows=5,
    seconds=2.0,
    warm_up_seconds=1.0,
    crowds=((1, 1, 1), (1, 1, 16), (10, 10, 4), (100, 10, 1), (500, 50, 1)),
    open_loop_per_second=2425.0,
    idle_sockets=(1_000, 5_000),
    history=(50, 25_000),
    starts=5,
)
QUICK = Plan(
    windows=3,
    seconds=1.0,
    warm_up_seconds=0.5,
    crowds=((1, 1, 1), (1, 1, 16), (100, 10, 1)),
    open_loop_per_second=1000.0,
    idle_sockets=(1_000,),
    history=(50, 5_000),
    starts=1,
)
# Users and agents of the crowd that the open loop is measured with.
_OPEN_LOOP_CROWD = (100, 10)
# Live answers: so many at once, by so many agents, each watched by so many devices; and a message now and then.
_RUNS = 50
_TYPISTS = 10
_WATCHERS = 3
_TOKENS_PER_SECOND = 50.0
_MESSAGES_PER_SECOND = 40.0
# What the idle sockets belong to: as many people with several devices each.
_IDLE_PEOPLE = 100


@dataclass
class Bench:
    """
    One run of the benchmark.

    Attributes:
        directory: for the servers' data; on the disk that is to be measured.
        tell: hears what is going on.
    """

    plan: Plan
    directory: Path
    cores: Cores
    tell: Callable[[str], None]
    results: list[Result] = field(default_factory=list)
    _servers: int = 0

    def scenarios(self) -> dict[str, Callable[[], None]]:
        """Groups by name; each starts a server of its own."""
        return {
            "start": self.start,
            "v1": lambda: self.talk("v1"),
            "v2": lambda: self.talk("v2"),
            "runs": self.runs,
            "idle": self.idle,
            "rest": self.rest,
            "login": self.login,
        }

    # -- the stage --------------------------------------------------------

    @contextlib.contextmanager
    def _server(self, tree: Path | None = None) -> Iterator[tuple[Server, Rest]]:
        self._servers += 1
        with run_server(self.directory / f"server-{self._servers}", self.cores, tree) as server:
            rest = Rest(server.port)
            self.tell(f"server started, pid {server.pid}")
            try:
                yield server, rest
            finally:
                rest.close()

    def _people(self, rest: Rest, count: int) -> list[Person]:
        self.tell(f"registering {count} people")
        return [rest.register(f"bench_{number}") for number in range(count)]

    def _begin(self, scenario: str) -> Result:
        self.tell(scenario)
        result = Result(scenario)
        self.results.append(result)
        return result

    # -- starting ---------------------------------------------------------

    def start(self) -> None:
        """Time from the start of the process to the first answer."""
        result = self._begin("start")
        times, memory = [], []
        for _ in range(self.plan.starts):
            with self._server() as (server, _):
                times.append(server.started_s)
                memory.append(server.rss_bytes() / _KIB / _KIB)
        result.add("to the first /health, new database", "s", *times)
        result.add("RSS then", "MiB", *memory)

    # -- talking ----------------------------------------------------------

    def talk(self, version: Version) -> None:
        """Round trips: closed loop for every crowd, then an open one at a fixed rate."""
        plan = self.plan
        with self._server() as (server, rest):
            people = self._people(rest, max(users for users, _, _ in plan.crowds))
            names = [f"bench-agent-{number}" for number in range(max(agents for _, agents, _ in plan.crowds))]
            agents = [rest.register_agent(name, server.agent_secret) for name in names]
            for users, count, in_flight in plan.crowds:
                title = f"{version}, {users} users, {count} agents, {in_flight} in flight"
                with self._crowd(server, rest, version, people[:users], agents[:count]) as (loop, crowd, tally):
                    self._closed_loop(self._begin(title), server, loop, crowd, tally, in_flight)
            users, count = _OPEN_LOOP_CROWD
            rate = plan.open_loop_per_second
            with self._crowd(server, rest, version, people[:users], agents[:count]) as (loop, crowd, tally):
                result = self._begin(f"{version}, {users} users, {count} agents, {rate:,.0f} round trips/s asked for")
                self._open_loop(result, server, loop, crowd, tally, rate)
            self._begin(f"{version}, after all of that").add("peak RSS", "MiB", server.peak_rss_bytes() / _KIB / _KIB)

    @contextlib.contextmanager
    def _crowd(
        self, server: Server, rest: Rest, version: Version, people: Sequence[Person], agents: Sequence[str]
    ) -> Iterator[tuple[Loop, list[User], Tally]]:
        """People and agents, connected; person i talks with agent i modulo their number."""
        loop, tally = Loop(), Tally()
        places = [rest.conversation(person, agents[at % len(agents)]) for at, person in enumerate(people)]
        everybody: list[Speaker] = [
            EchoAgent(loop, server.port, version, name, server.agent_secret, tally) for name in agents
        ]
        users = [
            User(loop, server.port, version, person, place, tally) for person, place in zip(people, places, strict=True)
        ]
        everybody += users
        loop.run_for(_SETTLE_SECONDS)
        yield loop, users, tally
        self._drain(loop, tally)
        close_all(everybody)

    @staticmethod
    def _drain(loop: Loop, tally: Tally) -> None:
        """Everything that was said is acknowledged and answered, or the figures mean nothing."""
        tally.answers_at_once = False
        end = time.perf_counter() + _DRAIN_SECONDS
        while tally.sent != tally.answered or tally.sent != tally.acked:
            if time.perf_counter() > end:
                raise Broken(f"{tally.sent} messages sent, {tally.acked} acknowledged, {tally.answered} answered")
            loop.run_for(0.05)
        loop.run_for(_SETTLE_SECONDS)

    def _closed_loop(
        self, result: Result, server: Server, loop: Loop, users: Sequence[User], tally: Tally, in_flight: int
    ) -> None:
        for _ in range(in_flight):
            for user in users:
                user.say(time.perf_counter())
        loop.run_for(self.plan.warm_up_seconds)
        self._measure(result, server, tally, loop.run_for)

    def _open_loop(
        self, result: Result, server: Server, loop: Loop, users: Sequence[User], tally: Tally, rate: float
    ) -> None:
        """Speak at fixed moments whatever comes back; a message that had to wait to be sent has waited."""
        tally.answers_at_once = False
        pacing = _Pacing(loop, users, rate)
        pacing.run_for(self.plan.warm_up_seconds)
        self._measure(result, server, tally, pacing.run_for)

    def _measure(self, result: Result, server: Server, tally: Tally, run_for: Callable[[float], None]) -> None:
        rates: list[float] = []
        medians: list[float] = []
        tails: list[float] = []
        costs: list[float] = []
        main_shares: list[float] = []
        busy: list[float] = []
        tally.take()
        for _ in range(self.plan.windows):
            began, cpu, main = time.perf_counter(), server.cpu_s(), server.main_thread_cpu_s()
            run_for(self.plan.seconds)
            took = time.perf_counter() - began
            cpu, main = server.cpu_s() - cpu, server.main_thread_cpu_s() - main
            latencies = tally.take()
            if not latencies:
                raise Broken("nothing was answered in a whole window")
            rates.append(len(latencies) / took)
            medians.append(percentile(latencies, 0.5) * _MS)
            tails.append(percentile(latencies, 0.99) * _MS)
            costs.append(cpu / (2 * len(latencies)) * 1000)
            main_shares.append(main / cpu * 100)
            busy.append(cpu / took * 100)
        result.add("round trips", "1/s", *rates)
        result.add("p50", "ms", *medians)
        result.add("p99", "ms", *tails)
        result.add("server CPU per 1,000 delivered to the other side", "s", *costs)
        result.add("of it in the event loop", "%", *main_shares)
        result.add("server's core busy", "%", *busy)

    # -- live answers -----------------------------------------------------

    def runs(self) -> None:
        """Answers at 50 tokens a second, each watched by three devices; and messages before and meanwhile."""
        with self._server() as (server, rest):
            people = self._people(rest, _RUNS + 1)
            agents = [rest.register_agent(f"bench-agent-{number}", server.agent_secret) for number in range(_TYPISTS)]
            loop, heard, tally = Loop(), Heard(), Tally(answers_at_once=False)
            typists = [Typist(loop, server.port, agent, server.agent_secret) for agent in agents]
            echo = rest.register_agent("bench-echo", server.agent_secret)
            talker = User(loop, server.port, "v2", people[-1], rest.conversation(people[-1], echo), tally)
            speakers: list[Speaker] = [
                *typists, EchoAgent(loop, server.port, "v2", echo, server.agent_secret, tally), talker
            ]  # fmt: skip
            known: dict[bytes, Run] = {}
            watchers: list[list[Watcher]] = []
            begun: list[Run] = []
            for number, person in enumerate(people[:-1]):
                typist = typists[number % _TYPISTS]
                devices = [
                    Watcher(loop, server.port, person.token, f"device-{each}", known, heard)
                    for each in range(_WATCHERS)
                ]
                watchers.append(devices)
                speakers += devices
                run = typist.start(number, rest.conversation(person, agents[number % _TYPISTS]))
                known[run.id] = run
                begun.append(run)
            loop.run_for(_SETTLE_SECONDS)
            if sum(typist.started for typist in typists) != _RUNS:
                raise Broken("not every run has begun")
            self._watch(server, loop, begun, heard, talker, tally)
            loop.run_for(_SETTLE_SECONDS)
            for run, devices in zip(begun, watchers, strict=True):
                if not all(device.has(run) for device in devices):
                    raise Broken(f"a device has not been shown all of {run.id!r}")
                run.agent.finish(run)
            loop.run_for(_SETTLE_SECONDS)
            if sum(typist.finished for typist in typists) != _RUNS:
                raise Broken("not every run has ended")
            close_all(speakers)

    def _watch(self, server: Server, loop: Loop, runs: Sequence[Run], heard: Heard, talker: User, tally: Tally) -> None:
        result = self._begin(f"{_RUNS} runs of {_TOKENS_PER_SECOND:.0f} tokens/s, watched by {_WATCHERS} devices each")
        typing = Typing(loop, runs, _TOKENS_PER_SECOND)
        figures: dict[tuple[str, str], list[float]] = {}
        for window in range(2 * self.plan.windows + 1):
            is_typing = window % 2 == 1
            is_warm_up = window == 0
            typing.skip()
            began, cpu = time.perf_counter(), server.cpu_s()
            end = began + (self.plan.warm_up_seconds if is_warm_up else self.plan.seconds)
            ask_at = began
            while (now := time.perf_counter()) < end:
                if now >= ask_at:
                    talker.say(now)
                    ask_at += 1 / _MESSAGES_PER_SECOND
                wait = min(end, ask_at) - now
                if is_typing or is_warm_up:
                    typing.turn(wait)
                else:
                    loop.turn(max(0.0, wait))
            took, cpu = time.perf_counter() - began, server.cpu_s() - cpu
            loop.run_for(_SETTLE_SECONDS / 2)
            trips = tally.take()
            latencies, frames, tokens = heard.take()
            if is_warm_up:
                continue
            which = "while all of them go on" if is_typing else "while none goes on"
            found = {
                (f"round trip of a message {which}, p50", "ms"): percentile(trips, 0.5) * _MS,
                (f"round trip of a message {which}, p99", "ms"): percentile(trips, 0.99) * _MS,
                (f"server's core busy {which}", "%"): cpu / took * 100,
            }
            if is_typing:
                found |= {
                    ("tokens shown", "1/s"): tokens / took,
                    ("deltas shown", "1/s"): frames / took,
                    ("said to shown, p50", "ms"): percentile(latencies, 0.5) * _MS,
                    ("said to shown, p99", "ms"): percentile(latencies, 0.99) * _MS,
                    ("server CPU per delta and device", "us"): cpu / frames * 1e6,
                    ("server CPU per token and device", "us"): cpu / tokens * 1e6,
                }
            for figure, value in found.items():
                figures.setdefault(figure, []).append(value)
        for (name, unit), values in figures.items():
            result.add(name, unit, *values)

    # -- doing nothing ----------------------------------------------------

    def idle(self) -> None:
        """Memory per open socket, CPU per handshake, and one agent's presence told to all of them."""
        with self._server() as (server, rest):
            people = self._people(rest, _IDLE_PEOPLE)
            agent = rest.register_agent("bench-agent", server.agent_secret)
            loop = Loop()
            sockets: list[Speaker] = []
            loop.run_for(1.0)
            base = server.rss_bytes()
            for count in self.plan.idle_sockets:
                result = self._begin(f"{count:,} idle sockets (v1)")
                began, cpu, before = time.perf_counter(), server.cpu_s(), len(sockets)
                while len(sockets) < count:
                    number = len(sockets)
                    person = people[number % len(people)]
                    side = client_side("v1", person.token, f"device-{number // len(people)}")
                    sockets.append(Speaker(loop, server.port, "v1", *side))
                    if number % 200 == 0:
                        loop.turn(0)
                made = count - before
                result.add("CPU per handshake", "ms", (server.cpu_s() - cpu) / made * _MS)
                result.add("handshakes one after the other", "1/s", made / (time.perf_counter() - began))
                loop.run_for(2.0)
                result.add("RSS per socket", "KiB", (server.rss_bytes() - base) / count / _KIB)
                cpu = server.cpu_s()
                loop.run_for(self.plan.seconds)
                result.add("CPU of doing nothing", "%", (server.cpu_s() - cpu) / self.plan.seconds * 100)
                if count == self.plan.idle_sockets[0]:
                    self._presence(result, server, loop, sockets, agent)
            close_all(sockets)

    def _presence(self, result: Result, server: Server, loop: Loop, sockets: Sequence[Speaker], agent: str) -> None:
        medians: list[float] = []
        costs: list[float] = []
        for _ in range(self.plan.windows):
            for each in sockets:
                each.heard_at = 0.0
            cpu, began = server.cpu_s(), time.perf_counter()
            speaker = Speaker(loop, server.port, "v1", *agent_side("v1", agent, server.agent_secret))
            loop.run_for(1.0)
            delays = [each.heard_at - began for each in sockets if each.heard_at]
            if len(delays) != len(sockets):
                raise Broken(f"{len(delays)} of {len(sockets)} heard that the agent came")
            medians.append(percentile(delays, 0.5) * _MS)
            costs.append((server.cpu_s() - cpu) / len(sockets) * _MS * 1000)
            close_all([speaker])
            loop.run_for(1.0)
        result.add("an agent's coming told to all, p50", "ms", *medians)
        result.add("CPU per socket told", "µs", *costs)

    # -- asking -----------------------------------------------------------

    def rest(self) -> None:
        """Conversation lists and history pages, with a short and a long history."""
        with self._server() as (server, rest):
            person = rest.register("bench_reader")
            agent = rest.register_agent("bench-agent", server.agent_secret)
            place = rest.conversation(person, agent)
            stored = 0
            for wanted in self.plan.history:
                self._fill(server, person, agent, place, wanted - stored)
                stored = wanted
                result = self._begin(f"REST, {wanted:,} messages")
                pages = f"/conversations/{place}/messages?limit=50"
                for name, path in (("conversation list", "/conversations"), ("newest page of 50", pages)):
                    asks = request("GET", path, token=person.token)
                    self._ask(result, server, name, asks, _LISTS_AT_ONCE)

    def _fill(self, server: Server, person: Person, agent: str, place: str, count: int) -> None:
        """Store this many messages, half of them the agent's."""
        self.tell(f"storing {count:,} messages")
        loop, tally = Loop(), Tally(answers_at_once=False)
        echo = EchoAgent(loop, server.port, "v2", agent, server.agent_secret, tally)
        user = User(loop, server.port, "v2", person, place, tally)
        while tally.sent < count // 2:
            if tally.sent - tally.answered < 16:
                user.say(time.perf_counter())
            else:
                loop.turn(1.0)
        self._drain(loop, tally)
        close_all([user, echo])

    def _ask(self, result: Result, server: Server, name: str, asks: bytes, at_once: int) -> None:
        loop = Loop()
        askers = [Asker(loop, server.port, asks) for _ in range(at_once)]
        loop.run_for(self.plan.warm_up_seconds)
        rates: list[float] = []
        tails: list[float] = []
        costs: list[float] = []
        for _ in range(self.plan.windows):
            _forget(askers)
            began, cpu = time.perf_counter(), server.cpu_s()
            loop.run_for(self.plan.seconds)
            took, cpu = time.perf_counter() - began, server.cpu_s() - cpu
            latencies = _forget(askers)
            rates.append(len(latencies) / took)
            tails.append(percentile(latencies, 0.99) * _MS)
            costs.append(cpu / max(1, len(latencies)) * _MS)
        for asker in askers:
            asker.leave().close()
        result.add(name, "1/s", *rates)
        result.add(f"{name}, p99", "ms", *tails)
        result.add(f"{name}, CPU each", "ms", *costs)

    # -- signing in -------------------------------------------------------

    def login(self) -> None:
        """Sign-ins, and what they do to people who talk meanwhile at a moderate rate."""
        with self._server() as (server, rest):
            people = self._people(rest, 10)
            agents = [rest.register_agent("bench-agent", server.agent_secret)]
            with self._crowd(server, rest, "v2", people, agents) as (loop, users, tally):
                tally.answers_at_once = False
                pacing = _Pacing(loop, users, _TALK_DURING_LOGINS_PER_SECOND)
                result = self._begin("sign-ins")
                pacing.run_for(self.plan.warm_up_seconds)
                quiet = self._tails(tally, pacing)
                body = {"username": people[0].name, "password": PASSWORD}
                asks = request("POST", "/auth/login", body=body)
                askers = [Asker(loop, server.port, asks) for _ in range(_LOGINS_AT_ONCE)]
                pacing.run_for(self.plan.warm_up_seconds)
                _forget(askers)
                began, cpu = time.perf_counter(), server.cpu_s()
                busy = self._tails(tally, pacing)
                took, cpu = time.perf_counter() - began, server.cpu_s() - cpu
                logins = len(_forget(askers))
                for asker in askers:
                    asker.is_done = True
                loop.run_for(1.0)
                for asker in askers:
                    asker.leave().close()
                result.add(f"sign-ins, {_LOGINS_AT_ONCE} at once", "1/s", logins / took)
                result.add("CPU each, with the talk", "ms", cpu / max(1, logins) * _MS)
                result.add("round trip p99 before", "ms", *quiet)
                result.add("round trip p99 meanwhile", "ms", *busy)

    def _tails(self, tally: Tally, pacing: _Pacing) -> list[float]:
        tails = []
        tally.take()
        for _ in range(self.plan.windows):
            pacing.run_for(self.plan.seconds)
            tails.append(percentile(tally.take(), 0.99) * _MS)
        return tails


class _Pacing:
    """Lets one user after the other speak at a fixed rate."""

    # epoll waits in whole milliseconds, so for the last one the generator's core turns idly.
    _SPIN_SECONDS = 0.001

    def __init__(self, loop: Loop, users: Sequence[User], rate: float) -> None:
        self._loop = loop
        self._users = users
        self._step = 1 / rate
        self._due = time.perf_counter()
        self._next = 0

    def run_for(self, seconds: float) -> None:
        """Keep the pace for so long."""
        end = time.perf_counter() + seconds
        self._due = max(self._due, end - seconds - 1.0)
        while (now := time.perf_counter()) < end:
            while self._due <= now:
                self._users[self._next].say(self._due)
                self._next = (self._next + 1) % len(self._users)
                self._due += self._step
            left = self._due - now
            self._loop.turn(0 if left < self._SPIN_SECONDS else left - self._SPIN_SECONDS / 2)


def _forget(askers: Sequence[Asker]) -> list[float]:
    """All their latencies, which start anew."""
    taken: list[float] = []
    for asker in askers:
        taken += asker.latencies
        asker.latencies = []
    return taken
