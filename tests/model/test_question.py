"""Questions as they are stored: what is asked, which answer is the first, and which are over."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from amtrio.clock import MICROS_PER_SECOND, rfc3339
from amtrio.errors import Answered, Closed, Malformed
from amtrio.model.question import (
    EXPIRED_AT_ONCE,
    AskedQuestion,
    Chosen,
    Option,
    answer,
    ask,
    checked_question,
    close,
    expire,
    forget,
    next_expiry_us,
    question_of,
)
from amtrio.store.database import Tx
from tests.features.conftest import Cast, cast, scene, send
from tests.harness import Scene

__all__ = ["cast", "scene"]

YES, NO = Option(id="yes", label="Yes", style="primary"), Option(id="no", label="No", description="Better not")


async def messages(scene: Scene, cast: Cast, count: int) -> list[str]:
    return [(await send(scene, cast.helper, cast.talk, str(number)))["message_id"] for number in range(count)]


def test_labels_are_lines_and_ids_are_unique() -> None:
    """A label is kept as people see it: composed, and without spaces round it."""
    asked = AskedQuestion(options=(Option(id="a", label="  Cafe\u0301 "), NO), free_text=True)
    assert checked_question(asked) == AskedQuestion(options=(Option(id="a", label="Café"), NO), free_text=True)
    with pytest.raises(Malformed, match=r"question\.options.*'no'"):
        checked_question(AskedQuestion(options=(YES, NO, NO)))
    for label in ("", " ", "a\nb", "x" * 101, "\u202eno"):
        with pytest.raises(Malformed, match=r"question\.options: a label"):
            checked_question(AskedQuestion(options=(Option(id="a", label=label),)))


async def test_what_is_asked_is_what_is_read(scene: Scene, cast: Cast) -> None:
    """With its end, or without one; a message that asks nothing has no question."""
    store = scene.running.services.store
    first, second, third = await messages(scene, cast, 3)

    def unit(tx: Tx) -> None:
        asked = ask(tx, first, AskedQuestion(options=(YES, NO), multiple=True, expires_in_s=90))
        assert asked == question_of(tx, first)
        assert asked.expires_at == rfc3339(tx.at_us + 90 * MICROS_PER_SECOND)
        assert (asked.options, asked.multiple, asked.free_text, asked.state) == ((YES, NO), True, False, "open")
        assert next_expiry_us(tx) == tx.at_us + 90 * MICROS_PER_SECOND
        plain = ask(tx, second, AskedQuestion(options=(NO,), free_text=True))
        assert plain == question_of(tx, second)
        assert (plain.expires_at, plain.answer, plain.free_text) == (msgspec.UNSET, msgspec.UNSET, True)
        assert question_of(tx, third) is None

    await store.write(unit)


async def test_the_first_answer_stays(scene: Scene, cast: Cast) -> None:
    """A later one is told of it, and so is whoever closes the question."""
    store = scene.running.services.store
    (message_id,) = await messages(scene, cast, 1)
    alice = f"u:{cast.alice.id}"

    def unit(tx: Tx) -> None:
        ask(tx, message_id, AskedQuestion(options=(YES, NO), multiple=True, free_text=True))
        given = answer(tx, message_id, alice, ["no", "yes"], "but slowly")
        chosen = Chosen(
            option_ids=("yes", "no"), text="but slowly", answered_by=cast.alice.id, answered_at=rfc3339(tx.at_us)
        )
        assert (given.state, given.answer) == ("answered", chosen)
        expected = {"answer": msgspec.to_builtins(chosen)}
        with pytest.raises(Answered) as refused:
            answer(tx, message_id, alice, ["yes"], None)
        assert refused.value.details == expected
        with pytest.raises(Answered) as refused:
            close(tx, message_id)
        assert refused.value.details == expected
        assert question_of(tx, message_id) == given

    await store.write(unit)


async def test_a_question_that_is_over_takes_no_answer(scene: Scene, cast: Cast) -> None:
    """Closed, or past its moment, which is no moment to answer any more; whether somebody has closed it or not."""
    store = scene.running.services.store
    closed, due, early = await messages(scene, cast, 3)
    alice = f"u:{cast.alice.id}"

    def unit(tx: Tx) -> None:
        for message_id in (closed, due, early):
            ask(tx, message_id, AskedQuestion(options=(YES, NO), expires_in_s=60))
        gone = close(tx, closed)
        assert gone is not None
        assert (gone.state, close(tx, closed)) == ("closed", None)
        for message_id, expires_us in ((due, tx.at_us), (early, tx.at_us + 1)):
            tx.run("UPDATE question SET expires_us = :at WHERE message_id = :id", at=expires_us, id=message_id)
        for message_id in (closed, due):
            with pytest.raises(Closed):
                answer(tx, message_id, alice, ["yes"], None)
        assert [(id_, each.state) for id_, each in expire(tx)] == [(due, "expired")]
        assert (expire(tx), close(tx, due)) == ([], None)
        assert next_expiry_us(tx) == tx.at_us + 1
        assert answer(tx, early, alice, ["yes"], None).state == "answered"
        assert next_expiry_us(tx) is None

    await store.write(unit)


async def test_many_that_are_over_are_closed_slice_by_slice(scene: Scene, cast: Cast) -> None:
    """No transaction is longer than a slice of them, and a forgotten one is none of them."""
    store = scene.running.services.store
    ids = await messages(scene, cast, 3)

    def unit(tx: Tx) -> list[int]:
        copies = [f"{ids[0]}_{number}" for number in range(EXPIRED_AT_ONCE)]
        for number, copy in enumerate(copies):
            tx.run(
                "INSERT INTO message (id, conversation_id, seq, sender_key, content, created_us)"
                " SELECT :copy, conversation_id, :seq, sender_key, content, created_us FROM message WHERE id = :id",
                copy=copy,
                seq=1000 + number,
                id=ids[0],
            )
        for message_id in (*ids, *copies):
            ask(tx, message_id, AskedQuestion(options=(YES,), expires_in_s=1))
        forget(tx, ids[0])
        tx.run("UPDATE question SET expires_us = 1")
        return [len(expire(tx)) for _ in range(3)]

    slices: Any = await store.write(unit)
    assert slices == [EXPIRED_AT_ONCE, 2, 0]
