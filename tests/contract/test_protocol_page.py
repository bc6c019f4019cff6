"""docs/protocol.md, held against the server: what the page shows is what the server takes and sends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import amtrio.features  # noqa: F401 - registers every command
from amtrio.errors import NotFound
from amtrio.feature import registry
from amtrio.features.history import History
from amtrio.features.runs import RunState
from amtrio.features.search import SearchResults
from amtrio.features.snapshot import Snapshot
from amtrio.model.message_view import AttachmentView
from amtrio.model.posting import MessageSent
from amtrio.model.run_end import RunFinished
from amtrio.protocol.codec import Codec
from amtrio.protocol.frames import SESSION_WORDS, Event, HeartbeatAck, Pong
from amtrio.push.webpush import Payload
from amtrio.transports.answers import error_body

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
CODEC = Codec(SESSION_WORDS | {word: spec.shape for word, spec in registry.commands.items()})
ANSWERS: dict[str, type[msgspec.Struct]] = {
    "message_sent": MessageSent,
    "history": History,
    "search_results": SearchResults,
    "heartbeat_ack": HeartbeatAck,
    "pong": Pong,
    "run_state": RunState,
    "run_finished": RunFinished,
}


def examples(kind: str) -> list[dict[str, Any]]:
    """The page's fenced examples of one kind."""
    return [json.loads(text) for text in re.findall(rf"```json {kind}\n(.*?)```", PAGE, re.DOTALL)]


def events() -> Iterator[type[Event]]:
    """Every event the server can send."""

    def below(shape: type[Event]) -> Iterator[type[Event]]:
        for each in shape.__subclasses__():
            if each.__module__.startswith("amtrio."):
                yield each
                yield from below(each)

    yield from (each for each in below(Event) if "type" in vars(each))


def fields_of(shape: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(shape)}


@pytest.mark.parametrize("example", examples("client"), ids=lambda example: str(example["type"]))
def test_the_server_takes_every_command_as_the_page_shows_it(example: dict[str, Any]) -> None:
    """And each field of it means something to the server."""
    raw = json.dumps(example)
    word, command = CODEC.command(CODEC.envelope(raw), raw)
    assert set(example["data"]) <= fields_of(type(command)), word


def test_the_page_shows_every_command() -> None:
    """A new command needs an example."""
    shown = {example["type"] for example in examples("client")}
    assert set(registry.commands) | {"hello", "ack", "heartbeat", "ping"} <= shown


def test_the_page_shows_every_event() -> None:
    """A new event needs an example."""
    shown = {example["type"] for example in examples("server")}
    assert {event.type for event in events()} <= shown


@pytest.mark.parametrize("example", examples("server"), ids=lambda example: str(example["type"]))
def test_the_server_sends_every_frame_as_the_page_shows_it(example: dict[str, Any]) -> None:
    """Its data converts to the very struct that the server encodes; numbered if, and only if, the log keeps it."""
    shapes = {event.type: event for event in events()}
    shape = shapes.get(example["type"]) or ANSWERS.get(example["type"])
    if shape is None:
        assert example["type"] == "done"
        return
    msgspec.convert(example["data"], shape)
    assert set(example["data"]) <= fields_of(shape)
    if issubclass(shape, Event) and shape.type != "gone":
        assert ("seq" in example) == bool(shape.log_kind), "seq is for events of the log"


def test_the_page_shows_an_error_over_rest_as_it_is() -> None:
    """One shape for all of them."""
    (example,) = examples("rest-error")
    assert set(example) <= set(json.loads(error_body(NotFound("no", retry_after_ms=1))))


def test_the_page_shows_an_attachment_as_it_is() -> None:
    """The struct of the route."""
    (example,) = examples("rest-attachment")
    msgspec.convert(example, AttachmentView)
    assert set(example) == fields_of(AttachmentView)


def test_the_page_shows_a_push_as_it_is() -> None:
    """What the service worker gets."""
    (example,) = examples("web-push")
    msgspec.convert(example, Payload)
    assert set(example) | {"withdraw"} == fields_of(Payload)


def test_the_page_shows_a_snapshot_as_it_is() -> None:
    """The struct of the route."""
    (example,) = examples("rest-snapshot")
    msgspec.convert(example, Snapshot)
    assert set(example) == fields_of(Snapshot)
