"""A photo without what it says of its maker; its pixels bit by bit the same."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from amtrio.media.metadata import Unreadable, can_strip, strip
from tests.pictures import MAKER, animation, opened, picture

VECTORS = Path(__file__).parent.parent / "vectors" / "photos.json"
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}


def stripped(tmp_path: Path, data: bytes, kind: str, orientation: int = 1) -> bytes:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    strip(source, target, TYPES[kind], orientation)
    return target.read_bytes()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_only_how_to_turn_it_is_left(tmp_path: Path, kind: str, orientation: int) -> None:
    """Camera and place are gone, the pixels are the same, and it is turned as before."""
    data = picture(kind, orientation=orientation)
    assert MAKER.encode() in data
    found = stripped(tmp_path, data, kind, orientation)
    assert MAKER.encode() not in found
    before, after = opened(data), opened(found)
    assert before.tobytes() == after.tobytes()
    assert after.getexif().get(0x0112, 1) == orientation
    assert set(after.getexif()) <= {0x0112}
    assert not after.getexif().get_ifd(0x8825)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_colours_stay_true(tmp_path: Path, kind: str) -> None:
    """A colour profile says how it looks, not who made it."""
    data = picture(kind, orientation=1, icc_profile=b"profile" * 100)
    assert opened(stripped(tmp_path, data, kind)).info["icc_profile"] == b"profile" * 100


def test_progressive_pictures_and_comments(tmp_path: Path) -> None:
    """Several scans are walked through; a comment goes."""
    data = picture("JPEG", orientation=6, progressive=True, comment=b"taken at home")
    found = stripped(tmp_path, data, "JPEG", 6)
    assert opened(found).tobytes() == opened(data).tobytes()
    assert b"taken at home" not in found


def test_what_follows_the_picture_is_left_away(tmp_path: Path) -> None:
    """Phones put a second picture behind the first, with metadata of its own."""
    first = picture("JPEG", orientation=1)
    assert MAKER.encode() not in stripped(tmp_path, first + picture("JPEG", orientation=1), "JPEG")
    png = picture("PNG", orientation=1)
    assert MAKER.encode() not in stripped(tmp_path, png + png, "PNG")


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_animations_survive(tmp_path: Path, kind: str) -> None:
    """Every frame of them."""
    data = animation(kind)
    found = stripped(tmp_path, data, kind)
    assert MAKER.encode() in data
    assert MAKER.encode() not in found
    before, after = opened(data), opened(found)
    for number in range(3):
        before.seek(number)
        after.seek(number)
        assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()


@pytest.mark.parametrize("kind", TYPES)
def test_whatever_is_broken_is_refused_or_survives(tmp_path: Path, kind: str) -> None:
    """Cut off anywhere, or with one byte changed: an answer, and never another failure."""
    data = picture(kind, orientation=6)
    broken = [data[:end] for end in range(1, len(data), 7)]
    broken += [data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :] for at in range(0, min(len(data), 900), 3)]
    refused = 0
    for each in broken:
        try:
            stripped(tmp_path, each, kind, 6)
        except Unreadable:
            refused += 1
    assert refused > 0


def test_other_types_are_left_alone() -> None:
    assert not can_strip("image/gif")
    assert not can_strip("application/pdf")
    assert can_strip("image/heic")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_was_cut_off_loses_its_place_too(tmp_path: Path, kind: str) -> None:
    """Wherever it was cut: a download that broke off is uploaded as it is, with the camera's words at its beginning."""
    data = picture(kind, orientation=6)
    for end in (len(data) - 1, len(data) - 2, len(data) * 3 // 4, len(data) // 2, len(data) // 4):
        assert MAKER.encode() not in stripped(tmp_path, data[:end], kind, 6)


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text())["photos"], ids=lambda vector: vector["name"])
def test_the_web_chat_is_held_to_what_is_done_here(tmp_path: Path, vector: dict[str, Any]) -> None:
    """Photos in encrypted conversations lose the same in the browser, byte by byte."""
    data = base64.b64decode(vector["photo"])
    assert MAKER.encode() in data
    kind = next(kind for kind, content_type in TYPES.items() if content_type == vector["content_type"])
    found = stripped(tmp_path, data, kind, vector["orientation"])
    assert found == base64.b64decode(vector["stripped"])
    assert MAKER.encode() not in found
