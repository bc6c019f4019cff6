"""The lock file: one holder, named, and gone with its process (tests/faults/test_store_power.py kills one)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amtrio.store.lockfile import hold_lock
from amtrio.store.problems import ReadOnlyStore, StoreLocked


def test_a_second_holder_is_told_who_has_it(tmp_path: Path) -> None:
    """The text names the process and the file."""
    lock = tmp_path / "t.db.lock"
    with hold_lock(lock), pytest.raises(StoreLocked, match=f"process {os.getpid()}.*{lock}"), hold_lock(lock):
        pytest.fail("held twice")


def test_the_lock_is_free_afterwards(tmp_path: Path) -> None:
    """Also after an error; the file itself stays."""
    lock = tmp_path / "t.db.lock"
    with pytest.raises(ValueError, match="oops"), hold_lock(lock):
        raise ValueError("oops")
    with hold_lock(lock):
        assert lock.read_text() == f"{os.getpid()}\n"
    assert lock.exists()


def test_whoever_fails_to_get_it_leaves_the_holders_name(tmp_path: Path) -> None:
    """A third process still learns who holds it."""
    lock = tmp_path / "t.db.lock"
    with hold_lock(lock):
        for _ in range(2):
            with pytest.raises(StoreLocked, match=f"process {os.getpid()}"), hold_lock(lock):
                pytest.fail("held twice")


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Anything but missing rights is left as the kernel says it."""
    with pytest.raises(FileNotFoundError), hold_lock(tmp_path / "nowhere" / "lock"):
        pytest.fail("held")


def test_a_lock_that_may_not_be_written_says_who_must_own_it(tmp_path: Path) -> None:
    """Rights are checked by the kernel, so this runs as nobody when the tests run as root."""
    tmp_path.chmod(0o555)
    try:
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        try:
            with pytest.raises((ReadOnlyStore), match="must own"), hold_lock(tmp_path / "lock"):
                pytest.fail("held")
        finally:
            if is_root:
                os.seteuid(0)
    finally:
        tmp_path.chmod(0o755)
