"""What reaches the stream: both worlds, one form, no secrets."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
import trio
from hypothesis import given
from hypothesis import strategies as st

from amtrio import log
from tests.conftest import listen


class FixedClock:
    """Stands at 2026-11-22 17:07:01.123 UTC."""

    def now_us(self) -> int:
        return 1_795_367_221_123_456

    def new_id(self, prefix: str, /) -> str:
        return prefix

    def new_secret(self) -> str:
        return ""

    def new_nonce(self) -> bytes:
        return b""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Logging is global: leave it as the guard set it up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in log._CHATTY}
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    listen()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines() -> None:
    """
    One object per line: time in UTC, level, event, fields.
    """
    stream = io.StringIO()
    log.configure(style="auto", stream=stream, clock=FixedClock())
    structlog.get_logger().info("session_closed", reason="a\nb", lived_ms=5)
    structlog.get_logger().debug("not_shown")
    assert lines(stream) == [
        {
            "event": "session_closed",
            "level": "info",
            "timestamp": "2026-11-22T17:07:01.123Z",
            "reason": "a\nb",
            "lived_ms": 5,
        }
    ]


def test_libraries_speak_in_the_same_stream() -> None:
    """
    The standard library's logging, its extras and warnings take the same way, with the logger's name.
    """
    stream = io.StringIO()
    log.configure(style="json", stream=stream, clock=FixedClock())
    logging.getLogger("library").warning("lost %s", "x", extra={"peer": "a"})
    logging.getLogger("hypercorn.access").info("GET /")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", stacklevel=1)
    first, second = lines(stream)
    assert first == {
        "event": "lost x",
        "level": "warning",
        "logger": "library",
        "peer": "a",
        "timestamp": "2026-11-22T17:07:01.123Z",
    }
    assert (second["logger"], second["level"]) == ("py.warnings", "warning")


def test_levels() -> None:
    """
    Below the level nothing is shown, of ours or of libraries; at debug even the chatty ones speak.
    """
    stream = io.StringIO()
    log.configure(level="warning", style="json", stream=stream)
    structlog.get_logger().info("no")
    logging.getLogger("library").info("no")
    assert stream.getvalue() == ""
    log.configure(level="debug", style="json", stream=stream)
    structlog.get_logger().debug("yes")
    logging.getLogger("hypercorn.access").info("yes")
    assert [each["event"] for each in lines(stream)] == ["yes", "yes"]


async def test_context_reaches_child_tasks() -> None:
    """
    What a session binds is in every line of its tasks, and in no other's.
    """
    stream = io.StringIO()
    log.configure(style="json", stream=stream)

    async def session(name: str) -> None:
        structlog.contextvars.bind_contextvars(conn=name)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(speak)

    async def speak() -> None:
        structlog.get_logger().info("spoke")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(session, "a")
        nursery.start_soon(session, "b")
    structlog.get_logger().info("outside")
    assert sorted(each.get("conn", "") for each in lines(stream)) == ["", "a", "b"]


def connect(password: str) -> None:
    url = "/agent/connect?agent_secret=" + password + "&agent_id=a1"
    raise ValueError(url)


def test_tracebacks_are_text_without_local_variables_or_secrets() -> None:
    """
    A traceback in the log helps a developer and gives nothing away.
    """
    stream = io.StringIO()
    password = "hunter2"
    for style in ("json", "console"):
        log.configure(style=style, stream=stream)
        try:
            connect(password)
        except ValueError:
            structlog.get_logger().warning("failed", exc_info=True)
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("agent_secret=***&agent_id=a1") == 2
    assert stream.getvalue().count("Traceback") == 2


def test_the_console_is_for_the_eye_and_cannot_be_forged() -> None:
    """
    On a terminal there are colours, and what strangers send cannot move the cursor or begin a line.
    """
    terminal = Terminal()
    log.configure(stream=terminal, clock=FixedClock())
    structlog.get_logger().info("connected", who="eve\x1b[2J\n2026 [error] forged")
    shown = terminal.getvalue()
    assert shown.count("\n") == 1
    assert "\x1b[2J" not in shown
    assert "eve␛[2J␊2026 [error] forged" in shown


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("token", "abc", "***"),
        ("access_token", "abc", "***"),
        ("jwtSecret", "abc", "***"),
        ("X-Agent-Secret", b"abc", "***"),
        ("Authorization", "abc", "***"),
        ("cookie", {"a": "b"}, "***"),
        ("api_key", "abc", "***"),
        ("keys", ["abc"], "***"),
        ("tokens_left", 3, 3),
        ("token", None, None),
        ("keyboard", "qwerty", "qwerty"),
        ("monkey", "abc", "abc"),
        ("reason", "done", "done"),
        ("url", "/client/connect?token=abc&device_id=d", "/client/connect?token=***&device_id=d"),
        ("query", "agent_secret=abc&agent_id=a", "agent_secret=***&agent_id=a"),
        ("url", "/x?monkey=abc&api_key=d", "/x?monkey=abc&api_key=***"),
        ("line", "authorization: Bearer abcdefghijkl", "authorization: Bearer ***"),
        ("text", "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjF9.c2ln here", "got *** here"),
        ("headers", [("host", "h"), ("authorization", "x")], [["host", "h"], ["authorization", "***"]]),
        ("headers", [(b"cookie", b"x")], [["cookie", "***"]]),
        ("nested", {"a": {"password": "x", "n": 1}}, {"a": {"password": "***", "n": 1}}),
        ("body", b"token=abc", "token=***"),
    ],
)
def test_redaction(name: str, value: object, expected: object) -> None:
    """
    Secret names hide their value; secrets inside other texts are cut out; numbers and lookalikes stay.
    """
    assert log.redact(None, "info", {name: value}) == {name: expected}


def test_nesting_without_end_ends() -> None:
    """
    A value that contains itself does not hang the log.
    """
    loop: list[Any] = []
    loop.append(loop)
    assert "…" in str(log.redact(None, "info", {"loop": loop}))


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner), st.tuples(inner, inner)),
        max_leaves=8,
    )
)
def test_anything_can_be_logged(value: object) -> None:
    """
    No value breaks the log, and each gives exactly one line.
    """
    for style in ("json", "console"):
        stream = io.StringIO()
        log.configure(style=style, stream=stream)
        structlog.get_logger().info("seen", value=value)
        assert stream.getvalue().count("\n") == 1
        stream.getvalue().encode("utf-8")


def test_what_tells_tales_is_silent_at_any_level() -> None:
    """URLs and headers of pushes hold the tokens of people's devices."""
    stream = io.StringIO()
    log.configure(level="debug", style="json", stream=stream)
    for name in ("httpx", "httpcore.connection", "hpack.hpack"):
        logging.getLogger(name).debug("POST /3/device/a1b2")
        logging.getLogger(name).info("POST /3/device/a1b2")
        logging.getLogger(name).warning("something is wrong")
    assert [entry["event"] for entry in lines(stream)] == ["something is wrong"] * 3
