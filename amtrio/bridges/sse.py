"""Server-sent events out of bytes that were cut anywhere.

Does no I/O and knows nothing of what the events say. Source: WHATWG HTML, 9.2.6 "Interpreting an event stream".
"""

from __future__ import annotations

from dataclasses import dataclass

from amtrio.bridges.text import LINE_CHARACTERS_AT_MOST, Utf8


class StreamBroken(Exception):
    """It is no event stream."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """Attributes: name: of the field `event`, `message` if there was none."""

    data: str
    name: str = "message"


class EventStream:
    """
    Events with data; comments, ids and retry times are of no use here.

    Unlike a browser's, `end` gives out a last event whose blank line is missing: some servers forget it.
    """

    def __init__(self, longest: int = LINE_CHARACTERS_AT_MOST) -> None:
        self._text = Utf8()
        self._longest = longest
        self._line = ""
        self._after_cr = False
        self._is_first = True
        self._name = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> list[ServerEvent]:
        """
        The events that these bytes complete.

        Raises:
            StreamBroken: a line has no end.
        """
        return self._add(self._text.feed(data))

    def end(self) -> list[ServerEvent]:
        found = self._add(f"{self._text.end()}\n\n")
        self._line = ""
        return found

    def _add(self, text: str) -> list[ServerEvent]:
        if not text:
            return []
        if self._is_first:
            self._is_first = False
            text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
        if self._after_cr:
            text = text.removeprefix("\n")  # the second half of a CRLF that was cut
        self._after_cr = text.endswith("\r") if text else False
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        found = []
        for line in lines:
            event = self._take(self._line + line)
            self._line = ""
            if event is not None:
                found.append(event)
        self._line += rest
        if len(self._line) > self._longest:
            raise StreamBroken("a line of the event stream has no end")
        return found

    def _take(self, line: str) -> ServerEvent | None:
        if not line:
            event = ServerEvent("\n".join(self._data), self._name or "message") if self._data else None
            self._name = ""
            self._data.clear()
            return event
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        return None
