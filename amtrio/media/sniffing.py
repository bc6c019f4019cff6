"""What a file is, told from its first bytes: the client's word for it counts for nothing.

The patterns are those of the WHATWG's MIME Sniffing Standard, with what phones make added. What a browser could run or
lay out (HTML, SVG, XML) is plain text here on purpose. Sans I/O; knows no file and no feature.
"""

from __future__ import annotations

from typing import Final

BINARY: Final = "application/octet-stream"
TEXT: Final = "text/plain"

# Types that no browser runs anything in, so that they may be shown in place.
SHOWN_INLINE: Final = frozenset(
    {
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/heic", "image/bmp",
        "audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/mp4", "audio/aac", "audio/webm", "audio/aiff",
        "video/mp4", "video/webm", "video/quicktime", "video/ogg", "video/x-matroska", "video/x-msvideo",
    }
)  # fmt: skip

# Offset, pattern.
_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"(\xb5/\xfd", "application/zstd"),
    (257, b"ustar", "application/x-tar"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
# Brands of ISO 14496-12 files.
_BRANDS: Final = {
    b"avif": "image/avif", b"avis": "image/avif",
    b"heic": "image/heic", b"heix": "image/heic", b"hevc": "image/heic", b"heim": "image/heic", b"heis": "image/heic",
    b"mif1": "image/heic", b"msf1": "image/heic",
    b"M4A ": "audio/mp4", b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}  # fmt: skip
_MPEG_SYNC: Final = 0xFFE0
# "Binary data bytes" of the standard, 3.
_NOT_IN_TEXT: Final = bytes({*range(9), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)})


def content_type(head: bytes) -> str:
    """The type of a file that begins with `head`: 512 bytes are enough, more are used."""
    for offset, pattern, kind in _MAGIC:
        if head.startswith(pattern, offset):
            return kind
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], BINARY)
    if head.startswith(b"FORM") and head[8:12] in {b"AIFF", b"AIFC"}:
        return "audio/aiff"
    if head.startswith(b"OggS"):
        return "video/ogg" if b"\x80theora" in head[:64] else "audio/ogg"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _matroska(head)
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    return _loose(head)


def _loose(head: bytes) -> str:
    """What has short patterns, which text might begin with, and text."""
    if head.startswith((b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf")):
        return TEXT
    if len(head) > 1 and int.from_bytes(head[:2]) & _MPEG_SYNC == _MPEG_SYNC:
        # An MPEG frame: layer bits 00 are ADTS (AAC), all others MP3 and its elders.
        return "audio/mpeg" if head[1] & 0x06 else "audio/aac"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    return TEXT if head.translate(None, _NOT_IN_TEXT) == head else BINARY


def _matroska(head: bytes) -> str:
    if b"webm" in head[:64]:
        # Voice notes of a browser have a sound track only; its codec stands near the beginning, a picture's would too.
        has_picture = b"V_VP" in head or b"V_AV1" in head
        return "audio/webm" if b"A_OPUS" in head and not has_picture else "video/webm"
    return "video/x-matroska"


def _iso_media(head: bytes) -> str:
    size = min(int.from_bytes(head[:4]), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
    # The major brand may be a general one (mif1) and a compatible one say more (avif).
    found = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    if brands[0] in _BRANDS and brands[0] not in {b"mif1", b"msf1"}:
        return found[0]
    if brands[0] in {b"mif1", b"msf1"}:
        return next((kind for kind in found if kind == "image/avif"), "image/heic")
    return "video/mp4"
