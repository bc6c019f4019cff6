"""Fixtures for tests of the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from amtrio.store.connection import SqliteTx, connect
from amtrio.store.migrate import load_migrations, migrate
from amtrio.store.sqlite import SqliteDatabase, open_sqlite
from amtrio.store.thread import Inline
from tests.store.ledger import Listener, StandingClock, prepare


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def store(path: Path, clock: StandingClock, listener: Listener) -> AsyncIterator[SqliteDatabase]:
    async with open_sqlite(path, clock=clock, publish=listener.publish, run=Inline) as store:
        await store.write(prepare)
        yield store


@pytest.fixture
def tx(path: Path, clock: StandingClock) -> Iterator[SqliteTx]:
    """A transaction on a database with all tables and two accounts; it ends with the test."""
    conn = connect(path)
    migrate(conn, load_migrations(), clock)
    conn.execute("BEGIN")
    tx = SqliteTx(conn, clock.now_us())
    prepare(tx)
    yield tx
    conn.close()
