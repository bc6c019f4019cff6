"""Questions that wait for their answers."""

from __future__ import annotations

import anyio
import pytest

from amtrio.client.questions import Questions, question_fields
from amtrio.client.shapes import Answer, Option, Question

ANSWERED = Question(state="answered", answer=Answer(option_ids=["yes"]))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_answer_that_is_faster_than_the_id_is_kept(backend: str) -> None:
    """
    It may be heard before the asker knows which message asked.
    """

    async def scene() -> None:
        questions = Questions()
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
        questions, got = Questions(), {}

        async def ask(message_id: str) -> None:
            with questions.asking():
                got[message_id] = (await questions.wait(message_id)).state

        questions.heard("m1", ANSWERED)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, "m1")
            tasks.start_soon(ask, "m2")
            await anyio.wait_all_tasks_blocked()
            assert sorted(questions.open_ones()) == ["m1", "m2"]
            questions.heard("m2", Question(state="expired"))
            questions.heard("m1", ANSWERED)
        assert got == {"m1": "answered", "m2": "expired"}
        assert questions.open_ones() == []

    anyio.run(scene, backend=backend)


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
