"""The guard of conftest.py: it must see errors of both worlds, and believe announcements."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import structlog

from tests.conftest import Journal

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).with_name("conftest.py")


@pytest.fixture
def inner(pytester: pytest.Pytester) -> pytest.Pytester:
    """A test session of its own, in a process of its own, with our conftest."""
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makeini("[pytest]\nmarkers = expects_error_log(event): see conftest\n")
    return pytester


def test_an_error_nobody_announced_fails_the_test(inner: pytest.Pytester) -> None:
    """
    Both ways of logging are watched, and both phases.
    """
    inner.makepyfile(
        """
        import logging, pytest, structlog
        def test_structlog(): structlog.get_logger().error("disk_lost")
        def test_logging(): logging.getLogger("library").error("it broke")
        def test_exception():
            try: 1 / 0
            except ZeroDivisionError: structlog.get_logger().exception("bug")
        @pytest.fixture
        def messy():
            yield
            structlog.get_logger().critical("left_behind")
        def test_teardown(messy): pass
        def test_warning(): structlog.get_logger().warning("handled")
        """
    )
    inner.runpytest_subprocess("-p", "no:trio").assert_outcomes(failed=3, passed=2, errors=1)


def test_an_announced_error_must_happen(inner: pytest.Pytester) -> None:
    """
    An announcement covers its own event and nothing else, and is wrong when nothing is logged.
    """
    inner.makepyfile(
        """
        import pytest, structlog
        @pytest.mark.expects_error_log("disk_lost")
        def test_it_happens(): structlog.get_logger().error("disk_lost", disk="sda")
        @pytest.mark.expects_error_log("disk_lost")
        def test_another_one_happens(): structlog.get_logger().error("wire_lost")
        @pytest.mark.expects_error_log("disk_lost")
        def test_nothing_happens(): pass
        """
    )
    inner.runpytest_subprocess("-p", "no:trio").assert_outcomes(failed=2, passed=1)


def test_the_journal_holds_what_was_logged(journal: Journal) -> None:
    """
    A test can look at fields instead of at text, each entry once.
    """
    structlog.get_logger().info("session_closed", reason="done")
    logging.getLogger("library").warning("slow %s", "disk")

    assert journal.entries == [
        {"event": "session_closed", "level": "info", "reason": "done"},
        {"event": "slow disk", "level": "warning", "logger": "library"},
    ]
