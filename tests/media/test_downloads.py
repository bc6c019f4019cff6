"""What HTTP says about handing out a file."""

from __future__ import annotations

import pytest

from amtrio.media.downloads import Plan, disposition, plan

TAG = '"abc"'
WHEN_US = 1_795_619_753_900_000
WHEN = "Wed, 25 Nov 2026 15:15:53 GMT"
LATER, EARLIER = "Wed, 25 Nov 2026 15:15:54 GMT", "Wed, 25 Nov 2026 15:15:52 GMT"


def asked(size: int = 100, /, **headers: str) -> Plan:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return plan(given.get, size=size, sha256="abc", changed_us=WHEN_US)


def test_the_whole_file() -> None:
    found = asked()
    assert (found.status, found.start, found.stop) == (200, 0, 100)
    assert found.headers == {
        "ETag": TAG, "Last-Modified": WHEN, "Accept-Ranges": "bytes", "Content-Length": "100",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=90-", 90, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=0-" + "9" * 5000, 0, 100),
        ("bytes=-5", 95, 100),
        ("bytes=-1000", 0, 100),
        ("bytes = 5 - 6", 5, 7),
    ],
)
def test_one_range(wanted: str, start: int, stop: int) -> None:
    found = asked(Range=wanted)
    assert (found.status, found.start, found.stop) == (206, start, stop)
    assert found.headers["Content-Range"] == f"bytes {start}-{stop - 1}/100"
    assert found.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9-5", f"bytes={'9' * 5000}-"])
def test_a_range_with_nothing_in_it(wanted: str) -> None:
    found = asked(Range=wanted)
    assert (found.status, found.start, found.stop) == (416, 0, 0)
    assert found.headers["Content-Range"] == "bytes */100"


@pytest.mark.parametrize("wanted", ["", "bytes", "bytes=", "bytes=-", "lines=0-5", "bytes=0-1,5-6", "bytes=a-b", "0-5"])
def test_what_is_no_single_range_gets_the_whole(wanted: str) -> None:
    """Several ranges at once are allowed to be answered so (RFC 9110, 14.2)."""
    assert asked(Range=wanted).status == 200


@pytest.mark.parametrize(
    ("condition", "status"),
    [(TAG, 206), ('W/"abc"', 200), ('"other"', 200), (WHEN, 206), (LATER, 200), ("nonsense", 200)],
)
def test_a_range_of_what_one_has_already(condition: str, status: int) -> None:
    """If-Range: only if it is the same file still, which a weak tag does not say."""
    assert asked(Range="bytes=0-4", If_Range=condition).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_None_Match": TAG}, 304),
        ({"If_None_Match": 'W/"abc"'}, 304),
        ({"If_None_Match": '"x", "abc"'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"x"'}, 200),
        ({"If_None_Match": "nonsense"}, 200),
        ({"If_Modified_Since": WHEN}, 304),
        ({"If_Modified_Since": LATER}, 304),
        ({"If_Modified_Since": EARLIER}, 200),
        ({"If_Modified_Since": "nonsense"}, 200),
        ({"If_None_Match": '"x"', "If_Modified_Since": LATER}, 200),
        ({"If_None_Match": TAG, "Range": "bytes=0-1"}, 304),
    ],
)
def test_what_one_has_is_not_sent_again(headers: dict[str, str], status: int) -> None:
    """The tag counts before the date."""
    found = asked(**headers)
    assert found.status == status
    assert found.headers["ETag"] == TAG
    assert (found.stop == 0) == (status == 304)


def test_an_empty_file() -> None:
    assert (asked(0).status, asked(0).stop, asked(0, Range="bytes=0-").status) == (200, 0, 416)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("grüße.txt", "attachment; filename=\"gr__e.txt\"; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt"),
        ('a"b\\c.txt', "attachment; filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b%5Cc.txt"),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ("a;b'c.txt", 'attachment; filename="a;b\'c.txt"'),
    ],
)
def test_names_reach_every_browser(name: str, expected: str) -> None:
    assert disposition(name, is_inline=False) == expected


def test_only_what_is_harmless_is_inline() -> None:
    assert disposition("a", is_inline=True).startswith("inline; ")
