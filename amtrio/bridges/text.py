"""Bytes from a pipe or a socket as text, however they were cut.

Does no I/O and knows nothing of who speaks.
"""

from __future__ import annotations

import codecs
from typing import Final

# One JSON line of an agent may carry a picture. A line without an end must not eat the memory.
LINE_CHARACTERS_AT_MOST: Final = 32 * 1024 * 1024


class Utf8:
    """Decodes piece by piece: a character cut in two comes with its second half, what is no UTF-8 as U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, data: bytes) -> str:
        return self._decoder.decode(data)

    def end(self) -> str:
        """What a cut character at the very end is worth."""
        return self._decoder.decode(b"", final=True)


class Lines:
    """Lines without their ends (LF or CRLF), from text cut anywhere. A line beyond the bound comes in pieces."""

    def __init__(self, longest: int = LINE_CHARACTERS_AT_MOST) -> None:
        self._longest = longest
        self._pieces: list[str] = []
        self._length = 0

    def feed(self, text: str) -> list[str]:
        """The lines that this text completes."""
        lines = []
        *whole, rest = text.split("\n")
        for piece in whole:
            self._pieces.append(piece)
            lines.append(self._take().removesuffix("\r"))
        if rest:
            self._pieces.append(rest)
            self._length += len(rest)
            if self._length > self._longest:
                lines.append(self._take())
        return lines

    def end(self) -> list[str]:
        """The last line, if it had no end."""
        return [self._take()] if self._pieces else []

    def _take(self) -> str:
        line = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return line


class Utf8Lines:
    """`Lines` from bytes, as `Utf8` decodes them."""

    def __init__(self, longest: int = LINE_CHARACTERS_AT_MOST) -> None:
        self._text = Utf8()
        self._lines = Lines(longest)

    def feed(self, data: bytes) -> list[str]:
        return self._lines.feed(self._text.feed(data))

    def end(self) -> list[str]:
        return [*self._lines.feed(self._text.end()), *self._lines.end()]
