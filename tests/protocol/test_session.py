"""Where a socket goes on from, and what a client without acks has certainly received."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from amtrio.protocol.session import CONFIRM_AFTER_EVENTS, Close, Confirmations, Start, start


@pytest.mark.parametrize(
    ("since", "epoch", "pruned", "head", "expected"),
    [
        (5, "e1", 0, 9, Start(5)),
        (9, "e1", 0, 9, Start(9)),
        (0, "e1", 0, 0, Start(0)),
        (5, "e1", 5, 9, Start(5)),
        (5, None, 0, 9, Start(5)),
        (4, "e1", 5, 9, Start(9, "pruned")),
        (4, None, 5, 9, Start(9, "pruned")),
        (10, "e1", 0, 9, Start(9, "ahead")),
        (5, "e0", 0, 9, Start(9, "epoch")),
        (99, "e0", 50, 60, Start(60, "epoch")),
        (0, "", 0, 9, Start(9, "epoch")),
    ],
)
def test_where_a_client_goes_on(since: int, epoch: str | None, pruned: int, head: int, expected: Start) -> None:
    """A position is served if this history's log still holds everything after it; else the reason is named."""
    assert start(since=since, epoch=epoch, server_epoch="e1", pruned=pruned, head=head) == expected


def test_close_codes_are_none_that_shipped_clients_swallow() -> None:
    """Never 1000 or 1005: a shipped client takes them for an end it wanted and stops without a word."""
    assert not {1000, 1004, 1005, 1006, 1015} & set(Close)
    assert all(code in range(1001, 1015) or code in range(4000, 5000) for code in Close)


def test_close_codes_are_part_of_the_protocol() -> None:
    """Clients decide by these numbers whether to come back."""
    assert {code.name: int(code) for code in Close} == {
        "GOING_AWAY": 1001,
        "INTERNAL_ERROR": 1011,
        "RESTART": 1012,
        "OVERLOADED": 1013,
        "REPLACED": 4000,
        "BAD_HELLO": 4400,
        "UNAUTHORIZED": 4401,
        "NO_SIGN_OF_LIFE": 4408,
        "REPLACEMENT_LOOP": 4409,
        "TOO_SLOW": 4413,
    }


def test_a_full_batch_asks_at_once() -> None:
    """The 64th unconfirmed event does not wait for the clock."""
    confirmations = Confirmations(0)
    due = [confirmations.wrote(seq) for seq in range(1, CONFIRM_AFTER_EVENTS + 1)]
    assert due == [False] * (CONFIRM_AFTER_EVENTS - 1) + [True]


def test_one_ping_at_a_time_and_none_for_nothing() -> None:
    """While a confirming ping is on the way, and when everything is confirmed, there is nothing to ask."""
    confirmations = Confirmations(3)
    assert confirmations.ask(b"nonce123") is None
    confirmations.wrote(4)
    payload = confirmations.ask(b"nonce123")
    assert payload is not None
    assert len(payload) <= 125, "RFC 6455, 5.5: what a control frame holds"
    confirmations.wrote(5)
    assert confirmations.ask(b"another1") is None
    assert confirmations.pong(payload)
    assert (confirmations.confirmed, confirmations.is_complete) == (4, False)
    assert not confirmations.pong(payload), "the same pong again proves nothing"


@pytest.mark.parametrize("payload", [b"", b"guess", b"nonce123", b"nonce123" + (99).to_bytes(8, "big")])
def test_any_other_pong_is_a_mere_sign_of_life(payload: bytes) -> None:
    """Only the exact payload confirms."""
    confirmations = Confirmations(0)
    confirmations.wrote(1)
    confirmations.ask(b"nonce123")
    assert not confirmations.pong(payload)
    assert confirmations.confirmed == 0


@pytest.mark.parametrize("seq", [0, -1, 6, 2**60])
def test_an_ack_confirms_only_what_was_sent(seq: int) -> None:
    """An ack from the future or of the past moves nothing."""
    confirmations = Confirmations(3)
    for sent in (4, 5):
        confirmations.wrote(sent)
    assert not confirmations.ack(seq)
    assert confirmations.confirmed == 3
    assert confirmations.ack(5)
    assert confirmations.confirmed == 5


class ClientWithoutAcks(RuleBasedStateMachine):
    """A client that answers pings in order, or not; events that show it nothing lie between those that do."""

    def __init__(self) -> None:
        super().__init__()
        self.confirmations = Confirmations(0)
        self.last = 0
        # On the wire in order: events that show something, and pings.
        self.wire: deque[int | bytes] = deque()
        self.received = 0
        self.lost: set[int] = set()
        self.shown: list[int] = []
        self.nonces = 0

    @rule()
    def an_event_is_written(self) -> None:
        self.last += 1
        self.shown.append(self.last)
        self.wire.append(self.last)
        self.confirmations.wrote(self.last)

    @rule()
    def an_event_shows_nothing(self) -> None:
        self.last += 1
        self.confirmations.passed(self.last)

    @rule()
    def it_is_asked(self) -> None:
        self.nonces += 1
        payload = self.confirmations.ask(self.nonces.to_bytes(8, "big"))
        if payload is not None:
            self.wire.append(payload)

    @precondition(lambda self: self.wire)
    @rule()
    def the_client_reads_on(self) -> None:
        item = self.wire.popleft()
        if isinstance(item, bytes):
            self.confirmations.pong(item)
        else:
            self.received = item

    @rule(guess=st.binary(max_size=16))
    def a_stray_pong_comes(self, guess: bytes) -> None:
        self.confirmations.pong(guess)

    @invariant()
    def nothing_is_confirmed_that_did_not_arrive(self) -> None:
        unread = [seq for seq in self.shown if seq > self.received]
        if unread:
            assert self.confirmations.confirmed < unread[0]

    @invariant()
    def nothing_is_confirmed_that_was_not_sent(self) -> None:
        assert self.confirmations.confirmed <= self.confirmations.sent == self.last

    def teardown(self) -> None:
        """Once the client reads and is asked, everything is confirmed."""
        for _ in range(3):
            self.it_is_asked()
            while self.wire:
                self.the_client_reads_on()
        assert self.confirmations.is_complete


ClientWithoutAcks.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestClientWithoutAcks = ClientWithoutAcks.TestCase
