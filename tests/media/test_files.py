"""Files written whole or not at all."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from amtrio.media.files import PIECE_BYTES, Files

NAME = "att_" + "0" * 28 + "cdab"


def everything(root: Path) -> list[Path]:
    return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())


async def store(files: Files, name: str, data: bytes) -> str:
    async with files.incoming(name) as part:
        await part.write(data)
        await part.keep()
    return part.sha256


async def collected(files: Files, name: str, start: int, stop: int) -> bytes:
    return b"".join([piece async for piece in files.read(name, start, stop)])


async def test_a_kept_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """In a folder named by its last digits, for its owner alone; whole or in part."""
    files, data = Files(tmp_path), bytes(range(256)) * 3000
    async with files.incoming(NAME) as part:
        for at in range(0, len(data), 100_000):
            await part.write(data[at : at + 100_000])
        assert (part.size, part.head) == (len(data), data[:4096])
        await part.keep()
    assert part.sha256 == hashlib.sha256(data).hexdigest()
    path = files.path(NAME)
    assert path.relative_to(tmp_path) == Path("ab/cd", NAME)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(data) > PIECE_BYTES
    assert await collected(files, NAME, 0, len(data)) == data
    assert await collected(files, NAME, 255, 259) == b"\xff\x00\x01\x02"
    assert await collected(files, NAME, 5, 5) == b""
    assert (await files.size(NAME), await files.size(NAME[:-1] + "c")) == (len(data), None)
    assert await files.names() == [NAME]


@pytest.mark.parametrize("step", ["open", "written", "thumbnail", "stripped", "raised", "cancelled"])
async def test_what_is_not_kept_leaves_nothing(tmp_path: Path, step: str) -> None:
    """Wherever it ends."""
    files = Files(tmp_path)
    with trio.CancelScope() as scope, suppress(OSError):
        async with files.incoming(NAME) as part:
            if step != "open":
                await part.write(b"abc")
            if step == "thumbnail":
                part.thumbnail_path.write_bytes(b"small")
            if step == "stripped":
                part.stripped_path.write_bytes(b"ab")
            if step == "raised":
                raise OSError("disk")
            if step == "cancelled":
                scope.cancel()
                await trio.sleep_forever()
    assert everything(tmp_path) == []


async def test_a_thumbnail_is_kept_and_removed_with_its_file(tmp_path: Path) -> None:
    files = Files(tmp_path)
    async with files.incoming(NAME) as part:
        await part.write(b"large")
        part.thumbnail_path.write_bytes(b"small")
        await part.keep()
    assert sorted(await files.names()) == [NAME, f"{NAME}.thumbnail"]
    assert await collected(files, f"{NAME}.thumbnail", 0, 5) == b"small"
    await files.remove(NAME, f"{NAME}.thumbnail")
    await files.remove(NAME, "att_" + "1" * 32)
    assert everything(tmp_path) == []


async def test_the_stripped_copy_takes_the_place_of_what_came(tmp_path: Path) -> None:
    """Size and digest are its own."""
    files = Files(tmp_path)
    async with files.incoming(NAME) as part:
        await part.write(b"photo with place")
        part.stripped_path.write_bytes(b"photo")
        part.take_stripped()
        await part.keep()
    assert (part.size, part.sha256) == (5, hashlib.sha256(b"photo").hexdigest())
    assert await collected(files, NAME, 0, 99) == b"photo"
    assert everything(tmp_path) == [Path("ab/cd", NAME)]


async def test_a_start_clears_what_a_crash_left(tmp_path: Path) -> None:
    """Whole files stay; so does what is not ours."""
    files = Files(tmp_path)
    await store(files, NAME, b"whole")
    incoming = tmp_path / "incoming"
    for name in (f"att_{'1' * 32}", f"att_{'1' * 32}.stripped", f"att_{'1' * 32}.thumbnail", "notes.txt"):
        (incoming / name).write_bytes(b"half")
    (tmp_path / "ab" / "cd" / "notes.txt").write_bytes(b"others'")
    (tmp_path / "ab" / "cd" / f"att_{'2' * 32}").write_bytes(b"not where ours would be")
    assert await files.clear_incoming() == 3
    assert (incoming / "notes.txt").exists()
    assert await files.names() == [NAME]
    assert await Files(tmp_path / "new").clear_incoming() == 0
    assert await Files(tmp_path / "new").names() == []


async def test_a_file_that_is_being_read_may_go(tmp_path: Path) -> None:
    """Its reader gets it to the end."""
    files, data = Files(tmp_path), bytes(PIECE_BYTES * 2)
    await store(files, NAME, data)
    reading = files.read(NAME, 0, len(data))
    first = await anext(reading)
    await files.remove(NAME)
    assert first + b"".join([piece async for piece in reading]) == data
