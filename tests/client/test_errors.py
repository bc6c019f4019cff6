"""What the library raises."""

from __future__ import annotations

from amtrio.client.errors import Dropped, Refused, RunClosed, as_retry


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


def test_a_refusal_knows_how_long_to_wait() -> None:
    """
    Seconds; where the server gave none, what the caller thinks right.
    """
    assert Refused("x", code="overloaded", retry="after_ms", retry_after_ms=500).wait_s(3.0) == 0.5
    assert Refused("x", code="internal", retry="same_client_id").wait_s(3.0) == 3.0


def test_errors_carry_what_is_known_of_them() -> None:
    """
    Details of a refusal, the outcome of a run.
    """
    assert Refused("x", code="answered", details={"answer": {}}).details == {"answer": {}}
    assert Refused("x", code="answered").details == {}
    assert RunClosed("over", outcome="stopped").outcome == "stopped"
