"""Every failure a client can be told about, as a table."""

from __future__ import annotations

from http import HTTPStatus
from typing import get_args

from amtrio import errors
from amtrio.errors import AmtrioError, RateLimited, Retry

# code: status, when to try again. Part of the protocol: clients decide by it.
TABLE = {
    "internal": (500, "same_client_id"),
    "malformed": (400, "no"),
    "unknown_type": (400, "no"),
    "unauthorized": (401, "no"),
    "forbidden": (403, "no"),
    "not_found": (404, "no"),
    "method_not_allowed": (405, "no"),
    "conflict": (409, "no"),
    "client_id_reused": (409, "no"),
    "run_closed": (409, "no"),
    "run_gap": (409, "no"),
    "unsupported": (409, "no"),
    "taken": (409, "no"),
    "withdrawn": (409, "no"),
    "answered": (409, "no"),
    "closed": (409, "no"),
    "replacement_loop": (409, "after_ms"),
    "too_large": (413, "no"),
    "quota_exceeded": (413, "no"),
    "upgrade_required": (426, "no"),
    "rate_limited": (429, "after_ms"),
    "timeout": (408, "same_client_id"),
    "storage_unavailable": (503, "same_client_id"),
    "shutting_down": (503, "same_client_id"),
    "overloaded": (503, "after_ms"),
}


def every_error() -> list[type[AmtrioError]]:
    return [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, AmtrioError)]


def test_codes_are_part_of_the_protocol() -> None:
    """Whoever changes one changes the protocol."""
    assert {each.code: (each.http, each.retry) for each in every_error()} == TABLE
    assert len(every_error()) == len(TABLE), "two classes share a code"


def test_every_status_has_a_name_and_every_rule_is_known() -> None:
    """The REST answer shows the reason phrase."""
    for each in every_error():
        assert HTTPStatus(each.http).phrase
        assert each.retry in get_args(Retry)


def test_an_error_carries_its_text_and_when_to_come_back() -> None:
    error = RateLimited("too many", retry_after_ms=900)
    assert (str(error), error.retry_after_ms) == ("too many", 900)
    assert AmtrioError("x").retry_after_ms is None


def test_an_error_may_say_more_to_programs() -> None:
    assert AmtrioError("x", details={"expected_offset": 3}).details == {"expected_offset": 3}
