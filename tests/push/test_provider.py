"""What all push services have in common."""

from __future__ import annotations

import pytest

from amtrio.model.waking import Notice
from amtrio.push.provider import Refused, TryAgain, check_status

NOW_US = 1_795_622_400_000_000  # Wed, 25 Nov 2026 16:00:00 GMT


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        ("0", 0.0),
        ("-1", None),
        ("soon", None),
        ("²", None),
        ("Wed, 25 Nov 2026 16:02:00 GMT", 120.0),
        ("Wed, 25 Nov 2026 15:00:00 GMT", 0.0),
        ("Wed, 99 Nov 2026 15:00:00 GMT", None),
    ],
)
def test_when_to_come_again(retry_after: str | None, seconds: float | None) -> None:
    for status in (429, 500, 503):
        with pytest.raises(TryAgain, match=rf"^HTTP {status}$") as caught:
            check_status(status, retry_after, now_us=NOW_US)
        assert caught.value.after_seconds == seconds


def test_what_will_never_go_well() -> None:
    check_status(200, None, now_us=NOW_US)
    check_status(204, "9", now_us=NOW_US)
    with pytest.raises(Refused, match=r"^HTTP 400 BadTopic$"):
        check_status(400, None, now_us=NOW_US, reason="BadTopic")


def test_a_conversation_has_one_notice() -> None:
    assert Notice("c1", "m1", "", "", 0).tag == Notice("c1", "m2", "x", "y", 5).tag != Notice("c2", "m1", "", "", 0).tag
