"""Answers as long as they may be: whoever reads them gets pages that can be carried, and no frame above 900 KiB."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from amtrio.model.pages import MAX_FRAME_PAGE_BYTES, MAX_REST_PAGE_BYTES
from amtrio.protocol.codec import encode
from tests.harness import Agent, Device, Json, Person, Scene, open_scene
from tests.runs import Answer

MAX_FRAME_BYTES = 900 * 1024
# What fits into one frame of an agent's.
PIECE = 10_000
COUNT = 10


class Scales:
    """A device's socket that remembers the longest frame."""

    def __init__(self, device: Device) -> None:
        self._socket = device.socket
        self.longest = 0
        device.socket = self  # type: ignore[assignment]  # what a device uses of it

    async def get_message(self) -> str | bytes:
        text = await self._socket.get_message()
        self.longest = max(self.longest, len(text.encode() if isinstance(text, str) else text))
        return text

    async def send_message(self, text: str) -> None:
        await self._socket.send_message(text)


class Cast:
    """alice and the agent `helper`, which talk."""

    def __init__(self, alice: Person, helper: Agent, talk: str) -> None:
        self.alice, self.helper, self.talk = alice, helper, talk


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(tmp_path) as scene:
        yield scene


@pytest.fixture
async def cast(scene: Scene) -> Cast:
    alice, helper = await scene.register("alice"), await scene.register_agent("helper")
    return Cast(alice, helper, await scene.conversation(alice, helper))


async def say_all(answer: Answer, text: str, part: int) -> None:
    for at in range(0, len(text), PIECE):
        await answer.say(text[at : at + PIECE], part=part)


async def answer_at_length(scene: Scene, cast: Cast) -> None:
    """Ten answers of 500 KB: one half of each what was thought, the other what was said."""
    async with scene.device(cast.helper) as helper:
        for number in range(1, COUNT + 1):
            answer = Answer(helper, f"run-of-the-tests-{number:02d}")
            await answer.start(cast.talk)
            await answer.part(0, "reasoning")
            await say_all(answer, "thinking " * 28_000, part=0)
            await say_all(answer, f"needle {number} " + "in a haystack " * 17_850, part=1)
            await answer.finish()


async def test_ten_long_answers_are_read_page_by_page(scene: Scene, cast: Cast) -> None:
    await answer_at_length(scene, cast)
    everything = list(range(1, COUNT + 1))
    await by_socket(scene, cast, everything)
    await by_search(scene, cast, everything)
    await over_rest(scene, cast, everything)


async def by_socket(scene: Scene, cast: Cast, everything: list[int]) -> None:
    """What was missed, and the history in both directions."""
    epoch = scene.running.services.store.epoch
    async with scene.device(cast.alice, "phone", since=0, epoch=epoch) as phone:
        scales = Scales(phone)
        await phone.next("message", conversation_seq=COUNT)
        assert scales.longest > 500_000
        for direction, first in (("before", None), ("after", 0)):
            seen: list[int] = []
            cursor, has_more = first, True
            while has_more:
                told = (await phone.ask("history", conversation_id=cast.talk, **{direction: cursor}))["data"]
                assert len(encode(told["messages"])) <= MAX_FRAME_PAGE_BYTES
                seqs = [each["conversation_seq"] for each in told["messages"]]
                seen = seqs + seen if direction == "before" else seen + seqs
                cursor, has_more = seen[0 if direction == "before" else -1], told["has_more"]
            assert seen == everything
        assert scales.longest < MAX_FRAME_BYTES


async def by_search(scene: Scene, cast: Cast, everything: list[int]) -> None:
    """Over the socket, over REST, and as older clients ask."""
    found: list[int] = []
    async with scene.device(cast.alice, "phone") as phone:
        scales = Scales(phone)
        cursor: str | None = None
        while cursor is not None or not found:
            told = (await phone.ask("search", q="needle haystack", cursor=cursor))["data"]
            found += [each["message"]["conversation_seq"] for each in told["results"]]
            cursor = told["next"]
        assert found == everything[::-1]
        assert scales.longest < MAX_FRAME_BYTES
    found, query = [], {"q": "needle haystack"}
    while query.get("cursor") != "" or not found:
        told = await scene.get("/search", cast.alice, **query)
        assert len(encode(told)) <= MAX_REST_PAGE_BYTES
        found += [each["message"]["conversation_seq"] for each in told["results"]]
        query["cursor"] = told["next"] or ""
    assert found == everything[::-1]
    older = await scene.get("/messages/search", cast.alice, q="needle")
    assert [each["conversation_seq"] for each in older] == everything[:1:-1], "the newest that fit into 4 MiB"


async def over_rest(scene: Scene, cast: Cast, everything: list[int]) -> None:
    """The messages by an old client, which gets arrays, and the snapshot, whose last message leads to the others."""
    shot = await scene.get("/snapshot", cast.alice)
    (shown,) = shot["conversations"]
    assert [each["conversation_seq"] for each in shown["messages"]] == [COUNT]
    seen, cursor = [COUNT], shown["messages"][0]["message_id"]
    pages: list[list[int]] = []
    while cursor is not None:
        answer = await scene.http.get(
            "/conversations/messages",
            params={"conversation_id": cast.talk, "before": cursor, "limit": 200},
            headers=cast.alice.headers | {"User-Agent": "okhttp/4.12.0"},
        )
        assert len(answer.content) <= MAX_REST_PAGE_BYTES
        messages: list[Json] = answer.json()
        pages.append([each["conversation_seq"] for each in messages])
        seen = pages[-1] + seen
        cursor = messages[0]["id"] if answer.headers["X-Amtrio-Has-More"] == "true" else None
    assert seen == everything
    assert [len(each) for each in pages] == [8, 1]


async def test_the_longest_message_that_can_be_still_fits_into_a_frame(scene: Scene, cast: Cast) -> None:
    """
    Control characters, which JSON writes with six bytes, a usage that grows when it is read and written, and an error;
    heard live and read again.
    """
    async with scene.device(cast.helper) as helper, scene.device(cast.alice, "phone") as phone:
        scales, agents_scales = Scales(phone), Scales(helper)
        answer = Answer(helper, "run-of-the-tests-01")
        await answer.start(cast.talk)
        longest = scene.config.runs.max_bytes // 6
        text = "\x01" * longest
        await say_all(answer, text[: longest // 2], part=0)
        await answer.part(1, "reasoning")
        await say_all(answer, text[longest // 2 :], part=1)
        end = {
            "run_id": answer.run_id,
            "outcome": "failed",
            "error": "\x01" * 2000,
            "usage": {"numbers": [1e15] * 9000},
        }
        text_of_end = json.dumps({"type": "run_finish", "data": end}, separators=(",", ":")).replace(
            "1000000000000000.0", "1e15"
        )
        await helper.socket.send_message(text_of_end)
        message = await phone.next("message", conversation_seq=1)
        assert message["content"] == text[: longest // 2]
        assert message["run"]["parts"][1]["text"] == text[longest // 2 :]
        # Two texts of the greatest length are longer than a page, though they are 128 KiB.
        for seq in (2, 3):
            sent = await scene.http.post(
                f"/conversations/{cast.talk}/messages", json={"content": "\x02" * 65_536}, headers=cast.alice.headers
            )
            assert sent.status_code == 200, sent.text
            await phone.next("message", conversation_seq=seq)
        told: dict[str, Any] = {"has_more": True, "messages": [{"conversation_seq": 4}]}
        seen: list[list[int]] = []
        while told["has_more"]:
            before = told["messages"][0]["conversation_seq"]
            told = (await phone.ask("history", conversation_id=cast.talk, before=before))["data"]
            seen.append([each["conversation_seq"] for each in told["messages"]])
        assert seen == [[3], [2], [1]]
        assert MAX_FRAME_PAGE_BYTES - 100_000 < scales.longest < MAX_FRAME_BYTES
        await helper.next("message", conversation_seq=3)
        assert 600_000 < agents_scales.longest < MAX_FRAME_BYTES
