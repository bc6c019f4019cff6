"""Questions that wait for their answers."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from amtrio.client.errors import Refused, Unreachable
from amtrio.client.events import Message
from amtrio.client.questions import Questions, question_fields
from amtrio.client.shapes import Answer, Option, Question

ANSWERED = Question(state="answered", answer=Answer(option_ids=["yes"]))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_answer_that_is_faster_than_the_id_is_kept(backend: str) -> None:
    """
    It may be heard before the asker knows which message asked.
    """

    async def scene() -> None:
        questions = Questions(_unasked)
        with questions.asking():
            questions.heard("m1", ANSWERED)
            questions.heard("m1", Question(state="open"))
            assert await questions.wait("m1") == ANSWERED

    anyio.run(scene, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_each_gets_its_own_answer(backend: str) -> None:
    """
    Several at once; what nobody waits for is forgotten.
    """

    async def scene() -> None:
        questions, got = Questions(_unasked), dict[str, str]()

        async def ask(message_id: str) -> None:
            with questions.asking():
                got[message_id] = (await questions.wait(message_id)).state

        questions.heard("m1", ANSWERED)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, "m1")
            tasks.start_soon(ask, "m2")
            await anyio.wait_all_tasks_blocked()
            assert (sorted(questions.missed()), questions.gaps) == (["m1", "m2"], 1)
            questions.heard("m2", Question(state="expired"))
            questions.heard("m1", ANSWERED)
        assert got == {"m1": "answered", "m2": "expired"}
        assert questions.missed() == []

    anyio.run(scene, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_question_is_looked_at_until_somebody_says_what_became_of_it(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Nobody answers, the server is busy, then it says; one that is gone is closed, one that is open stays so.
    """
    monkeypatch.setattr("amtrio.client.questions._LOOK_AGAIN_S", 0.001)
    busy = Refused("busy", code="overloaded", retry="after_ms")
    answers: list[Question | Exception | None] = [Unreachable("nobody"), busy, ANSWERED]

    async def fetch(message_id: str) -> Message:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        place: dict[str, Any] = {"message_id": message_id, "conversation_id": "c1", "conversation_seq": 1}
        return Message(**place, sender_type="agent", sender_id="demo", question=answer)

    async def scene() -> None:
        questions = Questions(fetch)
        with questions.asking():
            await questions.look_at("m1")
            assert await questions.wait("m1") == ANSWERED
            answers.append(Refused("gone", code="not_found"))
            await questions.look_at("m2")
            answers.append(None)
            await questions.look_at("m3")
            assert [(await questions.wait(each)).state for each in ("m2", "m3")] == ["closed", "closed"]
            answers.append(Question(state="open"))
            await questions.look_at("m4")
            with anyio.move_on_after(0) as scope:
                await questions.wait("m4")
            assert scope.cancelled_caught

    anyio.run(scene, backend=backend)


async def _unasked(message_id: str) -> Message:
    raise AssertionError(message_id)


def test_a_text_is_its_own_label_and_id_where_it_can_be() -> None:
    """
    Others are numbered.
    """
    fields = question_fields(["Yes", "No, thanks", "Äh", Option(id="x", label="X", style="danger")],
                             multiple=False, free_text=True, expires_in_s=90.4)  # fmt: skip
    assert [each["id"] for each in fields["options"]] == ["Yes", "option-2", "option-3", "x"]
    assert fields["options"][3] == {"id": "x", "label": "X", "style": "danger"}
    assert (fields["multiple"], fields["free_text"], fields["expires_in_s"]) == (False, True, 90)


def test_a_question_nobody_can_answer_is_refused() -> None:
    """
    Here, before anybody sees it.
    """
    with pytest.raises(ValueError, match="at least one option"):
        question_fields([], multiple=False, free_text=True, expires_in_s=None)
    with pytest.raises(ValueError, match="same id"):
        question_fields(["a", "a"], multiple=False, free_text=False, expires_in_s=None)
