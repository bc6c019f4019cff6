"""Frames byte by byte, against RFC 6455 and wsproto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from wsproto.frame_protocol import FrameProtocol, XorMaskerSimple

from amtrio.transports.frames import ping_frame, pong_frame, text_frame, text_frames, unmask

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_examples_of_the_rfc() -> None:
    """RFC 6455, 5.7."""
    assert (b"\x81\x05Hello", b"\x89\x05Hello", b"\x8a\x05Hello") == (
        text_frame(b"Hello"),
        ping_frame(b"Hello"),
        pong_frame(b"Hello"),
    )
    assert unmask(bytes.fromhex("7f9f4d5158"), bytes.fromhex("37fa213d")) == b"Hello"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_text_frames_are_those_of_wsproto(size: int) -> None:
    """At both ends of each form of the length."""
    assert bytes(FrameProtocol(client=False, extensions=[]).send_data("x" * size)) == text_frame(b"x" * size)


def test_several_texts_are_their_frames_in_order() -> None:
    """One event may be several frames to an older client."""
    assert [b"", text_frame(b"one"), text_frame(b"one") + text_frame(b"two")] == [
        text_frames([]),
        text_frames([b"one"]),
        text_frames([b"one", b"two"]),
    ]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 7, 200, 65_537])
def test_unmasking_is_that_of_wsproto(size: int) -> None:
    """Whatever is left over at the end of the mask."""
    payload, mask = bytes(index % 251 for index in range(size)), b"\x00\x91\xfe\x07"
    assert bytes(XorMaskerSimple(mask).process(bytearray(payload))) == unmask(payload, mask)


@pytest.mark.parametrize("make", [ping_frame, pong_frame])
def test_control_frames_are_short(make: Callable[[bytes], bytes]) -> None:
    """RFC 6455, 5.5: at most 125 bytes."""
    assert len(make(b"x" * 125)) == 127
    with pytest.raises(ValueError, match="at most 125 bytes, not 126"):
        make(b"x" * 126)
