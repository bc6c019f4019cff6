"""Waiting before the next try."""

from __future__ import annotations

import pytest

from amtrio.client.backoff import Backoff, final_error
from amtrio.client.errors import AuthenticationEnded, Dropped, Refused, Replaced


def test_waits_double_up_to_the_longest_and_start_again_after_a_success() -> None:
    """
    Half a second, doubling, at most 30 s.
    """
    backoff = Backoff(chance=lambda: 0.0)
    assert [backoff.wait_s(Dropped()) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.succeeded()
    assert backoff.wait_s(Dropped()) == 0.5


def test_chance_shortens_a_wait_by_half_at_most() -> None:
    """
    So that not everybody comes back at once.
    """
    assert Backoff(chance=lambda: 1.0).wait_s(Dropped()) == 0.25


def test_a_restarting_server_is_looked_for_quickly() -> None:
    """
    1012 starts from the shortest wait, however many failures came before.
    """
    backoff = Backoff(chance=lambda: 0.0)
    for _ in range(5):
        backoff.wait_s(Dropped())
    assert backoff.wait_s(Dropped(code=1012)) == 0.5


def test_an_overloaded_server_gets_time() -> None:
    """
    1013 waits five seconds at least, and a wish in seconds is granted.
    """
    backoff = Backoff(chance=lambda: 0.0)
    assert backoff.wait_s(Dropped(code=1013)) == 5.0
    assert backoff.wait_s(Dropped(code=4409, retry_after_s=42)) == 42


@pytest.mark.parametrize(
    ("gone", "kind"),
    [
        (Dropped(code=4401), AuthenticationEnded),
        (Dropped(status=401), AuthenticationEnded),
        (Dropped(code=4000), Replaced),
        (Dropped(code=4400), Refused),
        (Dropped(status=404), Refused),
        (Dropped(), type(None)),
        (Dropped(code=1012), type(None)),
        (Dropped(code=4409), type(None)),
        (Dropped(status=409), type(None)),
        (Dropped(status=429), type(None)),
        (Dropped(status=502), type(None)),
    ],
)
def test_what_ends_a_connection_for_good(gone: Dropped, kind: type) -> None:
    """
    Only what fails the same way again.
    """
    assert type(final_error(gone, was_online=False)) is kind


def test_a_proxy_in_the_middle_of_a_change_ends_nothing() -> None:
    """
    Once it has worked, only what the server itself says for good counts.
    """
    assert final_error(Dropped(status=404), was_online=True) is None
    assert type(final_error(Dropped(status=401), was_online=True)) is AuthenticationEnded
