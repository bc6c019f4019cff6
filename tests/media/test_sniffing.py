"""What a file is, told from its first bytes."""

from __future__ import annotations

import io
import zipfile

import pytest

from amtrio.media.sniffing import SHOWN_INLINE, content_type
from tests.pictures import animation, picture


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", "b")
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("PNG"), "image/png"),
        (picture("WEBP"), "image/webp"),
        (picture("AVIF"), "image/avif"),
        (picture("BMP"), "image/bmp"),
        (picture("TIFF"), "image/tiff"),
        (animation("GIF"), "image/gif"),
        (_zip(), "application/zip"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"ID3\x04\0\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x44" + bytes(40), "audio/mpeg"),
        (b"\xff\xf1\x50\x80" + bytes(40), "audio/aac"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\x10\0\0\0AVI LIST", "video/x-msvideo"),
        (b"RIFF\x10\0\0\0????", "application/octet-stream"),
        (b"OggS\0\x02" + bytes(22) + b"\x01\x13OpusHead", "audio/ogg"),
        (b"OggS\0\x02" + bytes(22) + b"\x01\x2a\x80theora", "video/ogg"),
        (b"fLaC\0\0\0\x22", "audio/flac"),
        (b"FORM\0\0\0\0AIFF", "audio/aiff"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42", "audio/mp4"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicavif", "image/avif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1miaf", "image/heic"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(60) + b"A_OPUS", "audio/webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(60) + b"A_OPUS V_VP8", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", "video/x-matroska"),
        (b"", "text/plain"),
        ("Grüße\r\n\t".encode(), "text/plain"),
        (b"\xff\xfea\0", "text/plain"),
        (b'{"a": 1}', "text/plain"),
        (b"text with a \0 in it", "application/octet-stream"),
        (b"\x7fELF\x02\x01\x01\0", "application/octet-stream"),
        (b"\xff", "text/plain"),
    ],
)
def test_types(head: bytes, expected: str) -> None:
    assert content_type(head[:4096]) == expected


@pytest.mark.parametrize(
    "page",
    [b"<!DOCTYPE html><script>alert(1)</script>", b"<html>", b"<svg onload='x()'/>", b"<?xml version='1.0'?>",
     b"\xef\xbb\xbf<script>", b"  <HTML>", b"GIF<html>"],
)  # fmt: skip
def test_what_a_browser_could_run_is_never_more_than_text(page: bytes) -> None:
    """Neither HTML nor SVG nor XML has a type of its own here."""
    assert content_type(page) == "text/plain"


def test_nothing_that_runs_is_shown_inline() -> None:
    assert not {kind for kind in SHOWN_INLINE if kind.partition("/")[0] not in {"image", "audio", "video"}}
    assert not SHOWN_INLINE & {"image/svg+xml", "text/html", "application/pdf", "text/plain"}


@pytest.mark.parametrize("length", range(0, 64, 3))
def test_a_file_may_end_anywhere(length: int) -> None:
    """A head cut short is told apart without failing."""
    for whole in (picture("JPEG"), picture("AVIF"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"RIFF\x10\0\0\0WAVE"):
        assert "/" in content_type(whole[:length])
