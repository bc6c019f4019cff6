"""A photo without what it says of its maker: place, camera, time, programs. Pixels stay as they are, bit by bit.

Rewrites the containers of JPEG, PNG and WebP segment by segment; in HEIC and AVIF, where everything else would move,
the metadata is overwritten in place. How the picture has to be turned is the one thing kept. Knows files; decodes
nothing.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

# What may come after the picture and is not part of it (a second picture with its own EXIF, a film) is left away.
_UPRIGHT: Final = 1
_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_PNG_DROPPED: Final = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"})
_WEBP_DROPPED: Final = frozenset({b"EXIF", b"XMP "})
_WEBP_HAS_EXIF, _WEBP_HAS_XMP = 0x08, 0x04
_MARK: Final = 0xFF
_EOI, _SOS, _APP0, _APP2, _APP14, _APP15, _COM = 0xD9, 0xDA, 0xE0, 0xE2, 0xEE, 0xEF, 0xFE
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})


class Unreadable(Exception):
    """The container is not built as its type says."""


Data = mmap.mmap
Range = tuple[int, int] | bytes


def can_strip(content_type: str) -> bool:
    """Whether `strip` knows this type."""
    return content_type in _WRITERS or content_type in _BLANKED


def strip(source: Path, target: Path, content_type: str, orientation: int) -> None:
    """
    Write a copy without metadata.

    Args:
        orientation: EXIF's number for how it has to be turned, 1 if it stands upright; ignored where the container
            itself says so (HEIC, AVIF).

    Raises:
        Unreadable: broken. OSError: the disk refused.
    """
    if content_type in _BLANKED:
        shutil.copyfile(source, target)
        with target.open("r+b") as copy, mmap.mmap(copy.fileno(), 0) as data:
            _guarded(lambda: _blank(data))
        return
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        parts = _guarded(lambda: list(_WRITERS[content_type](data, orientation)))
        with target.open("wb") as out:
            for part in parts:
                if isinstance(part, bytes):
                    out.write(part)
                else:
                    with memoryview(data) as view, view[part[0] : part[1]] as piece:
                        out.write(piece)


def _guarded(work: Callable[[], list[Range] | None]) -> list[Range]:
    try:
        return work() or []
    except (IndexError, ValueError, struct.error) as exc:
        raise Unreadable from exc


def _exif(orientation: int) -> bytes:
    """A TIFF directory with the orientation and nothing else."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


# ---------------------------------------------------------------------------------------------------------------- JPEG


def _jpeg(data: Data, orientation: int) -> Iterator[Range]:
    if data[:2] != b"\xff\xd8":
        raise Unreadable
    yield b"\xff\xd8"
    if orientation != _UPRIGHT:
        body = b"Exif\0\0" + _exif(orientation)
        yield b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    at = 2
    # A picture that was cut off has no end mark, and its maker's place all the same.
    while at + 4 <= len(data) or data[at:] == b"\xff\xd9":
        if data[at] != _MARK:
            raise Unreadable
        while data[at + 1] == _MARK:  # any number of fill bytes
            at += 1
        marker = data[at + 1]
        if marker == _EOI:
            yield b"\xff\xd9"
            return
        if marker in _ALONE:
            yield (at, at + 2)
            at += 2
            continue
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if marker == _SOS:
            end = _end_of_scan(data, end)
        if _is_kept(marker, data, at):
            yield (at, min(end, len(data)))
        at = end


def _is_kept(marker: int, data: Data, at: int) -> bool:
    if marker == _APP2:
        return data[at + 4 : at + 15] == b"ICC_PROFILE"
    return marker in {_APP0, _APP14} or not (_APP0 < marker <= _APP15 or marker == _COM)


def _end_of_scan(data: Data, at: int) -> int:
    """Where the next marker is; a picture that was cut off ends here."""
    while (at := data.find(b"\xff", at)) >= 0:
        if at + 1 == len(data):
            break
        following = data[at + 1]
        if following == _MARK:
            at += 1
        elif following == 0 or following in _ALONE:
            at += 2
        else:
            return at
    return len(data)


# ----------------------------------------------------------------------------------------------------------- PNG, WebP


def _png(data: Data, orientation: int) -> Iterator[Range]:
    if data[:8] != _PNG_MAGIC:
        raise Unreadable
    yield _PNG_MAGIC
    at = len(_PNG_MAGIC)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = min(at + 12 + length, len(data))  # one that was cut off ends where it was cut
        if kind not in _PNG_DROPPED:
            yield (at, end)
        if kind == b"IHDR" and orientation != _UPRIGHT:
            chunk = b"eXIf" + _exif(orientation)
            yield struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        if kind == b"IEND":
            return
        at = end


def _webp(data: Data, orientation: int) -> Iterator[Range]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise Unreadable
    stop = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    parts: list[Range] = []
    size, at = 4, 12
    is_extended = data[12:16] == b"VP8X"
    while at + 8 <= stop:
        kind, length = struct.unpack_from("<4sI", data, at)
        end = min(at + 8 + length + length % 2, len(data))
        if kind == b"VP8X":
            flags = data[at + 8] & ~(_WEBP_HAS_EXIF | _WEBP_HAS_XMP)
            flags |= _WEBP_HAS_EXIF if orientation != _UPRIGHT else 0
            parts += [(at, at + 8), bytes([flags]), (at + 9, end)]
            size += end - at
        elif kind not in _WEBP_DROPPED:
            parts.append((at, end))
            size += end - at
        at = end
    if is_extended and orientation != _UPRIGHT:
        body = _exif(orientation)
        chunk = b"EXIF" + struct.pack("<I", len(body)) + body
        parts.append(chunk)
        size += len(chunk)
    yield b"RIFF" + struct.pack("<I", size) + b"WEBP"
    yield from parts


# ---------------------------------------------------------------------------------------------------------- HEIC, AVIF


# How far it is to the directory, then one without entries (ISO 23008-12, A.2.1).
_NO_EXIF: Final = struct.pack(">I2sHIHI", 0, b"MM", 42, 8, 0, 0)


def _boxes(data: Data, at: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, start of the body and end of each box (ISO 14496-12, 4.2)."""
    while at + 8 <= stop:
        size, kind = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if size == 1:
            size, body = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        elif size == 0:
            size = stop - at
        if size < body - at or at + size > stop:
            raise Unreadable
        yield kind, body, at + size
        at += size


def _blank(data: Data) -> None:
    """Put an empty directory where an item is EXIF, and blanks where one is XMP."""
    found = [each for each in _boxes(data, 0, len(data)) if each[0] == b"meta"]
    for _kind, at, stop in found:
        boxes = {kind: (body, end) for kind, body, end in _boxes(data, at + 4, stop)}
        if b"iinf" not in boxes or b"iloc" not in boxes:
            continue
        items = _metadata_items(data, *boxes[b"iinf"])
        within = boxes.get(b"idat", (0, 0))[0]
        for item, start, end in list(_extents(data, boxes[b"iloc"][0], set(items), within)):
            if not 0 <= start <= end <= len(data):
                raise Unreadable
            length = end - start
            data[start:end] = b" " * length if items[item] == b"mime" else _NO_EXIF[:length].ljust(length, b"\0")


def _metadata_items(data: Data, at: int, stop: int) -> dict[int, bytes]:
    version = data[at]
    at += 6 if version == 0 else 8
    items = {}
    for kind, body, _end in _boxes(data, at, stop):
        entry_version = data[body]
        if kind != b"infe" or entry_version < 2:  # noqa: PLR2004 - older entries have no item type
            continue
        wide = entry_version > 2  # noqa: PLR2004
        number = struct.unpack_from(">I" if wide else ">H", data, body + 4)[0]
        name_at = body + (10 if wide else 8)
        if (name := data[name_at : name_at + 4]) in {b"Exif", b"mime"}:
            items[number] = name
    return items


def _extents(data: Data, at: int, items: set[int], idat: int) -> Iterator[tuple[int, int, int]]:
    """The number, start and end of each piece of these items (ISO 14496-12, 8.11.3)."""
    version, sizes = data[at], struct.unpack_from(">H", data, at + 4)[0]
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    at += 6

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(data):
            raise Unreadable
        value = int.from_bytes(data[at : at + size])
        at += size
        return value

    wide = 4 if version > 1 else 2
    for _ in range(number(wide)):
        item = number(wide)
        method = number(2) & 15 if version > 0 else 0
        number(2)
        base = number(base_size)
        for _ in range(number(2)):
            if version > 0:
                number(index_size)
            start, length = number(offset_size), number(length_size)
            if item in items and method in {0, 1}:
                start += base + (idat if method == 1 else 0)
                yield item, start, start + (length or len(data) - start)


_WRITERS: Final[dict[str, Callable[[Data, int], Iterator[Range]]]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
}
_BLANKED: Final = frozenset({"image/heic", "image/avif"})
