"""What the library raises."""

from __future__ import annotations

from amtrio.client.errors import Dropped, Refused, as_retry


def test_errors_say_what_happened_in_one_line() -> None:
    """
    A log line or a terminal shows the words and the code.
    """
    assert str(Refused("no such message", code="not_found")) == "no such message (not_found)"
    assert str(Dropped()) == "connection lost (close code 1006)"


def test_unknown_retry_rules_count_as_no() -> None:
    """
    A newer server's word must not lead to a resend.
    """
    assert [as_retry(word) for word in ("no", "after_ms", "same_client_id", "?", None)] == [
        "no",
        "after_ms",
        "same_client_id",
        "no",
        "no",
    ]
