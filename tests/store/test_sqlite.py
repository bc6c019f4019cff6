"""Opening and closing the store: what is refused and how, and that leaving is orderly."""

# ruff: noqa: ASYNC240 - these tests look at files, and nothing runs meanwhile
from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from amtrio.errors import NotFound
from amtrio.store.database import Committed, Database, Tx
from amtrio.store.problems import CannotOpen, CorruptStore, ForeignStore, MigrationRefused, ReadOnlyStore, StoreLocked
from amtrio.store.sqlite import SqliteDatabase, _clear_error, open_sqlite
from amtrio.store.thread import Inline, OpenRunner, Thread
from tests.store.ledger import Listener, StandingClock, bodies, post, prepare

both = pytest.mark.parametrize("run", [Thread, Inline])


def start(path: Path, run: OpenRunner = Inline, publish: Callable[[Sequence[Committed]], None] | None = None) -> Any:
    return open_sqlite(path, clock=StandingClock(), publish=publish or Listener().publish, run=run)


async def refusal(path: Path, kind: type[CannotOpen]) -> str:
    """The text with which a start on `path` is refused."""
    with pytest.raises(kind) as refused:
        async with start(path):
            pytest.fail("opened")
    return str(refused.value)


async def test_it_is_a_database(store: SqliteDatabase) -> None:
    """
    For the type checker as for the reader.
    """
    database: Database = store
    assert database.health() == "ok"


async def test_a_second_process_is_refused(path: Path, store: SqliteDatabase) -> None:
    """
    Two writers on one file would number twice; the text says who has it.
    """
    program = (
        "import sys, trio; from pathlib import Path; from amtrio.clock import SystemClock\n"
        "from amtrio.store.sqlite import open_sqlite\n"
        "async def main():\n"
        "    async with open_sqlite(Path(sys.argv[1]), clock=SystemClock(), publish=print): pass\n"
        "trio.run(main)"
    )
    child = await trio.run_process(
        [sys.executable, "-c", program, str(path)],
        check=False,
        capture_stderr=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert child.returncode == 1
    assert f"StoreLocked: the database is in use by process {os.getpid()}" in child.stderr.decode()
    assert await store.write(post, "undisturbed") == 1


async def test_the_same_process_cannot_open_it_twice_either(path: Path, store: SqliteDatabase) -> None:
    """
    A lock of the file, not of the process.
    """
    assert "in use" in await refusal(path, StoreLocked)


async def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    """
    DB_PATH pointing at the wrong file must not destroy it.
    """
    path.write_bytes(b"Dear diary, " * 1000)
    assert "no SQLite database" in await refusal(path, CorruptStore)
    assert path.read_bytes() == b"Dear diary, " * 1000


async def test_another_programs_database_is_left_alone(path: Path) -> None:
    """
    Its tables are not ours to migrate.
    """
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE users (name TEXT)")
    other.close()
    content = path.read_bytes()
    assert "another program" in await refusal(path, ForeignStore)
    assert path.read_bytes() == content


async def test_a_damaged_file_is_refused_with_a_remedy(path: Path) -> None:
    """
    Healthy first bytes, garbage behind.
    """
    async with start(path) as store:
        await store.write(prepare)
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xa5" * 3996
    path.write_bytes(content)
    assert "Restore a backup" in await refusal(path, CorruptStore)


async def test_a_file_cut_short_is_refused(path: Path) -> None:
    """
    A copy that was interrupted lacks its end.
    """
    async with start(path) as store:
        await store.write(prepare)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert "is damaged" in await refusal(path, CorruptStore)


@pytest.mark.parametrize("what", ["file", "directory"])
async def test_data_that_may_not_be_written_says_who_must_own_it(path: Path, what: str) -> None:
    """
    Rights are checked by the kernel, so this runs as nobody when the tests run as root.
    """
    async with start(path) as store:
        await store.write(prepare)
    target = path if what == "file" else path.parent
    is_root = os.geteuid() == 0
    path.with_name("t.db.lock").chmod(0o666)
    path.with_name("t.db.boot").chmod(0o666)
    path.parent.chmod(0o777)
    path.chmod(0o666)
    target.chmod(0o444 if what == "file" else 0o555)
    try:
        if is_root:
            os.seteuid(65534)
        try:
            assert "must own it" in await refusal(path, ReadOnlyStore)
        finally:
            if is_root:
                os.seteuid(0)
    finally:
        target.chmod(0o755)
    async with start(path) as store:
        assert await store.write(post, "again") == 1


async def test_a_newer_database_is_refused_and_stays_as_it_is(path: Path) -> None:
    """
    Downgrades need a backup.
    """
    async with start(path) as store:

        def from_the_future(tx: Tx) -> None:
            tx.run("INSERT INTO schema_migration VALUES (:number, '9999_future.sql', 'x', 0)", number=9999)
            tx.run(
                "UPDATE schema_migration SET number = 1 + (SELECT count(*) FROM schema_migration WHERE number < 9999)"
                " WHERE number = 9999"
            )

        await store.write(from_the_future)
    assert "newer amtrio" in await refusal(path, MigrationRefused)
    assert "newer amtrio" in await refusal(path, MigrationRefused)


async def test_the_data_is_its_owners_alone(tmp_path: Path) -> None:
    """
    Messages and hashes: mode 0600, in a directory of mode 0700 if it has to be made.
    """
    path = tmp_path / "data" / "t.db"
    async with start(path) as store:
        await store.write(prepare)
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["t.db", "t.db-shm", "t.db-wal", "t.db.boot", "t.db.lock"]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


@both
async def test_a_clean_stop_leaves_one_file_with_everything(path: Path, run: OpenRunner) -> None:
    """
    No WAL remains to be forgotten by a copy.
    """
    async with start(path, run) as store:
        await store.write(prepare)
        await store.write(post, "kept")
    assert not path.with_name("t.db-wal").exists()
    conn = sqlite3.connect(path)
    assert conn.execute("SELECT body FROM ledger_entry").fetchall() == [("kept",)]
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    conn.close()


@both
async def test_leaving_while_cancelled_commits_what_was_handed_over(path: Path, run: OpenRunner) -> None:
    """
    Shutdown cancels everything around the store, and the store still ends in order.
    """
    answers: list[Any] = []
    with trio.CancelScope() as scope:
        async with start(path, run) as store:
            await store.write(prepare)
            for n in range(20):
                store.submit(post, (f"{n}",), answers.append)
            scope.cancel()
            await trio.sleep_forever()
    assert [answer.unwrap() for answer in answers] == list(range(1, 21))
    async with start(path, run) as store:
        assert len(await store.read(bodies)) == 20


@both
async def test_a_session_that_ends_under_cancellation_can_still_write(path: Path, run: OpenRunner) -> None:
    """
    A shielded last write inside the store is served until the store itself is left.
    """
    async with start(path, run) as store:
        await store.write(prepare)
        async with trio.open_nursery() as sessions:

            async def session(name: str) -> None:
                try:
                    await trio.sleep_forever()
                finally:
                    with trio.move_on_after(1, shield=True):
                        await store.write(post, f"last seen {name}")

            for name in "abc":
                sessions.start_soon(session, name)
            await trio.testing.wait_all_tasks_blocked()
            sessions.cancel_scope.cancel()
        assert sorted(await store.read(bodies)) == ["last seen a", "last seen b", "last seen c"]


@both
async def test_a_data_path_that_breaks_stops_everything_inside(path: Path, run: OpenRunner) -> None:
    """
    Publishing fails: what was committed stays acknowledged, the error comes out, waiters are not left hanging.
    """

    def publish(_: Sequence[Committed]) -> None:
        raise RuntimeError("the hub is broken")

    story: list[str] = []
    with pytest.raises(RuntimeError, match="the hub is broken"):
        async with start(path, run, publish) as store:
            await store.write(prepare)
            try:
                await store.write(post, "committed")
                story.append("acknowledged")
                await trio.sleep_forever()
            finally:
                story.append("cancelled")
    assert story == ["acknowledged", "cancelled"]
    async with start(path, run) as store:
        assert await store.read(bodies) == ["committed"]


@both
async def test_an_error_inside_comes_out_as_it_is(path: Path, run: OpenRunner) -> None:
    """
    Not wrapped in the groups of the store's own nurseries; and the file is free again.
    """
    with pytest.raises(NotFound, match="inside"):
        async with start(path, run):
            raise NotFound("inside")
    with pytest.raises(ExceptionGroup) as group:
        async with start(path, run):
            raise ExceptionGroup("two", [NotFound("one"), NotFound("two")])
    assert len(group.value.exceptions) in {1, 2}
    async with start(path, run) as store:
        assert store.health() == "ok"


async def test_a_directory_is_no_database(path: Path) -> None:
    """
    What the kernel says comes with the path.
    """
    path.mkdir()
    assert f"Is a directory ({path})" in await refusal(path, CannotOpen)


def test_what_sqlite_says_at_the_start_gets_a_remedy(path: Path) -> None:
    """Those that no test can bring about here; the translation by itself."""
    texts = {}
    for name, code in {"full": 13, "busy": 5, "io": 10, "readonly": 8}.items():
        error = sqlite3.OperationalError(name)
        error.sqlite_errorcode = code
        error.sqlite_errorname = f"SQLITE_{name.upper()}"
        texts[name] = _clear_error(path, error)
    assert "Free some" in str(texts["full"])
    assert isinstance(texts["busy"], StoreLocked)
    assert isinstance(texts["readonly"], ReadOnlyStore)
    assert "SQLITE_IO" in str(texts["io"])
