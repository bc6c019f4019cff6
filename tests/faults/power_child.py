"""Runs under `power.c`: writes, and keeps an image of the disk for each acknowledgement; or dies at the n-th change.

Started by test_store_power.py with a command and a directory; prints one JSON line per finding.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sqlite3
import sys
from pathlib import Path

import trio

from amtrio.clock import SystemClock
from amtrio.errors import StorageUnavailable
from amtrio.store.chores import ChoreSettings
from amtrio.store.sqlite import StoreSettings, open_sqlite
from amtrio.store.thread import Inline
from tests.store.ledger import ALICE, Listener, bodies, post, prepare

POWER = ctypes.CDLL(None)
EAGER = StoreSettings(readers=1, chores=ChoreSettings(pause_seconds=0, checkpoint_bytes=1, reset_bytes=40_000))


def keep_image(disk: Path, image: Path) -> None:
    """What would be there after a power cut now."""
    shadow = Path(os.environ["POWER_SHADOW"])
    image.mkdir(parents=True)
    for line in (shadow / "names").read_text().splitlines():
        inode, name = line.split(" ", 1)
        synced = shadow / f"ino-{inode}"
        if synced.exists():
            shutil.copy(synced, image / name)
        else:
            (image / name).touch()  # the name is on disk, nothing of the content


async def acknowledge(disk: Path, images: Path) -> None:
    """Write in groups over two runs of the store; one image after every acknowledgement."""
    acked: list[str] = []

    def done(body: str) -> None:
        acked.append(body)
        keep_image(disk, images / f"{len(acked):03d}")
        print(json.dumps({"image": f"{len(acked):03d}", "acked": acked}))

    for run in range(2):
        async with open_sqlite(
            disk / "t.db", clock=SystemClock(), publish=Listener().publish, run=Inline, settings=EAGER
        ) as store:
            await store.write(prepare)

            async def client(run: int, client: int) -> None:
                for n in range(4):
                    body = f"{run}-{client}-{n}"
                    await store.write(post, body + "x" * 3000)
                    done(body)
                    await trio.sleep(0.001)  # lets the chores have their turn between the batches

            async with trio.open_nursery() as clients:
                for number in range(4):
                    clients.start_soon(client, run, number)
    print(json.dumps({"syncs": POWER.power_syncs()}))


def acknowledge_without_sync(disk: Path, images: Path) -> None:
    """The same with `synchronous=NORMAL`: the images must show the loss, or they prove nothing."""
    conn = sqlite3.connect(disk / "t.db", isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("CREATE TABLE entry (number INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    fd = os.open(disk, os.O_RDONLY)
    os.fsync(fd)
    conn.execute("PRAGMA synchronous = NORMAL")
    conn.execute("INSERT INTO entry (body) VALUES ('lost')")
    keep_image(disk, images / "001")
    print(json.dumps({"image": "001", "acked": ["lost"]}))


async def one_life(disk: Path, acked: Path) -> None:
    """Start, write, stop."""
    async with open_sqlite(disk / "t.db", clock=SystemClock(), publish=Listener().publish, run=Inline) as store:
        await store.write(prepare)
        for n in range(2):
            body = f"{os.getpid()}-{n}"
            await store.write(post, body)
            with acked.open("a") as file:
                file.write(body + "\n")


async def look(disk: Path) -> dict[str, object]:
    """Start on what is there."""
    async with open_sqlite(disk / "t.db", clock=SystemClock(), publish=Listener().publish, run=Inline) as store:
        await store.write(prepare)
        return {"epoch": store.epoch, "bodies": await store.read(bodies)}


def kill_everywhere(template: Path, disk: Path) -> None:
    """One life on a copy of `template` for each place where it can be killed; then what the next one finds."""
    acked = disk.parent / "acked"
    found = disk.parent / "found"
    for place in range(1, 1000):
        shutil.rmtree(disk, ignore_errors=True)
        shutil.copytree(template, disk)
        acked.write_text("")
        if (pid := os.fork()) == 0:
            POWER.power_kill_at(place)
            trio.run(one_life, disk, acked)
            os._exit(0)
        is_over = os.waitpid(pid, 0)[1] == 0
        if (pid := os.fork()) == 0:
            found.write_text(json.dumps(trio.run(look, disk)))
            os._exit(0)
        is_good = os.waitpid(pid, 0)[1] == 0
        result = json.loads(found.read_text()) if is_good else None
        print(json.dumps({"place": place, "acked": acked.read_text().split(), "found": result}))
        if is_over:
            return


async def refuse(disk: Path, fault: str) -> None:
    """Write while the disk fails, while it works again, and start once more on what is there."""
    listener = Listener()
    refused: list[str] = []
    async with open_sqlite(disk / "t.db", clock=SystemClock(), publish=listener.publish, run=Inline) as store:
        await store.write(prepare)
        await store.write(post, "before")
        POWER[fault](1)

        async def client(body: str) -> None:
            try:
                await store.write(post, body)
            except StorageUnavailable:
                refused.append(body)

        async with trio.open_nursery() as batch:
            for n in range(3):
                batch.start_soon(client, f"during {n}")
        health = store.health()
        await store.write(post, "after")
        print(
            json.dumps(
                {
                    "refused": sorted(refused),
                    "health": health,
                    "health_after": store.health(),
                    "bodies": await store.read(bodies),
                    "told": listener.seqs(ALICE),
                }
            )
        )
    print(json.dumps(await look(disk)))


def main() -> None:
    command, *paths = sys.argv[1:]
    match command:
        case "acknowledge":
            disk, images = map(Path, paths)
            trio.run(acknowledge, disk, images)
        case "acknowledge-without-sync":
            acknowledge_without_sync(*map(Path, paths))
        case "refuse":
            trio.run(refuse, Path(paths[0]), paths[1])
        case "kill-everywhere":
            kill_everywhere(*map(Path, paths))


if __name__ == "__main__":
    main()
