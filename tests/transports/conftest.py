"""Fixtures for whatever needs a port."""

from __future__ import annotations

import pytest
from trio.testing import MockClock


@pytest.fixture
def quick_clock() -> MockClock:
    """
    A clock that jumps to the next deadline whenever nothing has moved for 20 ms of real time: time limits are
    tested at their real length, and bytes on the loopback are not overtaken.
    """
    return MockClock(autojump_threshold=0.02)
