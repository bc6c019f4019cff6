"""Boot marks and epochs: a copy from another time or place is recognised, a stop and a crash are told apart.

Numbers in the names are the cases of amtrio/store/boot.py; tests/faults/test_store_power.py kills a process in each.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from amtrio.store.boot import Boot
from amtrio.store.problems import CorruptStore, MigrationRefused, MissingWal
from amtrio.store.sqlite import SqliteDatabase, open_sqlite
from amtrio.store.thread import Inline
from tests.store.ledger import Listener, StandingClock, bodies, post, prepare


async def run_once(home: Path, *words: str) -> tuple[str, list[str]]:
    """One start and clean stop; the epoch and what is stored."""
    async with open_sqlite(home / "t.db", clock=StandingClock(), publish=Listener().publish, run=Inline) as store:
        await store.write(prepare)
        for word in words:
            await store.write(post, word)
        return store.epoch, await store.read(bodies)


def copy_home(home: Path, to: Path, *left_out: str) -> Path:
    """What a kill would leave now, without some of the files. The index of the WAL is made anew in any case."""
    shutil.copytree(home, to, ignore=shutil.ignore_patterns("*-shm", *left_out))
    return to


def read_boot(home: Path) -> dict[str, object]:
    return dict(json.loads((home / "t.db.boot").read_text()))


async def test_the_epoch_stays_over_clean_stops(tmp_path: Path) -> None:
    """
    Cases 4, 7 to 9: numbers go on meaning the same.
    """
    epochs = {(await run_once(tmp_path, f"{n}"))[0] for n in range(3)}
    assert len(epochs) == 1
    assert read_boot(tmp_path)["running"] is False


async def test_the_epoch_stays_over_a_crash(tmp_path: Path, store: SqliteDatabase) -> None:
    """
    Case 4: the WAL is there, and with it everything acknowledged.
    """
    await store.write(post, "acknowledged")
    assert read_boot(tmp_path)["running"] is True
    crashed = copy_home(tmp_path, tmp_path / "crashed")
    assert await run_once(crashed) == (store.epoch, ["acknowledged"])


async def test_a_backup_that_is_put_back_begins_a_new_epoch(tmp_path: Path) -> None:
    """
    Cases 5 and 6: numbers given out since then will mean something else, so clients start over.
    """
    home = tmp_path / "home"
    epoch, _ = await run_once(home, "kept")
    shutil.copy(home / "t.db", tmp_path / "backup.db")
    await run_once(home, "lost")
    shutil.copy(tmp_path / "backup.db", home / "t.db")
    restored, words = await run_once(home)
    assert restored != epoch
    assert words == ["kept"]
    assert (await run_once(home))[0] == restored


async def test_a_backup_of_the_same_run_is_recognised_after_a_clean_stop(tmp_path: Path, store: SqliteDatabase) -> None:
    """
    A clean stop changes the mark, so even a copy made an hour before it passes for no original.
    """
    home = copy_home(tmp_path, tmp_path / "home")
    async with open_sqlite(home / "t.db", clock=StandingClock(), publish=Listener().publish, run=Inline) as running:
        await running.write(post, "kept")
        backup = copy_home(home, tmp_path / "backup")
        await running.write(post, "lost")
        epoch = running.epoch
    for name in ("t.db", "t.db-wal"):
        shutil.copy(backup / name, home / name)
    assert (await run_once(home))[0] != epoch


async def test_a_database_that_moved_without_its_file_begins_a_new_epoch(tmp_path: Path) -> None:
    """
    A copy on another machine is another history from now on.
    """
    epoch, _ = await run_once(tmp_path / "home", "kept")
    moved = copy_home(tmp_path / "home", tmp_path / "moved", "*.boot")
    assert (await run_once(moved))[0] != epoch


async def test_a_boot_file_that_cannot_be_read_begins_a_new_epoch(tmp_path: Path) -> None:
    """
    Unreadable is as good as missing, and no reason not to start.
    """
    epoch, _ = await run_once(tmp_path, "kept")
    (tmp_path / "t.db.boot").write_bytes(b"\xff{")
    assert (await run_once(tmp_path))[0] != epoch


async def test_a_missing_wal_after_a_crash_is_refused(tmp_path: Path, store: SqliteDatabase) -> None:
    """
    The text names the files and the way out; following it works, with a new epoch.
    """
    await store.write(post, "acknowledged")
    crashed = copy_home(tmp_path, tmp_path / "crashed", "*-wal")
    for _ in range(2):
        with pytest.raises(MissingWal, match=rf"{crashed}/t.db-wal is missing.*remove {crashed}/t.db.boot"):
            await run_once(crashed)
    (crashed / "t.db.boot").unlink()
    epoch, _ = await run_once(crashed)
    assert epoch != store.epoch


async def test_a_wal_without_its_database_is_not_thrown_away(tmp_path: Path, store: SqliteDatabase) -> None:
    """
    SQLite would delete it on opening; we refuse before.
    """
    await store.write(post, "acknowledged")
    crashed = copy_home(tmp_path, tmp_path / "crashed", "t.db")
    with pytest.raises(CorruptStore, match="Put the database file back"):
        await run_once(crashed)
    assert (crashed / "t.db-wal").stat().st_size > 0
    shutil.copy(tmp_path / "t.db", crashed / "t.db")
    assert await run_once(crashed) == (store.epoch, ["acknowledged"])


async def test_a_start_that_is_refused_after_a_crash_can_be_repeated(tmp_path: Path, store: SqliteDatabase) -> None:
    """
    Case 10: a refused start moves the WAL into the database when it closes, and says so first.
    """
    await store.write(post, "acknowledged")
    await store.write(lambda tx: tx.run("UPDATE schema_migration SET sha256 = 'edited' WHERE number = 1"))
    crashed = copy_home(tmp_path, tmp_path / "crashed")
    for _ in range(2):
        with pytest.raises(MigrationRefused):
            await run_once(crashed)
    assert read_boot(crashed)["running"] is False


def test_a_switch_whose_commit_failed_keeps_both_marks(path: Path) -> None:
    """Either may be in the database; trying again takes the same new mark, so the file does not grow."""
    path.with_name("t.db.boot").write_text('{"marks": ["old"], "running": true}')
    boot = Boot(path, StandingClock())
    first = boot.start_switch()
    assert boot.start_switch() == first
    assert read_boot(path.parent) == {"marks": ["old", first.new], "running": True}
    boot.finish_switch(first)
    assert read_boot(path.parent) == {"marks": [first.new], "running": True}
    assert Boot(path, StandingClock()).start_switch() != first


def test_the_boot_file_is_nobody_elses(path: Path) -> None:
    """It is written as a whole, and only its owner reads it."""
    boot = Boot(path, StandingClock())
    boot.finish_switch(boot.start_switch())
    assert path.with_name("t.db.boot").stat().st_mode & 0o777 == 0o600
    assert not path.with_name("t.db.boot.new").exists()


def test_saying_stopped_without_having_run_writes_nothing(path: Path) -> None:
    """A first start that is refused leaves no trace."""
    Boot(path, StandingClock()).say_stopped()
    assert not path.with_name("t.db.boot").exists()


def test_a_file_that_cannot_be_written_at_the_end_is_removed(path: Path) -> None:
    """A new epoch is safe; a WAL that seems missing would stop the next start."""
    boot = Boot(path, StandingClock())
    boot.finish_switch(boot.start_switch())
    path.with_name("t.db.boot.new").mkdir()  # nothing can be written under this name
    boot.say_stopped()
    assert not path.with_name("t.db.boot").exists()
