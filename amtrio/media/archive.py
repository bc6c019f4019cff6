"""A ZIP archive that is made while it is sent: no part of it is ever whole in memory or on disk.

Knows the standard library's zipfile. Knows nothing of what is packed.
"""

from __future__ import annotations

import zipfile
from io import RawIOBase
from typing import IO

from amtrio.clock import utc_fields

# A tenth of the time of level 6 on text; what is large is photos and films, which shrink at no level.
COMPRESS_LEVEL = 1


class Archive:
    """
    Members are written one after the other; what is ready so far is taken away with `take`.

    Every method but `take` compresses, so call it on a worker thread.

    Args:
        at_us: the time that members are stamped with, microseconds since 1970 UTC.
    """

    def __init__(self, *, at_us: int) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESS_LEVEL)
        self._stamp = utc_fields(at_us)
        self._member: IO[bytes] | None = None

    def begin(self, name: str) -> None:
        """A new member; `write` goes into it from now on."""
        self.end()
        info = zipfile.ZipInfo(name, self._stamp)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        # Its size is not known before, and may be above what fits the older form.
        self._member = self._zip.open(info, "w", force_zip64=True)

    def write(self, data: bytes) -> None:
        """More of the member."""
        if self._member is None:
            text = "no member was begun"
            raise ValueError(text)
        self._member.write(data)

    def end(self) -> None:
        """The member is whole."""
        if self._member is not None:
            self._member.close()
            self._member = None

    def add(self, name: str, data: bytes) -> None:
        """A member that is at hand."""
        self.begin(name)
        self.write(data)
        self.end()

    def close(self) -> None:
        """End the member and the archive; also right for one that nobody wants any more."""
        self.end()
        self._zip.close()

    def take(self) -> bytes:
        """What is ready and was not taken yet."""
        return self._sink.take()


class _Sink(RawIOBase):
    """Where zipfile writes to; it can neither seek nor tell, so zipfile goes strictly forward."""

    def __init__(self) -> None:
        self._ready = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # zipfile gives bytes
        self._ready += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._ready)
        self._ready.clear()
        return taken
