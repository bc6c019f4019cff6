"""The full-text index: whatever happens and whenever it is interrupted, it finds what reading everything would find."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.clock import SystemClock
from amtrio.errors import Malformed
from amtrio.model import search_index as index
from amtrio.model.pages import messages
from amtrio.store import log
from amtrio.store.connection import SqliteTx, connect
from amtrio.store.migrate import load_migrations, migrate
from amtrio.text.words import fold, matches, parse

# Two people talk with the same agent, one of them in two conversations.
TALKS = {"talk": "u:alice", "more": "u:alice", "other": "u:bob"}
AGENT = "a:helper"
PEOPLE = ("u:alice", "u:bob", AGENT)


@cache
def migrated() -> bytes:
    """A database with all tables, made once."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "empty.db"
        conn = connect(path)
        conn.execute("PRAGMA journal_mode = WAL")
        migrate(conn, load_migrations(), SystemClock())
        conn.close()
        return path.read_bytes()


class Book:
    """A database with an index and what should be found in it, without a server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.truth: dict[str, tuple[str, str]] = {}  # message id to conversation and text, in the order of storing
        self.count = 0
        self.looked: index.Step | None = None
        path.write_bytes(migrated())
        self._open()
        for key in PEOPLE:
            log.make_account(self.tx, key)
        for number, (talk, person) in enumerate(TALKS.items()):
            self.tx.run(
                "INSERT INTO conversation (id, user_key, agent_key, is_default, activity, created_us, updated_us)"
                " VALUES (:id, :user, :agent, 0, :number, 1, 1)",
                id=talk,
                user=person,
                agent=AGENT,
                number=number,
            )
            for account in (person, AGENT):
                self.tx.run(
                    "INSERT INTO member (conversation_id, account_key) VALUES (:id, :account)", id=talk, account=account
                )

    def _open(self) -> None:
        self.conn = connect(self.path)
        # No power cut here, and a test does not wait for the disk.
        self.conn.execute("PRAGMA synchronous = OFF")
        self.tx = SqliteTx(self.conn, 1)

    def reopen(self) -> None:
        """As after a kill: what was not committed is gone."""
        self.conn.close()
        self._open()

    @contextmanager
    def transaction(self) -> Iterator[SqliteTx]:
        self.conn.execute("BEGIN IMMEDIATE")
        yield self.tx
        self.conn.execute("COMMIT")

    def announce(self, kind: str, message_id: str, talk: str) -> None:
        """What `tx.announce` leaves behind."""
        row = self.tx.one(
            "INSERT INTO event (kind, conversation_id, subject_id, at_us) VALUES (:kind, :talk, :id, 1)"
            " RETURNING number",
            kind=kind,
            talk=talk,
            id=message_id,
        )
        assert row is not None
        for account in (TALKS[talk], AGENT):
            self.tx.run("UPDATE account SET head = head + 1 WHERE key = :key", key=account)
            self.tx.run(
                "INSERT INTO account_log (account, seq, event) SELECT number, head, :event FROM account"
                " WHERE key = :key",
                event=row[0],
                key=account,
            )

    def post(self, talk: str, text: str, *, kind: str = "text", announces: bool = True) -> str | None:
        if self.tx.one("SELECT 1 FROM conversation WHERE id = :id", id=talk) is None:
            return None
        self.count += 1
        id_ = f"msg_{self.count:06d}"
        self.tx.run(
            "INSERT INTO message (id, conversation_id, seq, sender_key, kind, content, created_us)"
            " VALUES (:id, :talk, :seq, :sender, :kind, :text, :seq)",
            id=id_,
            talk=talk,
            seq=self.count,
            sender=AGENT,
            kind=kind,
            text=text,
        )
        if announces:
            self.announce("message", id_, talk)
        if kind == "text":
            self.truth[id_] = (talk, text)
        return id_

    def edit(self, nth: int, text: str) -> None:
        if self.truth:
            id_ = list(self.truth)[nth % len(self.truth)]
            talk = self.truth[id_][0]
            self.tx.run("UPDATE message SET content = :text, edited_us = 1 WHERE id = :id", id=id_, text=text)
            self.announce("message_edited", id_, talk)
            self.truth[id_] = (talk, text)

    def delete(self, nth: int) -> None:
        if self.truth:
            id_ = list(self.truth)[nth % len(self.truth)]
            talk, _ = self.truth.pop(id_)
            self.tx.run("UPDATE message SET content = '', deleted_us = 1 WHERE id = :id", id=id_)
            self.announce("message_deleted", id_, talk)

    def drop(self, talk: str) -> None:
        """A conversation goes with everything in it."""
        if self.tx.run("DELETE FROM conversation WHERE id = :id", id=talk):
            self.announce("conversation_deleted", talk, talk)
            self.truth = {id_: kept for id_, kept in self.truth.items() if kept[0] != talk}

    def write(self, step: index.Step | None) -> bool:
        if step is None:
            return False
        with self.transaction() as tx:
            return index.write_step(tx, step)

    def step(self) -> bool:
        return self.write(index.next_news(self.tx)) or self.write(index.next_backfill(self.tx))

    def look(self) -> None:
        """The first half of a step."""
        self.looked = index.next_news(self.tx) or index.next_backfill(self.tx)

    def write_late(self) -> None:
        """The second half, after whatever came in between."""
        self.write(self.looked)

    def kill(self) -> None:
        """In the middle of the second half."""
        self.look()
        self.conn.execute("BEGIN")
        if self.looked is not None:
            index.write_step(self.tx, self.looked)
        self.reopen()

    def clean(self) -> None:
        index.remove_gone(self.tx)
        index.begin_cleaning(self.tx)

    def prune(self) -> None:
        """Forget of the log what may be forgotten."""
        log.prune(self.tx, before_us=2**60, max_rows=0, keep_cursor_us=2**60, keep_event=index.place_of(self.tx).event)

    def settle(self) -> None:
        while self.step():
            pass
        while index.remove_gone(self.tx):
            pass

    def found(self, account: str, q: str, **options: Any) -> list[str]:
        options.setdefault("limit", 1000)
        sized = index.find(self.tx, account, parse(q), **options)
        return [row[0] for row in messages(self.tx, [rowid for rowid, _ in sized])]

    def expected(self, account: str, q: str) -> list[str]:
        """Read everything."""
        query = parse(q)
        return [
            id_
            for id_, (talk, text) in reversed(self.truth.items())
            if account in (TALKS[talk], AGENT) and matches(query, fold(text))
        ]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "book.db")
    yield book
    book.conn.close()


WORDS = [
    "apple",
    "Äpfel",
    "appl",
    "pie",
    "東京タワー",
    "京都",
    "タ",
    "don't",
    "x_y",
    "हिन्दी",
    "👍🏽",
    "สวัสดี",
    "e\u0301te",
]
TEXTS = st.lists(st.sampled_from([*WORDS, '"', "*", "NEAR(", "a", "."]), max_size=5).map(" ".join)
QUERIES = st.one_of(TEXTS, st.text("aple東京\"' *é", max_size=6))
CHANGES = st.one_of(
    st.tuples(st.just("post"), st.sampled_from([*TALKS]), TEXTS),
    st.tuples(st.just("post"), st.sampled_from([*TALKS]), TEXTS),
    st.tuples(st.just("edit"), st.integers(0, 50), TEXTS),
    st.tuples(st.just("delete"), st.integers(0, 50)),
    st.tuples(st.just("drop"), st.sampled_from([*TALKS])),
    st.tuples(st.just("prune")),
)
OF_THE_INDEX = ("step", "look", "write_late", "kill", "clean")
TURNS = st.one_of(CHANGES, st.tuples(st.sampled_from(OF_THE_INDEX)))


@settings(max_examples=100, deadline=None)
@given(
    old=st.lists(st.tuples(st.sampled_from([*TALKS]), TEXTS), max_size=6),
    turns=st.lists(TURNS, max_size=30),
    queries=st.lists(QUERIES, min_size=1, max_size=4),
)
def test_it_finds_what_reading_everything_would_find(
    old: list[tuple[str, str]], turns: list[tuple[Any, ...]], queries: list[str]
) -> None:
    """
    Whatever was there before the index, and however changes, steps of it, pruning and kills follow each other.
    """
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "STEP_MESSAGES", 2)
        book = Book(Path(directory) / "book.db")
        for talk, text in old:
            book.post(talk, text, announces=False)
        if old:
            book.tx.run("UPDATE search_place SET backfill_id = '~'")
        for word, *arguments in turns:
            with nullcontext() if word in OF_THE_INDEX else book.transaction():
                getattr(book, word)(*arguments)
        book.settle()
        for q in [*queries, "a", "apple ", "東京", "สวัส"]:
            try:
                parse(q)
            except Malformed:
                continue
            for account in PEOPLE:
                assert book.found(account, q) == book.expected(account, q), (account, q)
        book.conn.execute("INSERT INTO search_text (search_text) VALUES ('integrity-check')")
        book.conn.close()


def test_the_tokenizer_splits_nothing_further(book: Book) -> None:
    """Every token of odd scripts is one term of the index; a query's syntax is none."""
    text = "Hello हिन्दी สวัสดี 👍🏽👨\u200d👩 مُحَمَّد 東京 ก\u0e33 don't क्षत्रिय ᠮᠣᠩᠭᠣᠯ ቋንቋ \U0001f1e9\U0001f1ea ῥόδον"
    book.post("talk", text)
    book.settle()
    book.conn.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, search_text, col)")
    terms = book.tx.all("SELECT term FROM temp.vocabulary WHERE col = 'words'")
    assert {term for (term,) in terms} == set(fold(text))


def test_ciphertext_is_never_read(book: Book) -> None:
    """An encrypted message has no words."""
    book.post("talk", "needle", kind="encrypted")
    book.post("talk", "a needle")
    book.settle()
    assert book.found("u:alice", "needle") == ["msg_000002"]
    assert book.tx.all("SELECT message_id FROM search_entry") == [("msg_000002",)]


def test_a_left_member_finds_nothing(book: Book) -> None:
    """From the moment it left, though the index still knows it."""
    book.post("talk", "needle")
    book.settle()
    book.tx.run("UPDATE member SET left_at_seq = 1 WHERE account_key = 'u:alice'")
    assert book.found("u:alice", "needle") == []
    assert book.found(AGENT, "needle") == ["msg_000001"]
    assert book.found("u:nobody", "needle") == []


def test_numbers_of_the_log_are_not_given_out_twice(book: Book) -> None:
    """
    A log that nobody needs any more keeps its newest event, or the next one would get a number the index has passed.
    """
    for number in range(5):
        book.post("talk", f"old {number}")
    book.settle()
    book.prune()
    assert book.tx.all("SELECT number FROM event") == [(5,)]
    book.post("talk", "needle")
    book.settle()
    assert book.found("u:alice", "needle") == ["msg_000006"]


def test_without_the_kept_event_the_number_would_return(book: Book) -> None:
    """The trap itself: SQLite gives out the number of a newest row again once it is deleted."""
    for _ in range(5):
        book.post("talk", "old")
    book.settle()
    log.prune(book.tx, before_us=2**60, max_rows=0, keep_cursor_us=2**60)
    book.post("talk", "needle")
    assert index.newest_event(book.tx) == 1


def test_a_step_is_bounded_by_messages_and_by_characters(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is longer than a step still gets through."""
    monkeypatch.setattr(index, "STEP_MESSAGES", 3)
    monkeypatch.setattr(index, "STEP_CHARACTERS", 10)
    for text in ("a", "b", "c", "d", "x" * 50, "e"):
        book.post("talk", text)
    sizes = []
    while (step := index.next_news(book.tx)) is not None:
        sizes.append(len(step.entries))
        assert book.write(step)
    assert sizes == [3, 2, 1]


def test_a_step_that_another_overtook_changes_nothing(book: Book) -> None:
    """Neither twice the same, nor old words over new ones."""
    book.post("talk", "one")
    step = index.next_news(book.tx)
    assert book.write(step)
    assert not book.write(step)
    book.edit(0, "two")
    assert book.found("u:alice", "one") == ["msg_000001"]
    book.settle()
    assert (book.found("u:alice", "one"), book.found("u:alice", "two")) == ([], ["msg_000001"])


def test_pages_go_on_where_a_message_was(book: Book) -> None:
    """Also if it is deleted meanwhile, or gone with its conversation."""
    ids = [book.post(talk, "needle") or "" for talk in ("talk", "more", "talk", "more", "talk")]
    book.settle()

    def older_than(message_id: str) -> list[str]:
        return book.found("u:alice", "needle", below=index.number_of(book.tx, message_id))

    assert older_than(ids[3]) == [ids[2], ids[1], ids[0]]
    book.delete(3)
    book.settle()
    assert older_than(ids[3]) == [ids[2], ids[1], ids[0]]
    book.drop("more")
    assert older_than(ids[3]) == [ids[2], ids[0]]
    assert older_than("") == []


def test_deleted_words_leave_the_file(book: Book) -> None:
    """
    After the cleaning chore neither the message nor the index holds them; before it the index does.
    """

    def count(word: str) -> int:
        book.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return book.path.read_bytes().count(word.encode())

    for number in range(300):
        book.post("talk", f"filler {number}")
        if number % 100 == 0:
            book.settle()
    book.post("talk", "xylophonist")
    book.post("other", "zymurgist")
    book.settle()
    assert count("xylophonist") > 0
    book.delete(len(book.truth) - 2)
    book.drop("other")
    book.settle()
    assert count("xylophonist") > 0, "the test shows nothing if nothing lingers"
    assert index.begin_cleaning(book.tx)
    while index.go_on_cleaning(book.tx):
        pass
    assert (count("xylophonist"), count("zymurgist")) == (0, 0)
    assert not index.begin_cleaning(book.tx)
    assert len(book.found("u:alice", "filler")) == 300


def test_cleaning_that_was_killed_begins_again(book: Book) -> None:
    """And what is deleted while it runs is cleaned by the next one."""
    for number in range(10):
        book.post("talk", f"word{number}")
        book.settle()
    book.delete(0)
    book.settle()
    assert index.begin_cleaning(book.tx)
    book.reopen()
    assert index.begin_cleaning(book.tx)
    book.delete(0)
    book.settle()
    while index.go_on_cleaning(book.tx):
        pass
    assert index.begin_cleaning(book.tx)
    while index.go_on_cleaning(book.tx):
        pass
    assert not index.begin_cleaning(book.tx)


def test_other_peoples_messages_cost_a_search_nothing(book: Book) -> None:
    """
    What SQLite does to answer hardly grows with what others wrote, a hundred times as much and the same words.
    """

    def cost(q: str) -> int:
        ticks = 0

        def tick() -> int:
            nonlocal ticks
            ticks += 1
            return 0

        book.conn.set_progress_handler(tick, 1)
        assert book.found("u:bob", q, limit=20)
        book.conn.set_progress_handler(None, 1)
        return ticks

    for _ in range(20):
        book.post("other", "the needle in a haystack")
    book.settle()
    before = [cost(q) for q in ("needle ", "the", "h")]
    with book.transaction():
        for _ in range(2000):
            book.post("talk", "the needle in a haystack")
    book.settle()
    after = [cost(q) for q in ("needle ", "the", "h")]
    assert all(later < 1.5 * earlier for later, earlier in zip(after, before, strict=True)), (before, after)


def test_engines_without_the_table_are_noticed() -> None:
    """The index needs FTS5, which Python's builds of SQLite have."""
    options = {row[0] for row in sqlite3.connect(":memory:").execute("PRAGMA compile_options")}
    assert "ENABLE_FTS5" in options
