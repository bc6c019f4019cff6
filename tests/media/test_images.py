"""What an uploaded picture is, and what is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from amtrio.media.images import MAX_PIXELS, Picture, examine, is_picture
from tests.pictures import MAKER, animation, bomb, opened, picture


class Looked:
    """What `examine` made of some bytes."""

    def __init__(self, tmp_path: Path) -> None:
        self.source, self.small, self.clean = (tmp_path / name for name in ("source", "small", "clean"))

    async def at(self, data: bytes, content_type: str) -> Picture:
        self.source.write_bytes(data)
        return await examine(self.source, content_type, thumbnail=self.small, stripped=self.clean)


@pytest.fixture
def looked(tmp_path: Path) -> Looked:
    return Looked(tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_the_small_copy_stands_upright(looked: Looked, orientation: int) -> None:
    """As the same picture does that was turned by its pixels; and so does its size."""
    found = await looked.at(picture(size=(1200, 800), orientation=orientation), "image/jpeg")
    is_turned = orientation >= 5
    assert (found.width, found.height) == ((800, 1200) if is_turned else (1200, 800))
    small = opened(looked.small.read_bytes())
    assert max(small.size) == 512
    assert small.size == ((341, 512) if is_turned else (512, 341))
    red_corner = {1: (0, 0), 2: (1, 0), 3: (1, 0), 4: (0, 0), 5: (0, 0), 6: (0, 0), 7: (0, 1), 8: (0, 1)}[orientation]
    x, y = (10 if at == 0 else length - 10 for at, length in zip(red_corner, small.size, strict=True))
    red, _green, blue = small.convert("RGB").getpixel((x, y))  # type: ignore[misc]
    assert red > 150
    assert blue < 100
    assert MAKER.encode() not in looked.small.read_bytes()
    assert looked.small.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "BMP", "GIF"])
async def test_every_kind_that_browsers_show(looked: Looked, kind: str) -> None:
    found = await looked.at(picture(kind), f"image/{kind.lower()}")
    assert (found.is_whole, found.width, found.height, found.has_thumbnail) == (True, 80, 60, True)
    assert opened(looked.small.read_bytes()).size == (80, 60)


async def test_an_animation_has_its_first_frame_as_small_copy(looked: Looked) -> None:
    found = await looked.at(animation("GIF"), "image/gif")
    assert (found.width, found.has_thumbnail, found.is_stripped) == (40, True, False)


async def test_a_bomb_is_not_decoded(looked: Looked) -> None:
    """What would take gigabytes to show is a plain file."""
    assert 50_000 * 50_000 > MAX_PIXELS
    found = await looked.at(bomb(), "image/png")
    assert (found.is_whole, found.has_thumbnail, looked.small.exists()) == (False, False, False)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
async def test_no_broken_picture_does_harm(looked: Looked, kind: str) -> None:
    """Cut off anywhere or changed anywhere: an answer, and where it could not be read no small copy."""
    data = picture(kind, orientation=6) if kind != "GIF" else animation("GIF")
    cuts = [data[: len(data) * part // 12] for part in range(1, 12)]
    changed = [data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :] for at in range(0, len(data), len(data) // 40 + 1)]
    whole = 0
    for each in cuts + changed:
        looked.small.unlink(missing_ok=True)
        found = await looked.at(each, f"image/{kind.lower()}")
        assert found.has_thumbnail == looked.small.exists()
        whole += found.is_whole
    assert whole < len(cuts + changed)


async def test_a_type_is_decoded_as_that_type_alone(looked: Looked) -> None:
    """Bytes that say they are a JPEG wake no other decoder."""
    assert not (await looked.at(picture("BMP"), "image/jpeg")).is_whole


async def test_a_photo_that_nothing_here_decodes_is_stripped_all_the_same(looked: Looked) -> None:
    """HEIC has the containers of AVIF: what can be read of it is enough for the metadata."""
    found = await looked.at(picture("AVIF", orientation=6), "image/heic")
    assert (found.is_whole, found.width, found.has_thumbnail, found.is_stripped) == (True, None, False, True)
    assert MAKER.encode() not in looked.clean.read_bytes()


async def test_metadata_stays_if_that_is_wanted(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(picture(orientation=3))
    found = await examine(source, "image/jpeg", thumbnail=tmp_path / "small", stripped=None)
    assert (found.is_stripped, found.has_thumbnail) == (False, True)
    assert MAKER.encode() in source.read_bytes()


def test_pictures() -> None:
    assert is_picture("image/heic")
    assert not is_picture("image/tiff")
    assert not is_picture("text/plain")
