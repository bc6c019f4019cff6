"""The rules of one logical connection, without any socket."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.client.errors import Refused
from amtrio.client.stream import Commands, Log, Position, Verdict, encode_frame, read_frame, read_refusal

LIMITED = {"error": "slow down", "code": "rate_limited", "retry": "after_ms", "retry_after_ms": 500}


def sent(commands: Commands, now: float = 0.0) -> list[tuple[str, str]]:
    frames, _ = commands.due(now)
    return [(frame["data"].get("content", frame["type"]), frame["ref"]) for frame in map(json.loads, frames)]


class _Item:
    """Stands for an event; its identity is what counts."""


def test_a_log_takes_each_number_once_and_sees_holes() -> None:
    """
    The next number is taken, an older one is known, a later one shows a hole.
    """
    log = Log(None)
    assert log.opened("e1", 5)
    assert log.judge(5, has_room=True) is Verdict.KNOWN
    assert log.judge(6, has_room=True) is Verdict.TAKE
    assert log.judge(8, has_room=True) is Verdict.HOLE
    assert log.judge(7, has_room=True) is Verdict.TAKE
    assert log.position() == Position("e1", 7)


def test_only_what_is_done_moves_the_place_to_go_on_from() -> None:
    """
    A new socket goes on behind the last event that the consumer is done with, not behind what it merely received.
    """
    log = Log(Position("e1", 5))
    items = [_Item() for _ in range(3)]
    for seq, item in enumerate(items, start=6):
        assert log.judge(seq, has_room=True) is Verdict.TAKE
        log.handed_over(item, log.position())
    assert log.resume() == {"since": 5, "epoch": "e1"}
    assert not log.done(items[1])
    assert log.done(items[0])
    assert log.resume() == {"since": 7, "epoch": "e1"}
    assert not log.done(items[0])


def test_a_full_queue_stops_taking_until_the_next_socket() -> None:
    """
    What had no room is asked for again as a whole, so that no number is skipped.
    """
    log = Log(Position("e1", 0))
    assert log.judge(1, has_room=False) is Verdict.NO_ROOM
    assert log.judge(2, has_room=True) is Verdict.NO_ROOM
    assert log.opened("e1", 0)
    assert log.judge(1, has_room=True) is Verdict.TAKE


def test_a_socket_that_would_leave_something_out_needs_a_snapshot() -> None:
    """
    Another epoch or a later place is never taken for ours.
    """
    assert not Log(Position("e1", 5)).opened("e2", 5)
    assert not Log(Position("e1", 5)).opened("e1", 6)
    assert Log(Position("e1", 5)).opened("e1", 4)


def test_a_snapshot_stands_for_everything_before_it() -> None:
    """
    Late confirmations of older events say nothing about the snapshot that replaced them.
    """
    log = Log(Position("e1", 0), needs_snapshot=True)
    old, snapshot = _Item(), _Item()
    log.judge(1, has_room=True)
    log.handed_over(old, log.position())
    log.rebuilt(Position("e2", 1))
    log.handed_over(snapshot, Position("e2", 1))
    assert not log.done(old)
    assert log.confirmed == Position("e1", 0)
    assert log.resume() == {"since": 1, "epoch": "e2"}
    assert log.done(snapshot)
    assert log.confirmed == Position("e2", 1)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200), st.randoms(use_true_random=False))
def test_however_it_breaks_every_number_arrives_once_in_order(faults: list[int], chance: random.Random) -> None:
    """
    A server with 40 events that drops sockets, leaves events out and repeats old ones; a consumer that lags.
    """
    log, head = Log(Position("e1", 0)), 40
    got: list[int] = []
    waiting: list[_Item] = []
    place = 0
    for fault in [*faults, *([9] * 400)]:
        if fault == 0 or place >= head or log.is_behind:  # a new socket
            assert log.opened("e1", log.resume()["since"])
            place = log.resume()["since"]
        elif fault == 1:
            place += 1  # lost on the way
        if place < head:
            place += 1
            verdict = log.judge(place, has_room=len(waiting) < 5)
            if verdict is Verdict.TAKE:
                item = _Item()
                log.handed_over(item, log.position())
                got.append(place)
                waiting.append(item)
            elif verdict is Verdict.HOLE:
                place = log.resume()["since"]
                assert log.opened("e1", place)
        if waiting and (fault == 9 or chance.random() < 0.5):
            log.done(waiting.pop(0))
    assert got == list(range(1, head + 1))
    assert log.confirmed == Position("e1", head)


def test_a_lost_socket_sends_everything_unanswered_again() -> None:
    """
    In the order of asking, each try under a ref of its own.
    """
    commands = Commands()
    first, _second = commands.add("message", {"content": "a"}), commands.add("message", {"content": "b"})
    assert sent(commands) == [("a", "1.1"), ("b", "2.1")]
    assert sent(commands) == []
    assert commands.answered("1.1", "message_sent", {"message_id": "m1"}, 0) is first
    commands.lost()
    assert sent(commands) == [("b", "2.2")]


def test_a_rate_limit_holds_the_refused_message_and_all_behind_it() -> None:
    """
    From the refused one on, in order, after the wait; other commands do not wait.
    """
    commands = Commands()
    for content in "abc":
        commands.add("message", {"content": content})
    assert [content for content, _ in sent(commands)] == ["a", "b", "c"]
    assert commands.answered("2.1", "error", LIMITED, 10.0) is None
    assert commands.answered("3.1", "error", LIMITED, 10.1) is None
    commands.add("message", {"content": "d"})
    commands.add("read", {"conversation_id": "c1"})
    assert sent(commands, 10.2) == [("read", "5.1")]
    assert commands.next_due() == 10.5
    assert sent(commands, 10.5) == [("b", "2.2"), ("c", "3.2"), ("d", "4.1")]


@pytest.mark.parametrize("words", [("message", "encrypted_message"), ("encrypted_message", "message")])
def test_encrypted_messages_and_others_do_not_overtake_each_other(words: tuple[str, str]) -> None:
    """
    They share one budget: whichever is refused holds up the other.
    """
    commands = Commands()
    for word, content in zip(words, "ab", strict=True):
        commands.add(word, {"content": content})
    assert [content for content, _ in sent(commands)] == ["a", "b"]
    assert commands.answered("1.1", "error", LIMITED, 10.0) is None
    commands.add(words[1], {"content": "c"})
    assert sent(commands, 10.2) == []
    assert sent(commands, 10.5) == [("a", "1.2"), ("b", "2.2"), ("c", "3.1")]


def test_a_late_refusal_of_an_earlier_try_changes_nothing() -> None:
    """
    After the resend only answers to it count as refusals; an acceptance counts whenever it comes.
    """
    commands = Commands()
    message = commands.add("message", {"content": "a"})
    sent(commands)
    commands.answered("1.1", "error", LIMITED, 0.0)
    sent(commands, 1.0)
    assert commands.answered("1.1", "error", LIMITED, 1.0) is None
    assert sent(commands, 9.0) == []
    assert commands.answered("1.1", "message_sent", {"message_id": "m1"}, 1.0) is message


def test_an_error_without_ref_finds_its_command_by_client_id() -> None:
    """
    The server could not read the ref, but says which message it was.
    """
    commands = Commands()
    message = commands.add("message", {"content": "a", "client_id": "id-of-16-letters"})
    sent(commands)
    refusal = {"error": "no", "code": "not_found", "retry": "no", "client_id": "id-of-16-letters"}
    assert commands.answered(None, "error", refusal, 0.0) is message
    assert isinstance(message.failure, Refused)
    assert commands.answered(None, "error", {"error": "?"}, 0.0) is None
    assert commands.answered("77.1", "done", {}, 0.0) is None
    assert commands.answered("x", "done", {}, 0.0) is None


def test_trouble_on_the_server_is_tried_again_in_the_same_form() -> None:
    """
    `same_client_id` without a time waits a second.
    """
    commands = Commands()
    commands.add("edit", {"message_id": "m1", "client_id": "id-of-16-letters"})
    frames, _ = commands.due(0.0)
    commands.answered("1.1", "error", {"error": "disk", "code": "storage_unavailable", "retry": "same_client_id"}, 5.0)
    assert commands.next_due() == 6.0
    again, _ = commands.due(6.0)
    assert json.loads(again[0])["data"] == json.loads(frames[0])["data"]


def test_a_frame_beyond_the_limit_fails_here() -> None:
    """
    Counted in bytes as they go over the wire.
    """
    commands = Commands(max_frame_bytes=100)
    long = commands.add("message", {"content": "ä" * 60})
    short = commands.add("message", {"content": "ä"})
    frames, refused = commands.due(0.0)
    assert (len(frames), refused) == (1, [long])
    assert isinstance(long.failure, Refused)
    assert short.is_sent


@given(st.lists(st.sampled_from(["add", "lost", "limit", "answer", "later"]), max_size=120))
def test_whatever_happens_messages_are_stored_once_and_in_the_order_asked(steps: list[str]) -> None:
    """
    Against a server that refuses by the protocol's rule and sockets that break, order and once-only hold.
    """
    commands, count, now = Commands(), 0, 0.0
    stored: list[str] = []
    wire: list[tuple[str, str]] = []
    gate: str | None = None
    limit = False
    for step in [*steps, *(["later", "answer"] * 60)]:
        if step == "add" and count < 30:
            count += 1
            commands.add("message", {"content": str(count)})
        elif step == "lost":
            commands.lost()
            wire, gate = [], None
        elif step == "limit":
            limit = True
        elif step == "later":
            now += 0.3
        wire += sent(commands, now)
        while step == "answer" and wire:
            content, ref = wire.pop(0)
            if (limit and content not in stored) or gate not in (None, content):
                gate, limit = gate or content, False
                commands.answered(ref, "error", LIMITED, now)
                continue
            gate = None
            if content not in stored:
                stored.append(content)
            commands.answered(ref, "message_sent", {}, now)
    assert stored == [str(number) for number in range(1, count + 1)]
    assert len(commands) == 0


def test_a_restored_server_is_told_again_what_it_may_have_forgotten() -> None:
    """
    Answered writes of the last day, in order and before what waits; questions and older ones are not.
    """
    commands = Commands()
    for word, data in (("message", {"content": "old"}), ("message", {"content": "a"}), ("history", {}), ("edit", {})):
        commands.add(word, data)
    sent(commands)
    for ref, at in (("1.1", 0.0), ("2.1", 90_000.0), ("3.1", 90_000.0), ("4.1", 90_000.0)):
        commands.answered(ref, "done", {}, at)
    commands.add("message", {"content": "b"})
    commands.restored(100_000.0)
    assert [content for content, _ in sent(commands, 100_000.0)] == ["a", "edit", "b"]
    assert commands.answered("6.1", "error", LIMITED, 100_000.0) is None
    assert [content for content, _ in sent(commands, 100_001.0)] == ["a", "b"]


def test_frames_are_read_leniently_and_written_without_empty_fields() -> None:
    """
    What is no frame is None; unknown fields are ignored.
    """
    assert read_frame("[]") is None
    assert read_frame("{") is None
    frame = read_frame('{"type": "gone", "seq": 7, "colour": "red"}')
    assert frame is not None
    assert (frame.word, frame.seq, frame.ref, frame.data) == ("gone", 7, None, {})
    assert json.loads(encode_frame("read", {"conversation_id": "c1", "up_to": None})) == {
        "type": "read",
        "data": {"conversation_id": "c1"},
    }


def test_a_refusal_from_a_newer_server_is_not_tried_again() -> None:
    """
    An unknown retry rule counts as `no`.
    """
    refusal = read_refusal({"error": "x", "code": "y", "retry": "at_full_moon", "retry_after_ms": "soon"}, 418)
    assert (refusal.retry, refusal.retry_after_ms, refusal.status, refusal.code) == ("no", None, 418, "y")
