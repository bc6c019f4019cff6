"""The file of private keys."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from amtrio.client.vault_file import VaultFile, row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "demo.keys"


def count(file: VaultFile) -> int:
    with file.transaction() as connection:
        return int(row(connection, "SELECT count(*) FROM prekey")[0])


def test_only_its_owner_may_read_it(path: Path) -> None:
    """
    Nor its folder, nor what SQLite puts beside it; one that was open to others is closed.
    """
    path.parent.mkdir(mode=0o700)
    path.touch(0o644)
    file = VaultFile(path)
    with file.transaction() as connection:
        connection.execute("INSERT INTO prekey VALUES (?, ?)", (b"public", b"private"))
        modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    file.close()
    assert modes == {"demo.keys": 0o600, "demo.keys-journal": 0o600}


def test_what_is_done_in_a_transaction_that_fails_is_not_done(path: Path) -> None:
    """
    Whatever it fails by.
    """
    file = VaultFile(path)
    with pytest.raises(KeyError), file.transaction() as connection:
        connection.execute("INSERT INTO prekey VALUES (?, ?)", (b"public", b"private"))
        raise KeyError
    assert count(file) == 0
    file.close()


def test_it_is_there_again_when_it_is_opened_again(path: Path) -> None:
    """
    Also by another program at the same time.
    """
    file, same = VaultFile(path), VaultFile(path)
    with file.transaction() as connection:
        connection.execute("INSERT INTO prekey VALUES (?, ?)", (b"public", b"private"))
    assert count(same) == 1
    file.close()
    file.close()
    assert count(file) == 1
    file.close()
    same.close()


def test_a_file_that_is_none_or_of_a_newer_program_is_refused(path: Path) -> None:
    """
    And left as it is.
    """
    path.parent.mkdir()
    path.write_bytes(b"something else, long enough to have a header" * 10)
    with pytest.raises(sqlite3.DatabaseError), VaultFile(path).transaction():
        pass
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(sqlite3.DatabaseError, match="newer version"), VaultFile(path).transaction():
        pass
