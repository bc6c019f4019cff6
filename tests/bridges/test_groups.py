"""Failures in task groups."""

from __future__ import annotations

import anyio
import pytest

from amtrio.bridges.groups import unwrapped
from tests.bridges.conftest import Play


def test_a_single_failure_comes_out_bare(play: Play) -> None:
    """
    From however many groups, one inside the other.
    """

    async def scene() -> None:
        with pytest.raises(LookupError, match="found nothing"), unwrapped():
            async with anyio.create_task_group(), anyio.create_task_group():
                raise LookupError("found nothing")

    play(scene)


def test_a_failure_keeps_its_cause() -> None:
    """
    And is not said to have come of the group.
    """
    cause, failure = OSError(), LookupError()
    failure.__cause__ = cause
    with pytest.raises(LookupError) as caught, unwrapped():
        raise ExceptionGroup("one", [failure])
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (cause, True)


def test_several_failures_stay_together() -> None:
    """
    None of them is lost.
    """
    with pytest.raises(ExceptionGroup, match="two"), unwrapped():
        raise ExceptionGroup("two", [LookupError(), ValueError()])


def test_no_group_is_no_matter() -> None:
    """
    What was bare stays so, and success too.
    """
    with unwrapped():
        pass
    with pytest.raises(LookupError), unwrapped():
        raise LookupError
