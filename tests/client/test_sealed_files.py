"""Files on their way to the server encrypted, with the real server at the other end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amtrio.client import Attachment, Refused, Rest
from amtrio.client.file_encryption import CHUNK_BYTES, sealed_size
from amtrio.client.sealed_files import upload
from tests.client.real_server import RealServer
from tests.client.stage import Play


@pytest.mark.parametrize("size", [0, 5, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_a_file_comes_back_as_it_was_from_memory_and_from_the_disk(
    real: RealServer, play: Play, tmp_path: Path, size: int
) -> None:
    """
    What the server has is longer by what seals it, and has no name.
    """
    content = b"secret" * size
    (tmp_path / "notes.txt").write_bytes(content)

    async def scene() -> None:
        async with Rest(real.url, token=real.alice.token) as rest:
            for given in (content, tmp_path / "notes.txt", str(tmp_path / "notes.txt")):
                file = await upload(rest, given, filename="notes.txt" if isinstance(given, bytes) else None)
                assert (file.filename, file.content_type, file.size) == ("notes.txt", "text/plain", len(content))
                assert await rest.download(file) == content
                ciphertext = await rest.download(Attachment(attachment_id=file.attachment_id))
                assert len(ciphertext) == sealed_size(len(content))
                assert b"secretsecret" not in ciphertext

    play(scene)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"filename": "photo.png"}, "image/png"),
        ({"filename": "photo.png", "content_type": "image/webp"}, "image/webp"),
        ({"filename": "README"}, "text/plain"),
        ({}, "text/plain"),
    ],
)
def test_what_it_is_shown_as_is_told_or_guessed(
    real: RealServer, play: Play, given: dict[str, Any], expected: str
) -> None:
    """
    From its name, else from its beginning.
    """

    async def scene() -> None:
        async with Rest(real.url, token=real.alice.token) as rest:
            assert (await upload(rest, "Grüße".encode(), **given)).content_type == expected
            binary = await upload(rest, b"\xff\x00", filename="README")
            assert (binary.content_type, binary.filename) == ("application/octet-stream", "README")
            assert (await upload(rest, b"with \x00 in it")).content_type == "application/octet-stream"

    play(scene)


def test_what_cannot_be_had_or_stored_is_told(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    As with other files.
    """

    async def scene() -> None:
        async with Rest(real.url, token=real.alice.token) as rest:
            with pytest.raises(OSError, match="missing"):
                await upload(rest, tmp_path / "missing")
            with pytest.raises(Refused, match="conversation not found"):
                await upload(rest, b"x", conversation_id="conv_of_others")

    play(scene)
