"""The full-text index: follows the event log, goes through what is older, forgets what is deleted, and finds.

The only file that knows how words are kept (SQLite's FTS5). Knows no command, no route, no socket.

Each step looks at the data in a read and writes in a unit of its own, so that folding text holds up nobody's message.
What happens in between is put right by a later step, since it has an event behind the place that this one moves to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from amtrio.model.message import MessageDeleted, MessageEdited, MessagePosted
from amtrio.model.pages import SIZED
from amtrio.store.database import ReadTx, Row, Tx, Value
from amtrio.text.words import Query, fold

# One step is one transaction, and messages wait behind it: these many take about 10 ms.
STEP_EVENTS = 1000
STEP_MESSAGES = 100
STEP_CHARACTERS = 50_000
# What is put together in one transaction, in pages of 4 KiB.
MERGE_PAGES = 64

# Beyond every number, and within the 64 bits that a database compares.
_NO_END = 2**62
_KINDS = frozenset({MessagePosted.log_kind, MessageEdited.log_kind, MessageDeleted.log_kind})


class Place(NamedTuple):
    """How far the index has come; see the migration."""

    event: int
    backfill_id: str | None
    newest: int
    oldest: int
    waste: int


class Entry(NamedTuple):
    """What the index shall hold of one message; None as words: nothing any more."""

    message_id: str
    words: str | None
    who: str


@dataclass(frozen=True, slots=True)
class Step:
    """
    What one transaction writes.

    Attributes:
        place: where it was made; written only from there. upto: where it leads to, by its event and backfill_id.
        entries: for new numbers, in their order. renewed: those that have a number.
    """

    place: Place
    upto: Place
    entries: tuple[Entry, ...] = ()
    renewed: tuple[Entry, ...] = ()


def place_of(tx: ReadTx) -> Place:
    """How far the index has come."""
    row = tx.one("SELECT event, backfill_id, newest, oldest, waste FROM search_place")
    return Place(*row) if row is not None else Place(0, "~", 0, 0, 0)


def newest_event(tx: ReadTx) -> int:
    """The number of the newest event."""
    return int((tx.one("SELECT coalesce(max(number), 0) FROM event") or (0,))[0])


class _Reader:
    """Reads messages for one step, as many as it may hold."""

    def __init__(self, tx: ReadTx) -> None:
        self._tx = tx
        self._who: dict[str, str] = {}
        self._characters = 0
        self._messages = 0

    @property
    def is_full(self) -> bool:
        return self._messages >= STEP_MESSAGES or self._characters >= STEP_CHARACTERS

    def entry(self, message_id: str) -> tuple[Entry, bool] | None:
        """What shall be kept of a message and whether it has a number; None if it is gone or was never text."""
        row = self._tx.one(
            """
            SELECT m.conversation_id, m.content, m.deleted_us, e.number FROM message m
            LEFT JOIN search_entry e ON e.message_id = m.id WHERE m.id = :id AND m.kind = 'text'""",
            id=message_id,
        )
        if row is None:
            return None
        conversation_id, content, deleted_us, number = row
        self._messages += 1
        self._characters += len(content)
        words = " ".join(fold(content)) if deleted_us is None else None
        return Entry(message_id, words, self._members(conversation_id)), number is not None

    def _members(self, conversation_id: str) -> str:
        who = self._who.get(conversation_id)
        if who is None:
            rows = self._tx.all(
                """
                SELECT a.number FROM member m JOIN account a ON a.key = m.account_key
                WHERE m.conversation_id = :id AND m.left_at_seq IS NULL""",
                id=conversation_id,
            )
            who = self._who[conversation_id] = " ".join(str(row[0]) for row in rows)
        return who


def next_news(tx: ReadTx) -> Step | None:
    """The next events of the log, None if there are none: each message as it is today."""
    place = place_of(tx)
    rows = tx.all(
        "SELECT number, kind, subject_id FROM event WHERE number > :event ORDER BY number LIMIT :limit",
        event=place.event,
        limit=STEP_EVENTS,
    )
    if not rows:
        return None
    reader = _Reader(tx)
    entries: dict[str, Entry] = {}
    renewed: dict[str, Entry] = {}
    upto = place.event
    for number, kind, message_id in rows:
        if kind in _KINDS and message_id not in entries and message_id not in renewed:
            if reader.is_full:
                break
            # What was changed before the backfill reaches it will be read by then.
            is_to_come = place.backfill_id is not None and message_id < place.backfill_id
            found = reader.entry(message_id)
            if found is not None and found[1]:
                renewed[message_id] = found[0]
            elif found is not None and (kind == MessagePosted.log_kind or not is_to_come):
                entries[message_id] = found[0]
        upto = number
    return Step(place, place._replace(event=upto), tuple(entries.values()), tuple(renewed.values()))


def next_backfill(tx: ReadTx) -> Step | None:
    """The next messages that are older than the index, None if there are none: newest first, as they are wanted."""
    place = place_of(tx)
    if place.backfill_id is None:
        return None
    rows = tx.all(
        "SELECT id FROM message WHERE id < :id ORDER BY id DESC LIMIT :limit",
        id=place.backfill_id,
        limit=STEP_EVENTS,
    )
    reader = _Reader(tx)
    entries: list[Entry] = []
    upto = None
    for (message_id,) in rows:
        if reader.is_full:
            break
        found = reader.entry(message_id)
        if found is not None and not found[1]:
            entries.append(found[0])
        upto = message_id
    return Step(place, place._replace(backfill_id=upto), tuple(reversed(entries)))


def write_step(tx: Tx, step: Step) -> bool:
    """Unit: write what was read; False, and nothing happened, if another step was written since."""
    place = place_of(tx)
    if (place.event, place.backfill_id) != (step.place.event, step.place.backfill_id):
        return False
    is_backfill = step.upto.backfill_id != step.place.backfill_id
    count = len(step.entries)
    newest = place.newest if is_backfill else place.newest + count
    oldest = place.oldest - count if is_backfill else place.oldest
    for entry in step.renewed:
        _put_words(tx, entry)
    # Upwards also within a step of the backfill: FTS5 writes a segment each time that a row comes before the last one.
    for number, entry in enumerate(step.entries, start=oldest if is_backfill else place.newest + 1):
        # Gone with its conversation meanwhile: then its number stays unused.
        tx.run(
            "INSERT INTO search_entry (number, message_id) SELECT :number, id FROM message WHERE id = :id",
            number=number,
            id=entry.message_id,
        )
        _put_words(tx, entry)
    is_waste = any(entry.words is None for entry in step.renewed)
    tx.run(
        """
        UPDATE search_place SET event = :event, backfill_id = :backfill_id, newest = :newest, oldest = :oldest,
            waste = CASE WHEN :is_waste = 1 THEN 1 ELSE waste END""",
        event=step.upto.event,
        backfill_id=step.upto.backfill_id,
        newest=newest,
        oldest=oldest,
        is_waste=int(is_waste),
    )
    return True


def _put_words(tx: Tx, entry: Entry) -> None:
    # A deleted message keeps its number, by which a page that ended with it finds the next one.
    if entry.words is None:
        tx.run(
            "DELETE FROM search_text WHERE rowid = (SELECT number FROM search_entry WHERE message_id = :id)",
            id=entry.message_id,
        )
        return
    tx.run(
        """
        REPLACE INTO search_text (rowid, words, who)
        SELECT number, :words, :who FROM search_entry WHERE message_id = :id""",
        id=entry.message_id,
        words=entry.words,
        who=entry.who,
    )


def has_gone(tx: ReadTx) -> bool:
    """Whether there are words of messages that no longer exist."""
    return tx.one("SELECT 1 FROM search_gone LIMIT 1") is not None


def remove_gone(tx: Tx) -> bool:
    """Unit: take out the words of some messages that no longer exist; False if that was all of them."""
    rows = tx.all("SELECT number FROM search_gone ORDER BY number LIMIT :limit", limit=STEP_MESSAGES)
    for (number,) in rows:
        tx.run("DELETE FROM search_text WHERE rowid = :number", number=number)
        tx.run("DELETE FROM search_gone WHERE number = :number", number=number)
    if rows:
        tx.run("UPDATE search_place SET waste = 1")
    return len(rows) == STEP_MESSAGES


def begin_cleaning(tx: Tx) -> bool:
    """
    Unit: have everything put together anew, if words were taken out; False if none were.

    Until then a word that was taken out still lies in the file, with a note beside it that it does not count.
    """
    if place_of(tx).waste == 0:
        return False
    tx.run("UPDATE search_place SET waste = 2")
    _merge(tx, -MERGE_PAGES)
    return True


def go_on_cleaning(tx: Tx) -> bool:
    """Unit: some pages more; False when it is done."""
    if merge_some(tx):
        return True
    # Still 2 unless more was deleted meanwhile.
    tx.run("UPDATE search_place SET waste = 0 WHERE waste = 2")
    return False


def merge_some(tx: Tx) -> bool:
    """
    Unit: put some of the index's segments together, of which every step adds one; False if there is no more to do.

    FTS5 does it by itself, unless it is told not to: in the middle of a step, and for a second at a time.
    """
    return _merge(tx, MERGE_PAGES)


def _merge(tx: Tx, pages: int) -> bool:
    """True if there is more to do: https://sqlite.org/fts5.html#the_merge_command says how to know."""
    before = (tx.one("SELECT total_changes()") or (0,))[0]
    tx.run("INSERT INTO search_text (search_text, rank) VALUES ('merge', :pages)", pages=pages)
    after = (tx.one("SELECT total_changes()") or (0,))[0]
    return bool(after - before >= 2)  # noqa: PLR2004 - the documentation's number


def number_of(tx: ReadTx, message_id: str) -> int:
    """
    Where a page that ended with this message goes on: every entry below.

    If the message has gone with its conversation, where it stood by its id, which is nearly the same.
    """
    row = tx.one("SELECT number FROM search_entry WHERE message_id = :id", id=message_id)
    if row is None:
        row = tx.one(
            "SELECT number + 1 FROM search_entry WHERE message_id < :id ORDER BY message_id DESC LIMIT 1", id=message_id
        )
    return int(row[0]) if row is not None else -_NO_END


def find(
    tx: ReadTx,
    account: str,
    query: Query,
    *,
    limit: int,
    below: int = _NO_END,
    above: int = -_NO_END,
    condition: str = "",
    **params: Value,
) -> list[Row]:
    """
    `SIZED` of messages with these words that `account` may see, newest first.

    Args:
        below, above: numbers of entries, exclusive.
        condition: SQL that goes on behind the WHERE clause, about `m` (message) and `c` (conversation); never anything
            that a client said, which belongs into `params`.

    Returns:
        What the index knows: a message that was edited a moment ago may still be found by its old words.
    """
    row = tx.one("SELECT number FROM account WHERE key = :account", account=account)
    if row is None:
        return []
    # CROSS JOIN keeps SQLite from starting anywhere else than in the index, whose order is that of the results.
    return tx.all(
        f"""
        SELECT {SIZED} FROM search_text CROSS JOIN search_entry e ON e.number = search_text.rowid
        CROSS JOIN message m ON m.id = e.message_id CROSS JOIN conversation c ON c.id = m.conversation_id
        CROSS JOIN member mine ON mine.conversation_id = m.conversation_id AND mine.account_key = :account
        WHERE search_text MATCH :terms AND search_text.rowid < :below AND search_text.rowid > :above
            AND mine.left_at_seq IS NULL AND m.deleted_us IS NULL AND m.kind = 'text' {condition}
        ORDER BY search_text.rowid DESC LIMIT :limit""",  # noqa: S608 - our own words
        account=account,
        terms=_terms(int(row[0]), query),
        below=below,
        above=above,
        limit=limit,
        **params,
    )


def _terms(account: int, query: Query) -> str:
    """The query in FTS5's language. Tokens hold no quote and stand between quotes, so none of it is the asker's."""
    words = (f'"{" ".join(phrase.tokens)}"{" *" if phrase.is_prefix else ""}' for phrase in query)
    return f'who : "{account}" AND words : ({" AND ".join(words)})'
