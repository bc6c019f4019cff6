"""Attachments on their way to a program."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from amtrio.bridges.files import Files, pictures, safe_name
from amtrio.client import Attachment, RunFailed, SealedAttachment
from amtrio.client.envelope import spelt
from amtrio.client.file_encryption import FileSealer
from tests.bridges.conftest import Play
from tests.bridges.endpoint import Endpoint, Request, Wire, open_endpoint
from tests.bridges.stage import Note


def upload(
    name: str = "att_1", filename: str = "garden.jpg", content_type: str = "image/jpeg", size: int = 5
) -> Attachment:
    """As the message event has it."""
    return Attachment(attachment_id=name, filename=filename, content_type=content_type, size=size)


@asynccontextmanager
async def open_files(status: int = 200) -> AsyncIterator[tuple[Files, Endpoint]]:
    async def answer(request: Request, wire: Wire) -> None:
        await wire.answer(status, f"what {request.target} holds")

    async with open_endpoint(answer) as server, httpx.AsyncClient() as http:
        yield Files(http, f"{server.url}/", "agt_secret", "helper"), server


def test_files_are_there_while_they_are_needed(play: Play) -> None:
    """
    In a folder for our eyes only, under their own names even if those are the same, and gone afterwards.
    """

    async def scene() -> None:
        async with open_files() as (files, server):
            message = Note(attachments=[upload(), upload("att_2")])
            async with files.of(message) as paths:
                assert [path.name for path in paths] == ["garden.jpg", "garden.jpg"]
                assert [path.read_text() for path in paths] == [
                    "what /attachments/att_1 holds",
                    "what /attachments/att_2 holds",
                ]
                folder = paths[0].parent.parent
                assert folder.stat().st_mode & 0o077 == 0
            assert not folder.exists()
            assert server.requests[0].headers["authorization"] == "Bearer agt_secret"
            assert server.requests[0].headers["x-agent-id"] == "helper"

    play(scene)


def test_files_that_came_encrypted_are_opened(play: Play) -> None:
    """
    In memory and on the disk; what is not what was sent fails the run, in words for people.
    """
    sealer = FileSealer(bytes(32))
    sealed = sealer.feed(b"x" * 2_000_000) + sealer.finish()

    async def scene() -> None:
        async def answer(request: Request, wire: Wire) -> None:
            await wire.head(200, "application/octet-stream")
            await wire.send(sealed if request.target.endswith("att_1") else sealed[:-1])

        key = spelt(bytes(32))
        good, bad = (SealedAttachment(attachment_id=name, filename="notes.txt", key=key) for name in ("att_1", "att_2"))
        async with open_endpoint(answer) as server, httpx.AsyncClient() as http:
            files = Files(http, server.url, "agt_secret", "helper")
            assert await files.read(good) == b"x" * 2_000_000
            async with files.of(Note(attachments=[good])) as paths:
                assert paths[0].read_bytes() == b"x" * 2_000_000
            with pytest.raises(RunFailed, match=r"notes\.txt is not what was sent"):
                await files.read(bad)
            with pytest.raises(RunFailed, match=r"notes\.txt is not what was sent"):
                async with files.of(Note(attachments=[bad])):
                    raise AssertionError

    play(scene)


def test_no_files_ask_for_nothing(play: Play) -> None:
    """
    A message of words alone makes no folder.
    """

    async def scene() -> None:
        async with open_files() as (files, server), files.of(Note()) as paths:
            assert paths == []
            assert server.requests == []

    play(scene)


def test_a_file_can_be_read_into_memory(play: Play) -> None:
    """
    For those who send it on.
    """

    async def scene() -> None:
        async with open_files() as (files, _):
            assert await files.read(upload()) == b"what /attachments/att_1 holds"

    play(scene)


def test_what_cannot_be_fetched_fails_the_run_and_leaves_no_folder(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The person learns which file it was.
    """
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def scene() -> None:
        async with open_files(404) as (files, _):
            with pytest.raises(RunFailed, match=r"cannot fetch garden\.jpg"):
                async with files.of(Note(attachments=[upload()])):
                    pass
            with pytest.raises(RunFailed, match=r"cannot fetch garden\.jpg"):
                await files.read(upload())

    play(scene)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("garden.jpg", "garden.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a b.txt", "a b.txt"),
        (".bashrc", "bashrc"),
        ("-rf", "_-rf"),
        ("a\nb\x1b[0m$(x).md", "a_b__0m_(x).md"),
        ("..", "file"),
        ("", "file"),
        ("Überweisung.pdf", "Überweisung.pdf"),
        ("x" * 300 + ".tar", "x" * 110 + ".tar"),
        ("y" * 300, "y" * 110),
    ],
)
def test_a_name_is_made_harmless(given: str, kept: str) -> None:
    """
    For a shell, a terminal and a file system.
    """
    assert safe_name(given) == kept


def test_pictures_are_told_by_their_type() -> None:
    """
    Not by their names.
    """
    picture, letter = upload(), upload(content_type="text/plain")
    assert pictures([letter, picture]) == [picture]
