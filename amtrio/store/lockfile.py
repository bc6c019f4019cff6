"""One process per database: a lock file that the kernel lets go of when its holder dies.

Knows files; knows nothing of SQLite.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amtrio.store.problems import ReadOnlyStore, StoreLocked


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """
    Hold `path` locked; it says by whom.

    The file stays when the lock goes: removing it would let a third process lock a file that nobody else can see.

    Raises:
        StoreLocked: another process holds it; the text has its pid.
        ReadOnlyStore: the directory cannot be written.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            text = f"cannot write {path}: {error.strerror}. The user that runs amtrio must own this directory."
            raise ReadOnlyStore(text) from error
        raise
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            text = (
                f"the database is in use by process {holder}, which holds {path}."
                " Stop it, or give this one another data directory."
            )
            raise StoreLocked(text) from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(fd)
