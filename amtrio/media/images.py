"""What an uploaded picture is: its size as shown, a small copy, itself without metadata.

The only file that imports Pillow. Works on paths, in a thread; knows no upload and no database.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import structlog
import trio
from PIL import Image

from amtrio.media.metadata import Unreadable, can_strip, strip

log = structlog.stdlib.get_logger(__name__)

# Decoded a pixel takes four bytes: 64 million are 256 MiB, and more than the cameras of most phones make.
MAX_PIXELS: Final = 64_000_000
THUMBNAIL_PIXELS: Final = 512
THUMBNAIL_TYPE: Final = "image/webp"
# What a browser shows and Pillow's own decoders read. HEIC has none; it is stored and shown by those who can.
_FORMATS: Final = {
    "image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP", "image/avif": "AVIF",
    "image/bmp": "BMP",
}  # fmt: skip
_ORIENTATION: Final = 0x0112
# EXIF's numbers, and what makes such a picture stand upright.
_TURNS: Final[dict[int, Image.Transpose | None]] = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TURNED: Final = range(5, 9)
# Our own limit is below; the library's would warn from half of it on.
Image.MAX_IMAGE_PIXELS = None
# One at a time: a picture may take the memory of all pixels, and a queue of them all the processors.
_one_picture = trio.CapacityLimiter(1)


@dataclass(frozen=True, slots=True)
class Picture:
    """
    What was found.

    Attributes:
        is_whole: it could be decoded and is no larger than `MAX_PIXELS`; others are not to be shown.
        width, height: as shown, after turning.
        is_stripped: the copy without metadata was written.
    """

    is_whole: bool
    width: int | None = None
    height: int | None = None
    has_thumbnail: bool = False
    is_stripped: bool = False


def is_picture(content_type: str) -> bool:
    """Whether `examine` has something to say of it."""
    return content_type in _FORMATS or can_strip(content_type)


async def examine(source: Path, content_type: str, *, thumbnail: Path, stripped: Path | None) -> Picture:
    """
    Look at a picture and write its small copy.

    Args:
        stripped: where to write it without metadata; None to leave it as it is.

    Raises:
        OSError: the disk refused. A picture that is broken is an answer, not a failure.
    """
    return await trio.to_thread.run_sync(_examine, source, content_type, thumbnail, stripped, limiter=_one_picture)


def _examine(source: Path, content_type: str, thumbnail: Path, stripped: Path | None) -> Picture:
    size, orientation, small = (0, 0), 1, None
    is_whole = content_type not in _FORMATS
    try:
        if content_type in _FORMATS:
            size, orientation, small = _decoded(source, _FORMATS[content_type])
            is_whole = True
    except Exception as exc:  # noqa: BLE001 - decoders meet what strangers send with whatever they happen to raise
        log.debug("picture_unreadable", content_type=content_type, error=repr(exc)[:200])
    is_stripped = False
    if stripped is not None and can_strip(content_type):
        try:
            strip(source, stripped, content_type, orientation)
            is_stripped = True
        except Unreadable:
            is_whole = False
            stripped.unlink(missing_ok=True)
    if small is None or not is_whole:
        return Picture(is_whole=is_whole, is_stripped=is_stripped)
    thumbnail.write_bytes(small)
    thumbnail.chmod(0o600)
    width, height = size[::-1] if orientation in _TURNED else size
    return Picture(is_whole, width, height, has_thumbnail=True, is_stripped=is_stripped)


def _decoded(source: Path, format_name: str) -> tuple[tuple[int, int], int, bytes]:
    """Size and orientation as the file has them, and the small copy, upright and without metadata."""
    # Only this decoder: a file that says it is a JPEG is not to wake any other.
    with Image.open(source, formats=(format_name,)) as image:
        size = image.size
        if size[0] * size[1] > MAX_PIXELS:
            raise ValueError("too many pixels")
        orientation = image.getexif().get(_ORIENTATION, 1)
        if orientation not in _TURNS:
            orientation = 1
        image.draft("RGB", (THUMBNAIL_PIXELS * 2, THUMBNAIL_PIXELS * 2))
        image.load()
        small = image.convert("RGBA" if image.has_transparency_data else "RGB")
        small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
        turn = _TURNS[orientation]
        upright = small.transpose(turn) if turn is not None else small
        out = BytesIO()
        profile = image.info.get("icc_profile") or b""
        upright.save(out, "WEBP", quality=80, exif=b"", xmp=b"", icc_profile=profile)
        return size, orientation, out.getvalue()
