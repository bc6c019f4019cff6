"""A live run as a device shows it."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.client.events import Message, RunDelta, RunSnapshot
from amtrio.client.run_view import RunView, parts_of
from amtrio.client.shapes import PartDelta, RunPart, RunRecord

PLACE: dict[str, Any] = {"run_id": "run:1", "conversation_id": "c1"}


def snapshot(rev: int, *parts: RunPart) -> RunSnapshot:
    return RunSnapshot(**PLACE, agent_id="demo", rev=rev, parts=list(parts), reply_to="m1")


def delta(rev: int, *parts: PartDelta) -> RunDelta:
    return RunDelta(**PLACE, rev=rev, parts=list(parts))


def test_it_grows_by_what_is_new() -> None:
    """
    New parts, other metas, more text; the text is what the message will say, the status the newest line.
    """
    view = RunView("run:1", "c1")
    assert view.apply(snapshot(2, RunPart(part=0, kind="text", text="Hello ")))
    assert view.apply(delta(3, PartDelta(part=1, kind="tool", meta={"name": "t", "state": "running"})))
    assert view.apply(
        delta(
            4,
            PartDelta(part=1, meta={"name": "t", "state": "done"}),
            PartDelta(part=2, kind="text", offset=0, text="there"),
            PartDelta(part=3, kind="status", meta={"text": "writing"}),
            PartDelta(part=4, kind="text"),  # says nothing yet, and so nothing in the message
        )
    )
    assert (view.text, view.status, view.parts[1].meta["state"]) == ("Hello \n\nthere", "writing", "done")
    assert (view.agent_id, view.reply_to) == ("demo", "m1")
    assert "Hello" in repr(view.parts[0])
    assert repr(view) == "RunView('run:1', rev=4, text='Hello \\n\\nthere')"


def test_what_it_had_before_changes_nothing_and_a_hole_is_seen() -> None:
    """
    By the revision, by the offset, by a part that nobody announced; nothing is applied by half.
    """
    view = RunView("run:1", "c1")
    assert not view.apply(delta(1, PartDelta(part=0, kind="text", offset=0, text="x")))
    view.apply(snapshot(5, RunPart(part=0, kind="text", text="abc")))
    assert view.apply(delta(5, PartDelta(part=0, offset=0, text="again")))
    assert view.apply(snapshot(4))
    assert not view.apply(delta(7, PartDelta(part=0, offset=3, text="d")))
    assert not view.apply(delta(6, PartDelta(part=0, offset=3, text="d"), PartDelta(part=0, offset=9, text="e")))
    assert not view.apply(delta(6, PartDelta(part=1, offset=0, text="d")))
    assert (view.text, view.rev) == ("abc", 5)
    assert view.status is None


class Server:
    """Says something new again and again, and what is new about it."""

    def __init__(self) -> None:
        self.rev = 0
        self.parts: list[RunPart] = []

    def snapshot(self) -> RunSnapshot:
        return snapshot(self.rev, *self.parts)

    def say(self, text: str, kind: str) -> RunDelta:
        self.rev += 1
        if not self.parts or self.parts[-1].kind != kind:
            self.parts.append(RunPart(part=len(self.parts), kind=kind, meta={"rev": self.rev}))
            change = PartDelta(part=len(self.parts) - 1, kind=kind, meta={"rev": self.rev}, offset=0, text=text)
        else:
            change = PartDelta(part=len(self.parts) - 1, offset=len(self.parts[-1].text), text=text)
        self.parts[-1] = msgspec.structs.replace(self.parts[-1], text=self.parts[-1].text + text)
        return delta(self.rev, change)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["text", "tool"]), st.text(max_size=5), st.sampled_from(["comes", "lost", "twice", "snapshot"])
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(STEPS)
def test_whatever_is_dropped_it_shows_what_the_server_has_or_says_that_it_does_not(
    steps: list[tuple[str, str, str]],
) -> None:
    """
    Deltas get lost, come twice, are overtaken by snapshots: a view that says nothing is missing is right.
    """
    server, view = Server(), RunView("run:1", "c1")
    view.apply(server.snapshot())
    for kind, text, fate in steps:
        news = server.say(text, kind)
        if fate == "lost":
            continue
        if fate == "snapshot":
            assert view.apply(server.snapshot())
        if not view.apply(news):
            assert view.rev < server.rev - 1
            assert view.apply(server.snapshot())
        if fate == "twice":
            assert view.apply(news)
        assert [(part.kind, part.meta, part.text) for part in view.parts] == [
            (part.kind, part.meta, part.text) for part in server.parts
        ]


def finished(**fields: Any) -> Message:
    run = RunRecord(
        run_id="run:1",
        parts=[
            RunPart(part=0, kind="text", length=3),
            RunPart(part=1, kind="tool", text="out", meta={"name": "t"}),
            RunPart(part=2, kind="text", length=2),
        ],
    )
    place: dict[str, Any] = {"message_id": "m1", "conversation_id": "c1", "conversation_seq": 1}
    return Message(
        **{**place, "sender_type": "agent", "sender_id": "demo", "content": "a😀c\n\nde", "run": run, **fields}
    )


def test_a_finished_message_is_taken_apart_again() -> None:
    """
    Lengths are code points.
    """
    assert [(part.kind, part.text) for part in parts_of(finished())] == [
        ("text", "a😀c"),
        ("tool", "out"),
        ("text", "de"),
    ]
    assert parts_of(finished(run=None)) == []


def test_of_an_edited_message_the_content_counts() -> None:
    """
    The lengths mean nothing any more.
    """
    edited = parts_of(finished(content="something else", edited_at="2026-11-22T10:00:00.000Z"))
    assert [(part.kind, part.text) for part in edited] == [("text", "something else"), ("tool", "out")]
