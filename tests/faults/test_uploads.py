"""`kill -9` in the middle of uploads: what was answered is there byte by byte, and nothing else is left for long.

The server is a program of its own here.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from tests.faults.program import Rest, bearer, free_port, launch, started
from tests.pictures import picture

Json = dict[str, Any]
SEED = 7
KILLS = 4
SENDERS = 4
TEST_SECONDS = 120


class Sender:
    """
    Uploads one file after the other, however often the server goes.

    Attributes:
        stored: content by the id that the server answered with.
    """

    def __init__(self, number: int) -> None:
        self.stored: dict[str, bytes] = {}
        self.began = 0
        self._dice = random.Random(SEED + number)

    async def send(self, port: int, token: str) -> None:
        """Until the server is gone."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            while True:
                content = self._dice.randbytes(self._dice.randrange(1, 400_000))
                if self._dice.random() < 0.3:
                    content = picture("PNG", size=(self._dice.randrange(20, 900), 300))
                self.began += 1
                try:
                    answer = await http.post("/attachments", content=self._slowly(content), headers=bearer(token))
                except httpx.TransportError:
                    return
                assert answer.status_code == 200, answer.text
                assert answer.json()["sha256"] == hashlib.sha256(content).hexdigest()
                self.stored[answer.json()["id"]] = content

    async def _slowly(self, content: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(content), 65_536):
            yield content[at : at + 65_536]
            await trio.lowlevel.checkpoint()


def left(directory: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in (directory / "uploads").rglob("att_*")}


@pytest.mark.slow
async def test_no_kill_loses_a_file_or_leaves_half_of_one(tmp_path: Path) -> None:
    """
    Four senders, four kills at a time that nobody chose; then exactly the files that are known are on the disk.
    """
    directory, port = tmp_path / "data", free_port()
    senders = [Sender(number) for number in range(SENDERS)]
    dice = random.Random(SEED)
    token = ""
    with trio.fail_after(TEST_SECONDS):
        for life_number in range(KILLS):
            async with launch(directory, port=port) as life:
                await started(life)
                if life_number == 0:
                    async with Rest(port) as rest:
                        token = await rest.register("alice")
                async with trio.open_nursery() as nursery:
                    for sender in senders:
                        nursery.start_soon(sender.send, port, token)
                    await trio.sleep(dice.uniform(0.4, 1.5))
                    await life.kill()
                assert not life.errors()
        stored = {id_: content for sender in senders for id_, content in sender.stored.items()}
        assert len(stored) > 10
        assert sum(sender.began for sender in senders) > len(stored), "no upload was cut off"
        async with launch(directory, port=port) as life:
            await started(life)
            async with Rest(port) as rest:
                for id_, content in stored.items():
                    answer = await rest.http.get(f"/attachments/{id_}", headers=bearer(token))
                    assert answer.status_code == 200
                    assert answer.content == content
                # Stored, and the answer lost: no sender knows of it, but the server does, until the day is over.
                unknown = left(directory) - set(stored)
                cleared = {
                    id_
                    for id_ in unknown
                    if (await rest.http.get(f"/attachments/{id_}", headers=bearer(token))).is_error
                }
                if cleared & left(directory):
                    await life.wait_for_log("files_deleted")
                assert not cleared & left(directory)
            assert not life.errors()
            assert not list((directory / "uploads" / "incoming").glob("*"))
