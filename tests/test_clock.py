"""Time, ids and chance."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.clock import SystemClock, jitter, micros_of, rfc3339


def test_ids_are_uuids_of_version_7_and_unique() -> None:
    """RFC 9562, 5.7: they begin with the time, carry version and variant, and never repeat."""
    clock = SystemClock()
    made = [clock.new_id("msg") for _ in range(2000)]
    assert len(set(made)) == len(made)
    for id_ in made[:50]:
        prefix, _, rest = id_.partition("_")
        parsed = uuid.UUID(rest)
        assert (prefix, parsed.version, parsed.variant) == ("msg", 7, uuid.RFC_4122)
        assert abs((parsed.int >> 80) - time.time() * 1000) < 5000


def test_secrets_hold_256_bits_in_url_safe_characters() -> None:
    clock = SystemClock()
    made = {clock.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(each) for each in made} == {43}
    assert all(each.replace("-", "").replace("_", "").isalnum() for each in made)


def test_nonces_are_eight_bytes_and_never_the_same() -> None:
    """Whoever guessed one could confirm what never arrived."""
    clock = SystemClock()
    made = {clock.new_nonce() for _ in range(2000)}
    assert (2000, {8}) == (len(made), {len(each) for each in made})


def test_threads_share_no_chance() -> None:
    """Ids are made by the writer and by the event loop at the same time."""
    clock = SystemClock()
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(clock.new_id("t")[-19:] for _ in range(2000))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == len(made) == 8000


def test_now_is_microseconds() -> None:
    assert abs(SystemClock().now_us() / 1_000_000 - time.time()) < 5


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_367_221_123_999, "2026-11-22T17:07:01.123Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_times_have_the_one_form_that_every_client_parses(at_us: int, text: str) -> None:
    """Exactly three fraction digits and Z."""
    assert rfc3339(at_us) == text


@given(st.integers(0, 253_402_300_799_999_999), st.integers(0, 253_402_300_799_999_999))
def test_times_sort_as_text(one: int, other: int) -> None:
    """Shipped apps compare them so."""
    if one // 1000 < other // 1000:
        assert rfc3339(one) < rfc3339(other)
    assert datetime.fromisoformat(rfc3339(one)).timestamp() == pytest.approx(one / 1_000_000, abs=0.002)


def test_jitter_is_a_fifth_at_most() -> None:
    """What failed together does not come back together."""
    waits = [jitter(10.0) for _ in range(200)]
    assert 8.0 <= min(waits) < max(waits) <= 12.0
    assert len(set(waits)) > 100


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T02:00:01.5+02:00", 1_500_000),
        ("1970-01-01 00:00:01.000001999+00:00", 1_000_001),
        ("1970-01-01T02:00:01 02:00", 1_000_000),
        ("1970-13-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_are_read_in_every_spelling_that_clients_send(text: str, at_us: int | None) -> None:
    """A plus that came through a URL unescaped is a space."""
    assert micros_of(text) == at_us
