"""Pages of a conversation: next to whatever a client takes for a place in it, and never too long."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.clock import SystemClock
from amtrio.errors import NotFound
from amtrio.model.message import HAS_ATTACHMENTS, HAS_QUESTION, HAS_REACTIONS, HAS_RUN, Message, message
from amtrio.model.message_view import message_view
from amtrio.model.pages import (
    DEFAULT_PAGE,
    MAX_PAGE,
    MAX_REST_PAGE_BYTES,
    SIZED,
    AskPage,
    Page,
    fitting,
    messages,
    page,
    page_size,
    unread,
)
from amtrio.protocol.codec import encode
from amtrio.store import log
from amtrio.store.connection import SqliteTx, connect
from amtrio.store.database import ReadTx, Row, Value
from amtrio.store.migrate import load_migrations, migrate
from tests.harness import open_scene

TALK = f"conv_{0:032d}"
ALICE = f"u:usr_{0:032d}"
# As long as an agent may call itself.
HELPER = f"a:{'h' * 64}"
LONG_ID = "x" * 64


async def test_a_page_is_ascending_and_says_whether_there_is_more(tmp_path: Path) -> None:
    """By number, id or time, in either direction, and with a condition of the asking feature."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            sent = [await (agent if number % 2 else phone).send(talk, f"n{number}") for number in range(1, 8)]

        async def seqs(condition: str = "", **cursor: Any) -> tuple[list[int], bool]:
            def unit(tx: ReadTx) -> tuple[list[int], bool]:
                found = page(tx, AskPage(conversation_id=talk, **cursor), condition, most_bytes=MAX_REST_PAGE_BYTES)
                return [row[2] for row in found.rows], found.has_more

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


@cache
def migrated() -> bytes:
    """A database with all tables, made once."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "empty.db"
        conn = connect(path)
        migrate(conn, load_migrations(), SystemClock())
        conn.close()
        return path.read_bytes()


class Talk:
    """A conversation in a database without a server; what it hands over is counted."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._tx = SqliteTx(conn, 1)
        self.count = 0
        self.handed_bytes = 0
        self.statements = 0
        for key in (ALICE, HELPER):
            log.make_account(self._tx, key)
        self._tx.run(
            "INSERT INTO conversation (id, user_key, agent_key, activity, created_us, updated_us)"
            " VALUES (:id, :user, :agent, 1, 1, 1)",
            id=TALK,
            user=ALICE,
            agent=HELPER,
        )

    def one(self, sql: str, /, **params: Value) -> Row | None:
        rows = self.all(sql, **params)
        return rows[0] if rows else None

    def all(self, sql: str, /, **params: Value) -> list[Row]:
        rows = self._tx.all(sql, **params)
        self.statements += 1
        self.handed_bytes += sum(len(value.encode()) for row in rows for value in row if isinstance(value, str))
        return rows

    def run(self, sql: str, /, **params: Value) -> None:
        self._tx.run(sql, **params)

    def post(self, content: str, *, extras: int = 0, text: str = "", **columns: Value) -> None:
        """A message; `text` is what stands in everything that hangs on it, by `extras`."""
        self.count += 1
        id_ = f"msg_{self.count:033d}"
        columns = {
            "id": id_,
            "conversation_id": TALK,
            "seq": self.count,
            "sender_key": HELPER,
            "content": content,
            "created_us": self.count,
            "extras": extras,
            **columns,
        }
        names = ", ".join(columns)
        self.run(f"INSERT INTO message ({names}) VALUES (:{names.replace(', ', ', :')})", **columns)
        as_json = encode(text).decode()
        if extras & HAS_RUN:
            self.run(
                "INSERT INTO run (id, agent_key, conversation_id, state, message_id, body, error, usage, started_us,"
                " ended_us) VALUES (:run, :agent, :talk, 'interrupted', :id, :body, :text, :usage, 1, 1)",
                run=f"{self.count:064d}",
                agent=HELPER,
                talk=TALK,
                id=id_,
                body=f'[{{"part":0,"kind":"reasoning","text":{as_json}}}]',
                text=text,
                usage=f'{{"text":{as_json}}}',
            )
        for number in range(10 if extras & HAS_ATTACHMENTS else 0):
            self.run(
                "INSERT INTO attachment (id, owner_key, message_id, position, state, filename, content_type,"
                " size_bytes, sha256, width, height, has_thumbnail, created_us) VALUES (:key, :agent, :id, :number,"
                " 'stored', :text, 'application/octet-stream', 1000000000000, :sum, 10000, 10000, 1, 1)",
                key=f"att_{self.count:030d}{number:03d}",
                agent=HELPER,
                id=id_,
                number=number,
                text=text,
                sum="0" * 64,
            )
        for number in range(10 if extras & HAS_REACTIONS else 0):
            self.run(
                "INSERT INTO reaction VALUES (:id, :agent, :text, :key, 1)",
                id=id_,
                agent=HELPER,
                text=f"{number}{text}",
                key=f"react_{self.count:030d}{number:03d}",
            )
        if extras & HAS_QUESTION:
            self.run(
                "INSERT INTO question VALUES (:id, :options, 0, 0, 'answered', 1, :chosen, :text, :agent, 1)",
                id=id_,
                options=f'[{{"id":"{LONG_ID}","label":{as_json}}}]',
                chosen=f'["{LONG_ID}"]',
                text=text,
                agent=HELPER,
            )

    def page(self, most_bytes: int, **asked: Any) -> Page:
        return page(self, AskPage(conversation_id=TALK, **asked), most_bytes=most_bytes)

    def sizes(self, rows: list[Row]) -> tuple[int, int]:
        """What the rows are as JSON: as events and over REST, with a comma behind each."""
        read = {ALICE: (self.count, 1)}
        events = [message(self, Message, row, viewer=HELPER) for row in rows]
        views = [message_view(self, row, viewer=HELPER, read=read) for row in rows]
        return sum(len(encode(each)) + 1 for each in events), sum(len(encode(each)) + 1 for each in views)


@contextmanager
def open_talk() -> Iterator[Talk]:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    conn.deserialize(migrated())
    try:
        yield Talk(conn)
    finally:
        conn.close()


@pytest.fixture
def talk() -> Iterator[Talk]:
    with open_talk() as talk:
        yield talk


# A byte, one that JSON escapes with two, one that it escapes with six, and longer ones.
TEXTS = st.builds(str.__mul__, st.sampled_from(["a", '"', "\n", "\x01", "\x00", "é", "😀"]), st.integers(0, 300))
EXTRAS = st.one_of(st.just(0), st.just(HAS_RUN), st.integers(0, 15))


@settings(max_examples=150, deadline=None)
@given(
    said=st.lists(st.tuples(TEXTS, EXTRAS, TEXTS), max_size=25),
    most_bytes=st.one_of(st.integers(1, 12_000), st.integers(10_000, 100_000)),
    limit=st.integers(1, 20),
    is_back=st.booleans(),
)
def test_pages_put_together_are_the_whole_and_none_is_too_long(
    said: list[tuple[str, int, str]],
    most_bytes: int,
    limit: int,
    is_back: bool,  # noqa: FBT001 - drawn
) -> None:
    """Any sizes, any limits, in both directions; a page ends only where it has to."""
    with open_talk() as talk:
        for content, extras, text in said:
            talk.post(content, extras=extras, text=text)
        seen: list[int] = []
        has_more = True
        while has_more:
            cursor = {"before": seen[0] if seen else None} if is_back else {"after": seen[-1] if seen else 0}
            talk.handed_bytes = 0
            found = talk.page(most_bytes, limit=limit, **cursor)
            assert talk.handed_bytes <= found.size, "nothing but the page has left the database"
            seqs = [row[2] for row in found.rows]
            seen = [*seqs, *seen] if is_back else [*seen, *seqs]
            assert max(talk.sizes(found.rows)) <= found.size
            assert len(seqs) == 1 or found.size <= most_bytes
            has_more = found.has_more
            assert has_more == (len(seen) < len(said))
            if has_more:
                edge = {"before": seen[0]} if is_back else {"after": seen[-1]}
                following = talk.page(1, limit=1, **edge)
                assert len(seqs) == limit or found.size + following.size > most_bytes, "it had room for one more"
        assert seen == list(range(1, len(said) + 1))


@pytest.mark.parametrize("extras", [0, HAS_RUN, HAS_ATTACHMENTS, HAS_REACTIONS, HAS_QUESTION, 15])
def test_no_message_is_longer_than_reckoned(talk: Talk, extras: int) -> None:
    """The longest ids and names, whatever may hang on a message, and every time that it may show."""
    talk.post(
        "x",
        extras=extras,
        text='"' * 50,
        kind="encrypted",
        client_id=LONG_ID,
        reply_to_id=f"msg_{0:033d}",
        metadata='{"a":"b"}',
        envelope='{"algorithm":"opaque","iv":"\\u0001"}',
        edited_us=1,
        deleted_us=1,
        deleted_by_key=HELPER,
        queue_state="queued",
        steers_run_id=LONG_ID,
    )
    (row,), _, size = talk.page(1)
    as_event, over_rest = talk.sizes([row])
    assert as_event < over_rest <= size
    assert over_rest > 0.8 * size, "nor much shorter"


def test_an_ordinary_page_costs_one_statement_more_than_reading_it(talk: Talk) -> None:
    for _ in range(300):
        talk.post("a short message")
    for limit in (DEFAULT_PAGE, MAX_PAGE):
        talk.statements = 0
        assert len(talk.page(768 * 1024, limit=limit).rows) == limit
        assert talk.statements == 2


def test_messages_that_are_far_beyond_a_page_are_not_even_measured(talk: Talk) -> None:
    """Or each page of a conversation full of long answers would read all of them."""
    for _ in range(200):
        talk.post("x" * 1000, extras=HAS_RUN, text="x" * 1000)
    talk.statements = 0
    assert len(talk.page(50_000, limit=200).rows) < 16
    assert talk.statements == 3


def test_any_messages_are_fetched_in_the_order_that_is_asked_for(talk: Talk) -> None:
    """As a search finds them; what stands beside each counts too."""
    for number in range(4):
        talk.post(f"n{number}")
    sized = talk.all(f"SELECT {SIZED} FROM message m ORDER BY m.content <> 'n2', m.seq DESC")
    assert [row[6] for row in messages(talk, [rowid for rowid, _ in sized])] == ["n2", "n3", "n1", "n0"]
    assert messages(talk, []) == []
    size = sized[0][1]
    assert fitting(talk, sized, most_bytes=3 * size) == (3, 3 * size)
    assert fitting(talk, sized, most_bytes=3 * size, bytes_beside=1) == (2, 2 * size + 2)
    assert fitting(talk, sized, most_bytes=1) == (1, size)
    assert fitting(talk, [], most_bytes=1) == (0, 0)


async def test_the_newest_unread_messages(tmp_path: Path) -> None:
    """Those of others, oldest first."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            for number in range(5):
                await agent.send(talk, f"theirs {number}")
                await phone.send(talk, "mine")

            def seqs(tx: ReadTx, limit: int) -> list[int]:
                return [row[2] for row in messages(tx, unread(tx, f"u:{alice.id}", limit))]

            store = scene.running.services.store
            assert await store.read(seqs, 10) == [1, 3, 5, 7, 9]
            assert await store.read(seqs, 2) == [7, 9]
            await phone.ask("read", conversation_id=talk, up_to=7)
            assert await store.read(seqs, 10) == [9]
