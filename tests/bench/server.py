"""The server under test: a child process on a core of its own, and what the kernel says it uses.

Knows processes and /proc. Knows nothing of the protocol.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.loop import Broken

# Everything that refuses work is off: what is measured is the work.
_NO_LIMITS = {
    "MESSAGE_RATE_USER": "0",
    "MESSAGE_RATE_AGENT": "0",
    "EPHEMERAL_RATE": "0",
    "AUTH_RATE_LIMIT": "0",
    "AMTRIO_LIMITS_REQUESTS_PER_MINUTE": "0",
    "AMTRIO_LIMITS_FREE_REQUESTS_PER_MINUTE": "0",
    "AMTRIO_LIMITS_CONNECTIONS_PER_ACCOUNT": "0",
    "AMTRIO_LIMITS_CONNECTIONS_PER_ADDRESS": "0",
    "AMTRIO_LIMITS_CONNECTIONS": "0",
}
_START_WITHIN_SECONDS = 30.0
_STOP_WITHIN_SECONDS = 20.0
_OK = 200


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the server gets and which the generator; the same one, None, if there is only one."""

    server: int | None
    generator: int | None


def share_cores() -> Cores:
    """Pin this process to its core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return Cores(None, None)
    os.sched_setaffinity(0, {cores[-1]})
    return Cores(cores[0], cores[-1])


@dataclass(frozen=True, slots=True)
class Server:
    """
    A running one.

    Attributes:
        started_s: from starting the process to the first answer of /health.
    """

    pid: int
    port: int
    agent_secret: str
    started_s: float

    def cpu_s(self) -> float:
        """CPU seconds of all its threads, also of those that have ended."""
        # The kernel's name for another process's CPU clock (MAKE_PROCESS_CPUCLOCK in posix-timers.h): nanoseconds,
        # where /proc/PID/stat counts ticks of 10 ms.
        return time.clock_gettime((~self.pid << 3) | 2)

    def main_thread_cpu_s(self) -> float:
        """CPU seconds of its event loop."""
        return int(Path(f"/proc/{self.pid}/task/{self.pid}/schedstat").read_text().split()[0]) / 1e9

    def rss_bytes(self) -> int:
        """Resident memory now."""
        return self._memory("VmRSS:")

    def peak_rss_bytes(self) -> int:
        """The most it ever was."""
        return self._memory("VmHWM:")

    def _memory(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def environment_of(tree: Path | None) -> dict[str, str]:
    """The environment in which Python finds the amtrio of this checkout first."""
    return {**os.environ} if tree is None else {**os.environ, "PYTHONPATH": str(tree.resolve())}


@contextlib.contextmanager
def run_server(directory: Path, cores: Cores, tree: Path | None = None) -> Iterator[Server]:
    """
    Start a server with its data in `directory`; leaving stops it.

    Args:
        tree: the checkout it is of; this one unless said otherwise.

    Raises:
        Broken: it does not start or does not stop in time; the text ends with the last lines of its log.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    agent_secret = secrets.token_hex(16)
    environment = {
        **environment_of(tree),
        **_NO_LIMITS,
        "AGENT_SECRET": agent_secret,
        "LOG_FORMAT": "json",
    }
    command = [sys.executable, "-m", "amtrio", "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--data-dir", str(directory), "--db", str(directory / "amtrio.db")]
    journal = directory / "server.log"
    with journal.open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=tree,
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=None if cores.server is None else lambda: os.sched_setaffinity(0, {cores.server}),  # type: ignore[arg-type]  # noqa: PLW1509 - one thread here
        )
        try:
            _wait_for_health(process, port, began, journal)
            yield Server(process.pid, port, agent_secret, time.perf_counter() - began)
            if process.poll() is not None:
                raise Broken(f"the server ended by itself: {_end_of(journal)}")
        finally:
            _stop(process, journal)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_health(process: subprocess.Popen[bytes], port: int, began: float, journal: Path) -> None:
    while time.perf_counter() - began < _START_WITHIN_SECONDS:
        if process.poll() is not None:
            break
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            link.request("GET", "/health")
            if link.getresponse().status == _OK:
                return
        except OSError:
            pass
        finally:
            link.close()
        time.sleep(0.005)
    raise Broken(f"the server did not start: {_end_of(journal)}")


def _stop(process: subprocess.Popen[bytes], journal: Path) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Broken(f"the server did not stop: {_end_of(journal)}") from None


def _end_of(journal: Path) -> str:
    return "\n".join(journal.read_text(errors="replace").splitlines()[-10:])
