"""One event, as the native protocol says it, and whose bytes are shared."""

from __future__ import annotations

import pytest

from amtrio.protocol.dialects import V2, Dialect
from amtrio.protocol.frames import Done, Event
from amtrio.protocol.v1 import V1
from tests.protocol.events import every_class, every_event, make
from tests.protocol.telling import PROFILES, SENT, VIEWERS, replied, told


@pytest.mark.parametrize("shape", every_class(), ids=lambda shape: shape.__name__)
def test_v2_gets_every_event_with_its_number(shape: type[Event]) -> None:
    """The native protocol hears everything, in one frame each, numbered if the log numbers it."""
    event = make(shape)
    for viewer in VIEWERS:
        (frame,) = told(V2(), event, viewer, 9)
        assert (frame["type"], frame["seq"], list(frame)) == (shape.type, 9, ["type", "seq", "data"])
        (frame,) = told(V2(), event, viewer)
        assert list(frame) == ["type", "data"]
        assert ("client_id" in frame["data"]) == (viewer.is_own and hasattr(event, "client_id"))


def test_viewers_with_the_same_form_get_the_same_bytes() -> None:
    """Bytes are shared by form; two viewers that need different bytes must have different forms."""
    every_dialect: list[Dialect] = [V2(), *(V1(profile) for profile in PROFILES)]
    for dialect in every_dialect:
        for event in every_event():
            by_form: dict[object, list[bytes]] = {}
            for viewer in VIEWERS:
                account = f"{viewer.kind[0]}:{'sender' if viewer.is_own else 'other'}"
                made = dialect.event(event, viewer, 3)
                assert by_form.setdefault(dialect.form(viewer, 3, account), made) == made


def test_v2_answers_under_the_ref() -> None:
    (frame,) = replied(V2(), SENT, "message", ref=b'"r1"')
    assert (frame["type"], frame["ref"], "seq" in frame) == ("message_sent", "r1", False)
    assert (frame["data"]["status"], frame["data"]["conversation_seq"]) == ("stored", 4)
    assert replied(V2(), Done(), "x", ref=b"5") == [{"type": "done", "ref": 5, "data": {}}]
    assert replied(V2(), {"a": 1}, "x") == [{"type": "done", "data": {"a": 1}}]
    assert replied(V2(), [1], "x") == [{"type": "done", "data": {"result": [1]}}]
