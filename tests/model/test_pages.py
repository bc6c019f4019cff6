"""Pages of a conversation next to whatever a client takes for a place in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amtrio.errors import NotFound
from amtrio.model.pages import DEFAULT_PAGE, MAX_PAGE, AskPage, page, page_size
from amtrio.store.database import ReadTx
from tests.harness import open_scene


async def test_a_page_is_ascending_and_says_whether_there_is_more(tmp_path: Path) -> None:
    """By number, id or time, in either direction, and with a condition of the asking feature."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            sent = [await (agent if number % 2 else phone).send(talk, f"n{number}") for number in range(1, 8)]

        async def seqs(condition: str = "", **cursor: Any) -> tuple[list[int], bool]:
            def unit(tx: ReadTx) -> tuple[list[int], bool]:
                rows, has_more = page(tx, AskPage(conversation_id=talk, **cursor), condition)
                return [row[2] for row in rows], has_more

            return await scene.running.services.store.read(unit)

        assert await seqs() == ([1, 2, 3, 4, 5, 6, 7], False)
        assert await seqs(limit=2) == ([6, 7], True)
        assert await seqs(before=6, limit=2) == ([4, 5], True)
        assert await seqs(before=sent[2]["message_id"]) == ([1, 2], False)
        assert await seqs(after="2", limit=2) == ([3, 4], True)
        assert await seqs(after=2, before=5) == ([3, 4], False)
        assert await seqs(after=sent[6]["created_at"]) == ([], False)
        assert await seqs(before="1970-01-01T00:00:00Z") == ([], False)
        assert await seqs("AND m.sender_key = 'a:helper'", limit=2) == ([5, 7], True)
        assert await seqs(limit=0) == await seqs(limit=10**9) == await seqs(limit=DEFAULT_PAGE)
        with pytest.raises(NotFound):
            await seqs(before="yesterday")


def test_a_limit_that_cannot_be_had_is_as_good_as_none() -> None:
    """As older clients expect: not the most that could be had."""
    assert [page_size(limit) for limit in (1, MAX_PAGE)] == [1, MAX_PAGE]
    assert {page_size(limit) for limit in (None, 0, -1, MAX_PAGE + 1)} == {DEFAULT_PAGE}
    assert (page_size(500, most=500), page_size(501, most=500)) == (500, DEFAULT_PAGE)
