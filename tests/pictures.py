"""Pictures for tests, made on the spot: with a camera's metadata, animated, broken."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

MAKER = "Camera of a secret place"


def picture(
    kind: str = "JPEG", *, size: tuple[int, int] = (80, 60), orientation: int | None = None, **how: Any
) -> bytes:
    """A red left half and a blue right one; with an orientation also what a camera says of itself."""
    image = Image.new("RGB", size, (220, 20, 20))
    image.paste((20, 20, 220), (size[0] // 2, 0, *size))
    out = io.BytesIO()
    if orientation is not None:
        exif = image.getexif()
        exif[0x0112], exif[0x010F] = orientation, MAKER
        exif.get_ifd(0x8825)[1] = "N"
        how |= {"exif": exif}
    image.save(out, kind, **how)
    return out.getvalue()


def animation(kind: str, frames: int = 3) -> bytes:
    """Some frames of different colours."""
    first, *rest = (Image.new("RGB", (40, 30), (80 * n, 255 - 80 * n, 0)) for n in range(frames))
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = MAKER
    how = {} if kind == "GIF" else {"exif": exif}
    first.save(out, kind, save_all=True, append_images=rest, duration=100, loop=0, **how)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """Decoded to the end."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A PNG of a few bytes that says it is enormous."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")
