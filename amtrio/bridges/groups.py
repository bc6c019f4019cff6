"""A failure inside a task group, as it was raised.

Knows nothing of who raised it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unwrapped() -> Iterator[None]:
    """Take the one exception of a task group out of its group, so that `except RunFailed` means what it says."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) != 1:
            raise
        failure = group.exceptions[0]
    else:
        return
    with unwrapped():
        raise failure from None
