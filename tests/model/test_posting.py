"""What every command that posts a message shares: one number, one announcement, one message per client_id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.clock import SystemClock
from amtrio.context import Context, Principal, Services
from amtrio.errors import ClientIdReused, Malformed, NotFound
from amtrio.model.conversation import create
from amtrio.model.message import HAS_QUESTION, Encryption, MessagePosted, message, message_row
from amtrio.model.posting import MessageSent, Post, store_message
from amtrio.model.question import AskedQuestion, Option
from amtrio.store.database import ReadTx, Tx
from amtrio.store.log import make_account
from tests.harness import config_for

CLIENT_ID = "0123456789abcdef"
ENCRYPTION = Encryption(algorithm="aes-256-gcm", iv="AAAA")


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with open_services(config_for(tmp_path)) as (services, _):
        yield services


def context(services: Services, account: str = "u:alice") -> Context:
    kind: Any = "user" if account[0] == "u" else "agent"
    return Context(services, Principal(kind=kind, id=account[2:], account=account, name=account[2:], session="s"))


def begin(tx: Tx) -> str:
    """Alice and the agent `helper`, and their conversation."""
    for key in ("u:alice", "u:bob", "a:helper"):
        make_account(tx, key)
    tx.run("INSERT INTO user_account (account_key, id, username, password_hash, created_us) VALUES"
           " ('u:alice', 'alice', 'alice', '', 0), ('u:bob', 'bob', 'bob', '', 0)")  # fmt: skip
    tx.run("INSERT INTO agent (account_key, id, name, credential_kind, created_us)"
           " VALUES ('a:helper', 'helper', 'helper', 'shared', 0)")  # fmt: skip
    return create(tx, SystemClock(), "u:alice", "a:helper", title=None, device=None)


class Counting:
    """A unit's transaction that counts the statements given to it."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.statements = 0
        self.at_us = tx.at_us
        self.announced: list[MessagePosted] = []

    def one(self, sql: str, /, **params: Any) -> Any:
        self.statements += 1
        return self._tx.one(sql, **params)

    def all(self, sql: str, /, **params: Any) -> Any:
        self.statements += 1
        return self._tx.all(sql, **params)

    def run(self, sql: str, /, **params: Any) -> int:
        self.statements += 1
        return self._tx.run(sql, **params)

    def announce(self, event: Any, accounts: Any, /, *, device: str | None = None) -> None:
        self.announced.append(event)
        self._tx.announce(event, accounts, device=device)

    def on_commit(self, call: Any, /) -> None:
        self._tx.on_commit(call)


async def test_a_plain_message_costs_three_statements(services: Services) -> None:
    """Who is in it, the row, the number: the announcement is all there is besides."""
    talk = await services.store.write(begin)

    def unit(tx: Tx) -> int:
        counting = Counting(tx)
        store_message(counting, context(services), Post(conversation_id=talk, client_id=CLIENT_ID), "hello")
        return counting.statements

    assert await services.store.write(unit) == 3


async def test_a_message_of_any_kind_is_one_of_the_conversation(services: Services) -> None:
    """Ciphertext has the same numbers, the same log, and is told with what it was made of."""
    talk = await services.store.write(begin)

    def unit(tx: Tx) -> MessagePosted:
        counting = Counting(tx)
        store_message(counting, context(services), Post(conversation_id=talk), "plain", metadata={"a": 1},
                      metadata_text='{"a":1}')  # fmt: skip
        sent = store_message(
            counting, context(services, "a:helper"), Post(user_id="alice"), "c2VjcmV0", kind="encrypted",
            encryption=ENCRYPTION,
        )  # fmt: skip
        assert (sent.conversation_id, sent.conversation_seq) == (talk, 2)
        return counting.announced[-1]

    told = await services.store.write(unit)

    def look(tx: ReadTx) -> MessagePosted:
        row = message_row(tx, told.message_id)
        assert row is not None
        return message(tx, MessagePosted, row)

    assert await services.store.read(look) == told
    assert (told.kind, told.content, told.encryption, told.sender_id) == (
        "encrypted", "c2VjcmV0", ENCRYPTION, "helper",
    )  # fmt: skip


async def test_a_client_id_names_one_message(services: Services) -> None:
    """The same one again has the first answer; with another text, place, or envelope it is refused."""
    talk = await services.store.write(begin)
    store = services.store

    def send(tx: Tx, content: str, encryption: Encryption | None, to: str | None = None) -> MessageSent:
        frame = Post(client_id=CLIENT_ID, conversation_id=to, agent_id="helper")
        return store_message(tx, context(services), frame, content, kind="encrypted", encryption=encryption)

    first = await store.write(send, "c2VjcmV0", ENCRYPTION, talk)
    again = await store.write(send, "c2VjcmV0", ENCRYPTION)
    assert (again.message_id, again.conversation_seq, again.repeated) == (first.message_id, 1, True)
    for content, encryption in (("b3RoZXI", ENCRYPTION), ("c2VjcmV0", Encryption(algorithm="x")), ("c2VjcmV0", None)):
        with pytest.raises(ClientIdReused):
            await store.write(send, content, encryption, talk)


async def test_what_has_no_place_is_refused(services: Services) -> None:
    """A stranger's conversation is none, and neither is nothing; nor does a number get used up."""
    talk = await services.store.write(begin)
    store = services.store

    def send(tx: Tx, account: str, frame: Post) -> MessageSent:
        return store_message(tx, context(services, account), frame, "x")

    with pytest.raises(NotFound):
        await store.write(send, "u:bob", Post(conversation_id=talk))
    with pytest.raises(NotFound):
        await store.write(send, "u:alice", Post(conversation_id="conv_no"))
    with pytest.raises(NotFound):
        await store.write(send, "u:alice", Post(conversation_id=talk, reply_to="msg_no"))
    with pytest.raises(Malformed):
        await store.write(send, "u:alice", Post())
    with pytest.raises(NotFound):
        await store.write(send, "a:helper", Post(user_id="bob"))
    assert (await store.write(send, "u:alice", Post(conversation_id=talk))).conversation_seq == 1


async def test_what_waits_for_its_agent_is_told_so(services: Services) -> None:
    """Whether it waits is not what was said: sent again it is the same message, whatever it does by then."""
    talk = await services.store.write(begin)

    def unit(tx: Tx) -> MessagePosted:
        counting, frame = Counting(tx), Post(conversation_id=talk, client_id=CLIENT_ID)
        sent = store_message(counting, context(services), frame, "later", is_queued=True)
        again = store_message(counting, context(services), frame, "later")
        assert (again.message_id, again.repeated, len(counting.announced)) == (sent.message_id, True, 1)
        row = message_row(tx, sent.message_id)
        assert row is not None
        assert message(tx, MessagePosted, row) == counting.announced[0]
        return counting.announced[0]

    told = await services.store.write(unit)
    assert told.queued


async def test_what_a_message_asks_is_part_of_what_was_said(services: Services) -> None:
    """It is told as it is read, and under the same client_id another question is another message."""
    talk = await services.store.write(begin)
    options = (Option(id="yes", label="Yes"), Option(id="no", label="No"))

    def send(tx: Tx, question: AskedQuestion | None) -> tuple[MessageSent, list[MessagePosted]]:
        counting, frame = Counting(tx), Post(conversation_id=talk, client_id=CLIENT_ID)
        sent = store_message(counting, context(services, "a:helper"), frame, "Well?", question=question)
        row = message_row(tx, sent.message_id)
        assert row is not None
        assert row[16] == HAS_QUESTION
        assert counting.announced in ([], [message(tx, MessagePosted, row)])
        return sent, counting.announced

    sent, (told,) = await services.store.write(send, AskedQuestion(options=options, expires_in_s=60))
    assert told.question is not None
    assert (told.question.options, told.question.state) == (options, "open")
    again, announced = await services.store.write(send, AskedQuestion(options=options, expires_in_s=60))
    assert (again.message_id, again.repeated, announced) == (sent.message_id, True, [])
    for other in (None, AskedQuestion(options=options), AskedQuestion(options=options[::-1], expires_in_s=60)):
        with pytest.raises(ClientIdReused):
            await services.store.write(send, other)
