"""Keeping the place between two runs."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from amtrio.client.cursors import FileCursors, MemoryCursors, write_private
from amtrio.client.stream import Position


async def test_a_file_keeps_the_last_position(tmp_path: Path) -> None:
    """
    Another object on the same path reads what was saved; only the owner may read it.
    """
    path = tmp_path / "new" / "cursor.json"
    assert await FileCursors(path).load() is None
    await FileCursors(path).save(Position("e1", 7))
    await FileCursors(path).save(Position("e1", 8))
    assert await FileCursors(path).load() == Position("e1", 8)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["cursor.json"]


async def test_a_damaged_file_counts_as_none(tmp_path: Path) -> None:
    """
    The server knows where to go on.
    """
    path = tmp_path / "cursor.json"
    path.write_text('{"epoch": "e1"')
    assert await FileCursors(path).load() is None


async def test_memory_keeps_it_for_the_process() -> None:
    """
    Also what it was given at the start.
    """
    cursors = MemoryCursors(Position("e1", 1))
    assert await cursors.load() == Position("e1", 1)
    await cursors.save(Position("e1", 2))
    assert cursors.position == Position("e1", 2)


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    """
    The target is a folder: the rename fails, the half-made file goes.
    """
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_private(tmp_path / "taken", b"x")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]
