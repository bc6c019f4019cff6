"""A ZIP archive that is made while it is sent."""

from __future__ import annotations

import io
import zipfile

import pytest

from amtrio.media.archive import Archive

AT_US = 1_795_629_621_000_000


def test_members_come_out_as_they_went_in() -> None:
    """Taken away piece by piece; what was taken is not kept."""
    archive = Archive(at_us=AT_US)
    whole = bytearray()
    archive.add("one.txt", b"at once")
    archive.begin("two/\N{SNOWMAN}.txt")
    for number in range(100):
        archive.write(b"%d " % number * 1000)
        whole += archive.take()
    assert archive.take() == b""
    archive.begin("empty.txt")
    archive.close()
    archive.close()
    whole += archive.take()
    with zipfile.ZipFile(io.BytesIO(bytes(whole))) as read:
        assert read.testzip() is None
        assert read.namelist() == ["one.txt", "two/\N{SNOWMAN}.txt", "empty.txt"]
        assert read.read("one.txt") == b"at once"
        assert read.read("two/\N{SNOWMAN}.txt") == b"".join(b"%d " % number * 1000 for number in range(100))
        assert read.read("empty.txt") == b""
        assert {info.date_time for info in read.infolist()} == {(2026, 11, 25, 18, 0, 20)}


def test_an_archive_nobody_wants_any_more_is_closed_in_the_middle() -> None:
    archive = Archive(at_us=AT_US)
    archive.begin("x")
    archive.write(b"half")
    archive.close()


def test_nothing_is_written_outside_of_a_member() -> None:
    with pytest.raises(ValueError, match="no member"):
        Archive(at_us=AT_US).write(b"x")
