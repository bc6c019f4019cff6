"""What every test gets: nothing may be logged at error level that the test did not announce.

An error in the log is a bug by definition (a handled failure is a warning), so a test that causes one has found it,
even if everything it asserts is true. `@pytest.mark.expects_error_log("event_name")` announces one.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Final

import pytest
import structlog
from structlog.typing import EventDict, WrappedLogger


class Journal(logging.Handler):
    """All that is logged during one test, by structlog and by the standard library's logging."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.entries: list[EventDict] = []

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        self.entries.append(dict(event))
        return event

    def emit(self, record: logging.LogRecord) -> None:
        if not isinstance(record.msg, _Rendered):
            self.entries.append(
                {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
            )

    def errors(self) -> list[EventDict]:
        return [entry for entry in self.entries if entry.get("level") in {"error", "critical"}]


class _Rendered(str):
    """A line that came from structlog, which the journal already has."""

    __slots__ = ()


def _render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return _Rendered(" ".join(f"{name}={value!r}" for name, value in event.items()))


JOURNAL: Final = Journal()


def listen() -> None:
    """Send all logs through the journal, and on to pytest, which shows those of a failed test."""
    # A root logger that lets nothing below warnings pass would hide what libraries say at info.
    structlog.reset_defaults()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            JOURNAL,
            _render,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    root = logging.getLogger()
    if JOURNAL not in root.handlers:
        root.addHandler(JOURNAL)


def pytest_configure() -> None:
    listen()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Judge the log when the test is over, as part of the test."""
    yield
    expected = {mark.args[0] for mark in item.iter_markers("expects_error_log")}
    found = JOURNAL.errors()
    surprises = [entry for entry in found if entry["event"] not in expected]
    if surprises:
        pytest.fail(f"logged at error level, not announced by the test: {surprises}", pytrace=False)
    missing = expected - {entry["event"] for entry in found}
    if missing:
        pytest.fail(f"announced, but not logged: {sorted(missing)}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, None, None]:
    """The same for what fixtures log while they are taken down."""
    seen = len(JOURNAL.entries)
    yield
    surprises = [entry for entry in JOURNAL.entries[seen:] if entry.get("level") in {"error", "critical"}]
    if surprises:
        pytest.fail(f"logged at error level during teardown: {surprises}", pytrace=False)


@pytest.fixture(autouse=True)
def journal() -> Journal:
    """Everything logged so far in this test: `journal.entries` are dicts with `event`, `level` and the fields."""
    JOURNAL.entries.clear()
    structlog.contextvars.clear_contextvars()
    listen()
    return JOURNAL
