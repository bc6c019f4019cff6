"""What a value may be, and what is said of one that may not."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.config import kinds
from amtrio.config.kinds import BadValue, Kind, Secret

BASE = Path("/base")


@pytest.mark.parametrize(
    ("kind", "given_value", "expected"),
    [
        (kinds.whole(0, 65535), "8080", 8080),
        (kinds.whole(0, 65535), 0, 0),
        (kinds.whole(-5, 5), "-5", -5),
        (kinds.size(1, 1 << 50), "65536", 65536),
        (kinds.size(1, 1 << 50), "10B", 10),
        (kinds.size(1, 1 << 50), "50MB", 50 * 1024 * 1024),
        (kinds.size(1, 1 << 50), "1.5 gb", 1536 * 1024 * 1024),
        (kinds.size(1, 1 << 50), "2TB", 2 << 40),
        (kinds.size(1, 1 << 50), 4096, 4096),
        (kinds.duration(0, 1e6), "30", 30.0),
        (kinds.duration(0, 1e6), 2.5, 2.5),
        (kinds.duration(0, 1e6), "1m30s", 90.0),
        (kinds.duration(0, 1e6), "500ms", 0.5),
        (kinds.duration(0, 1e6), "1h0.5m", 3630.0),
        (kinds.number(0, 1), "0.25", 0.25),
        (kinds.BOOLEAN, "TRUE", True),
        (kinds.BOOLEAN, "0", False),
        (kinds.BOOLEAN, True, True),
        (kinds.choice("debug", "warning", aliases={"warn": "warning"}), " Warn ", "warning"),
        (kinds.PATH, "x/y", Path("/base/x/y")),
        (kinds.PATH, "/x", Path("/x")),
        (kinds.ORIGINS, "*", ("*",)),
        (kinds.ORIGINS, "https://a.example, http://b.example:8080/", ("https://a.example", "http://b.example:8080")),
        (kinds.ORIGINS, ["https://a.example"], ("https://a.example",)),
        (kinds.ORIGINS, "", ()),
        (kinds.text("x", pattern="[a-z]*"), "abc", "abc"),
    ],
)
def test_good_values(kind: Kind[object], given_value: object, expected: object) -> None:
    """
    Text and the native values of TOML mean the same.
    """
    assert kind.read(given_value, BASE) == expected


@pytest.mark.parametrize(
    ("kind", "given_value"),
    [
        (kinds.whole(0, 65535), "65536"),
        (kinds.whole(0, 65535), "-1"),
        (kinds.whole(0, 65535), "80a"),
        (kinds.whole(0, 65535), ""),
        (kinds.whole(0, 65535), "1e3"),
        (kinds.whole(0, 65535), "٣"),
        (kinds.whole(0, 65535), "9" * 5000),
        (kinds.whole(0, 65535), True),
        (kinds.whole(0, 65535), 1.0),
        (kinds.size(1, 1 << 50), "100M"),
        (kinds.size(1, 1 << 50), "MB"),
        (kinds.size(1, 1 << 50), "-5MB"),
        (kinds.size(1, 1 << 50), "0"),
        (kinds.duration(0, 1e6), "30 s"),
        (kinds.duration(0, 1e6), "s"),
        (kinds.duration(0, 1e6), "1m30"),
        (kinds.duration(1, 60), "1h"),
        (kinds.number(0, 1), "nan"),
        (kinds.number(0, 1), "half"),
        (kinds.number(0, 1), False),
        (kinds.BOOLEAN, "maybe"),
        (kinds.BOOLEAN, 1),
        (kinds.choice("a", "b"), "c"),
        (kinds.PATH, ""),
        (kinds.PATH, "a\0b"),
        (kinds.ORIGINS, "chat.example"),
        (kinds.ORIGINS, "https://a.example/path"),
        (kinds.ORIGINS, [1]),
        (kinds.NETWORKS, "10.0.0.300"),
        (kinds.NETWORKS, "10.0.0.1/8"),
        (kinds.text("x", pattern="[a-z]*"), "abc1"),
        (kinds.text(), 5),
    ],
)
def test_bad_values(kind: Kind[object], given_value: object) -> None:
    """
    What breaks the rule is answered with the rule.
    """
    with pytest.raises(BadValue, match=r"^must be "):
        kind.read(given_value, BASE)


def test_networks() -> None:
    """
    A single address is the network of itself; both families mix.
    """
    assert [str(each) for each in kinds.NETWORKS.read("127.0.0.1, 10.0.0.0/8,::1", BASE)] == [
        "127.0.0.1/32",
        "10.0.0.0/8",
        "::1/128",
    ]


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text()), st.dates(), st.none()))
def test_whatever_is_given_is_read_or_refused(value: object) -> None:
    """
    No input makes a kind raise anything but its rule, and every input has a shape.
    """
    every: list[Kind[Any]] = [
        kinds.whole(0, 9),
        kinds.size(0, 9),
        kinds.duration(0, 9),
        kinds.number(0, 9),
        kinds.BOOLEAN,
        kinds.choice("a"),
        kinds.PATH,
        kinds.ORIGINS,
        kinds.NETWORKS,
        kinds.secret(16),
    ]
    for kind in every:
        try:
            shown = kind.show(kind.read(value, BASE))
        except BadValue as error:
            assert str(error).startswith(("must be ", "is a published example"))
        else:
            assert isinstance(shown, str)
        assert kind.shape(value)


@given(st.sampled_from([kinds.size(0, 1 << 50), kinds.whole(0, 1 << 40)]), st.integers(0, 1 << 40))
def test_what_is_shown_can_be_read_again(kind: Kind[int], value: int) -> None:
    """
    `amtrio config` prints values that may be pasted into a file.
    """
    assert kind.read(kind.show(value), BASE) == value


def test_the_shape_gives_nothing_away() -> None:
    """
    A password pasted into PORT by mistake does not end up in the terminal of a colleague.
    """
    shape = kinds.whole(0, 9).shape("hunter2-Ä")
    assert shape == "'aaaaaa9-a' (9 characters; every letter shown as a, every digit as 9)"
    assert kinds.secret(16).shape("hunter2") == "text of 7 bytes"
    assert kinds.whole(0, 9).shape([1]) == "a list"
    assert len(kinds.whole(0, 9).shape("x" * 100_000)) < 120


def test_secrets_that_are_too_short_or_known_are_refused() -> None:
    """
    Others' example secrets are as good as none; so is one letter many times.
    """
    kind = kinds.secret(16)
    for known in (
        "agent-messenger-dev-secret-change-me",
        "dev-agent-secret-change-me",
        "admin-dev-secret",
        "CHANGE_ME_CHANGE_ME_CHANGE_ME",
        "your-secret-here-at-least-32-bytes",
        "your_super_secret_jwt_key_0123456789",
        "replace-with-a-long-random-string",
    ):
        with pytest.raises(BadValue, match="published example"):
            kind.read(known, BASE)
    for weak in ("short", "a" * 64, "ababababababababababab"):
        with pytest.raises(BadValue, match="at least 16 bytes"):
            kind.read(weak, BASE)
    assert kind.read(" correct-horse-battery \n", BASE).reveal() == "correct-horse-battery"


def test_a_secret_does_not_print() -> None:
    """
    However it is printed, formatted or copied out, the text stays inside.
    """
    hidden = Secret("correct-horse-battery")
    assert f"{hidden} {hidden!r} {hidden!s} {[hidden]}" == "*** *** *** [***]"
    assert copy.deepcopy(hidden) is hidden
    assert copy.copy(hidden) is hidden
    with pytest.raises(TypeError):
        pickle.dumps(hidden)


def test_secrets_compare() -> None:
    """
    Equal by text; the empty one lets nobody in.
    """
    assert Secret("abc") == Secret("abc")
    assert len({Secret("abc"), Secret("abc")}) == 1
    assert Secret("abc") != Secret("abd")
    assert Secret("abc") != "abc"
    assert Secret("abc").matches("abc")
    assert not Secret("abc").matches("")
    assert not Secret("").matches("")
    assert not Secret("")
    assert Secret("ä").encode() == b"\xc3\xa4"
