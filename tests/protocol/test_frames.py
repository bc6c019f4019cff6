"""What every frame promises, whichever feature it belongs to."""

from __future__ import annotations

import re

import pytest

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.feature import registry
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import CLIENT_ID_PATTERN, ID_PATTERN, Command, Connected, Event, Gone
from tests.protocol.events import every_event


@pytest.mark.parametrize("id_", ["a", "A.b-c_9", "x" * 64])
def test_ids_that_go_into_urls_unescaped(id_: str) -> None:
    """The shape of an id holds nothing that a URL would have to escape."""
    assert re.match(ID_PATTERN, id_)


@pytest.mark.parametrize("id_", ["", "x" * 65, "a b", "a/b", "ä", "a:b", "a%20", "a?b", "a\x00", "a\n", "\na"])
def test_ids_of_another_shape(id_: str) -> None:
    """Everything else is refused."""
    assert not re.match(ID_PATTERN, id_)


def test_a_client_id_is_long_enough_to_be_unique() -> None:
    """16 to 64 characters; a UUID, a ULID and a prefixed one fit."""
    for good in ("x" * 16, "x" * 64, "0198-aaaa:bbbb.cccc_", "123e4567-e89b-12d3-a456-426614174000"):
        assert re.match(CLIENT_ID_PATTERN, good)
    for bad in ("x" * 15, "x" * 65, "x" * 15 + " ", "ä" * 16, "x" * 16 + "\n"):
        assert not re.match(CLIENT_ID_PATTERN, bad)


def test_an_event_belongs_to_no_conversation_unless_it_says_so() -> None:
    """What names neither conversation nor subject is seen by the whole account."""
    assert (Gone().log_conversation, Gone().log_subject, Gone().log_kind) == (None, None, "")


def test_every_logged_event_can_be_told_again() -> None:
    """An event that the log keeps has a renderer, and names what the renderer needs to find it."""
    for event in every_event():
        if event.log_kind:
            assert event.log_kind in registry.replays, type(event).__name__
            assert event.log_subject, type(event).__name__


# What is only true now. Everything else is in the log of each account that it concerns, and so reaches devices that are
# away; a new event is one of the two by decision.
EPHEMERAL = {
    "Connected", "Resync", "Gone", "Failed", "Delivered", "PresenceUpdate", "StatusChanged", "Typing", "AgentChanged",
    "RunSnapshot", "RunDelta", "RunAck", "RunControl", "RunControlState",
}  # fmt: skip


def test_what_is_not_in_the_log_is_so_by_decision() -> None:
    assert {type(event).__name__ for event in every_event() if not event.log_kind} == EPHEMERAL


def test_words_on_the_wire_are_unique() -> None:
    """Two events with one word would be the same event to a client."""
    words = [type(event).type for event in every_event()]
    assert sorted(words) == sorted(set(words))


def test_every_command_ignores_fields_of_newer_clients() -> None:
    """A client may be newer than the server."""
    for spec in registry.commands.values():
        assert issubclass(spec.shape, Command), spec.word
        assert not spec.shape.__struct_config__.forbid_unknown_fields, spec.word


def test_connected_says_everything_even_what_is_empty() -> None:
    """A client reads the greeting without defaults of its own."""
    greeting = next(event for event in every_event() if isinstance(event, Connected))
    assert set(Connected.__struct_fields__) == {
        name for name in Connected.__struct_fields__ if f'"{name}":'.encode() in encode(greeting)
    }
    assert issubclass(Connected, Event)
