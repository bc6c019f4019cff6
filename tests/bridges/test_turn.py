"""What bridges need is what the SDK gives."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

import amtrio.client
from amtrio.bridges import turn

if TYPE_CHECKING:

    def _held_by_the_type_checker(message: amtrio.client.Incoming, run: amtrio.client.Run) -> None:
        ours: tuple[turn.Incoming, turn.Run] = (message, run)
        del ours


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(turn.Run, amtrio.client.Run), (turn.Part, amtrio.client.PartWriter), (turn.Incoming, amtrio.client.Incoming)],
)
def test_the_sdk_has_all_that_bridges_ask_for(ours: type, theirs: type) -> None:
    """
    By name, and callable with as many arguments; the type checker sees the rest.
    """
    for name, member in vars(ours).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            assert name in theirs.__annotations__
        else:
            assert len(inspect.signature(member).parameters) <= len(inspect.signature(getattr(theirs, name)).parameters)
