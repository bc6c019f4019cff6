"""`python -m tests.bench`: measure a server on one core with a generator on another.

Knows the command line and what the machine is.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import resource
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tests.bench.against import Versus
from tests.bench.loop import Broken
from tests.bench.report import as_json, show
from tests.bench.scenarios import FULL, QUICK, Bench
from tests.bench.server import share_cores

_SYNCS = 200


def main(
    quick: Annotated[bool, typer.Option("--quick", help="About a minute: fewer, smaller, shorter.")] = False,  # noqa: FBT002
    only: Annotated[
        list[str] | None, typer.Option(help="start, v1, v2, runs, idle, rest, login; may be repeated.")
    ] = None,
    crowd: Annotated[str | None, typer.Option(help="One crowd only: USERS,AGENTS,IN_FLIGHT.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of a window.")] = None,
    windows: Annotated[int | None, typer.Option(help="How many windows.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the servers keep their data: the disk matters.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="Compare with this other checkout, v1 and v2, in as many pairs as windows.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write every window to this file.")] = None,
) -> None:
    """
    Measure a server of this tree: median (least-most) of several windows.

    Wall-clock figures depend on the machine and on what else it does; the CPU per message hardly does.
    """
    console = Console()
    plan = QUICK if quick else FULL
    if crowd is not None:
        users, agents, in_flight = map(int, crowd.split(","))
        plan = replace(plan, crowds=((users, agents, in_flight),))
    plan = replace(plan, seconds=seconds or plan.seconds, windows=windows or plan.windows)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="amtrio-bench-", dir=data_dir) as directory:

        def tell(text: str) -> None:
            console.print(f"  {text}", style="dim")

        if against is None:
            bench = Bench(plan, Path(directory), share_cores(), tell)
        else:
            bench = Versus(plan, Path(directory), share_cores(), tell, other=against.resolve())
        machine = _machine(Path(directory))
        # Long-lived and free of cycles; collections would only make the generator stumble.
        gc.collect()
        gc.freeze()
        failure = ""
        try:
            scenarios = bench.scenarios()
            for name in only or scenarios:
                scenarios[name]()
        except (Broken, KeyError) as exc:
            failure = f"{type(exc).__name__}: {exc}"
        show(console, machine, bench.results)
        if json_file is not None:
            json_file.write_text(json.dumps(as_json(machine, bench.results), indent=1) + "\n")
        if failure:
            console.print(f"stopped: {failure}", style="bold red", markup=False)
            raise typer.Exit(1)


def _machine(directory: Path) -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "Python": platform.python_version(),
        "load before": round(os.getloadavg()[0], 2),
        "file system": _file_system(directory),
        "fdatasync ms": round(_sync_ms(directory), 3),
    }


def _file_system(directory: Path) -> str:
    """The kind of the mount that holds it: on tmpfs a commit costs nothing."""
    path = directory.resolve()
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    return max((mount for mount in mounts if path.is_relative_to(mount[0])), key=lambda mount: len(mount[0]))[1]


def _sync_ms(directory: Path) -> float:
    """What the disk takes to make 4 KiB durable, median."""
    times = []
    with (directory / "sync").open("wb") as file:
        for _ in range(_SYNCS):
            file.write(b"." * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


if __name__ == "__main__":
    typer.run(main)
