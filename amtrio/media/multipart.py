"""An upload's body as a file: multipart/form-data with a field `file`, or the bare bytes.

Sans I/O. Knows bodies and headers; knows no disk, no database and no framework's request.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from werkzeug.http import parse_options_header

from amtrio.errors import Malformed, TooLarge

# What surrounds the file in a body: boundaries, part headers, a few short fields.
FRAMING_BYTES = 64 * 1024
_MAX_PARTS = 16
_MAX_HEAD_BYTES = 8 * 1024
_MAX_FIELD_BYTES = 8 * 1024
_MAX_NAME_BYTES = 255
_MAX_EXTENSION_BYTES = 16
_MAX_BOUNDARY_CHARS = 70  # RFC 2046, 5.1.1
_MAX_PADDING_BYTES = 64


class Upload:
    """
    Finds the one file in a body that is fed to it piece by piece.

    Attributes:
        filename: cleaned; known with the first piece of the file.
        fields: of the form beside the file; complete at the end.
    """

    def __init__(self, *, content_type: str, disposition: str, filename: str) -> None:
        """
        Begin.

        Args:
            content_type, disposition: headers of the request. filename: for bare bytes, from the query.

        Raises:
            Malformed: the body cannot hold a file.
        """
        self.filename = ""
        self.fields: dict[str, str] = {}
        self._has_file = False
        self._field, self._value = "", b""
        self._parts: _Parts | None = None
        kind, options = parse_options_header(content_type)
        if kind == "multipart/form-data":
            boundary = options.get("boundary", "")
            if not 0 < len(boundary) <= _MAX_BOUNDARY_CHARS:
                raise Malformed(f"multipart/form-data without a boundary of 1 to {_MAX_BOUNDARY_CHARS} characters")
            self._parts = _Parts(boundary.encode())
        elif kind == "application/x-www-form-urlencoded":
            raise Malformed("missing file field: send multipart/form-data, or the bytes under their own Content-Type")
        else:
            self.filename = clean_filename(filename or parse_options_header(disposition)[1].get("filename", ""))

    def feed(self, piece: bytes) -> list[bytes]:
        """
        What of the file is in the next piece of the body.

        Raises:
            Malformed: not of the shape above, or a second file. TooLarge: a field that is no file.
        """
        if self._parts is None:
            self._has_file = True
            return [piece]
        return [found for event in self._parts.feed(piece) for found in self._taken(event)]

    def finish(self) -> None:
        """
        The body is over.

        Raises:
            Malformed: it is cut off, or there was no file in it.
        """
        if self._parts is not None and not self._parts.is_over:
            raise Malformed("the body is no multipart/form-data with this boundary, or not all of it")
        if not self._has_file:
            raise Malformed("missing file field")

    def _taken(self, event: dict[str, str] | bytes) -> list[bytes]:
        if isinstance(event, bytes):
            if not self._field:
                return [event]
            self._value += event
            if len(self._value) > _MAX_FIELD_BYTES:
                raise TooLarge(f"a field beside the file has at most {_MAX_FIELD_BYTES} bytes")
            self.fields[self._field] = self._value.decode("utf-8", "replace")
        elif event.get("name") == "file" and "filename" in event:
            if self._has_file:
                raise Malformed("one file per request")
            self._has_file, self._field, self.filename = True, "", clean_filename(event["filename"])
        else:
            self._field, self._value = event.get("name") or "-", b""
        return []


class _Parts:
    """
    The parts of a multipart body (RFC 2046, 5.1): what each says of itself, then its bytes.

    Not the framework's decoder, which gives a part one byte too many if a piece ends within the boundary after it.
    """

    def __init__(self, boundary: bytes) -> None:
        self.is_over = False
        self._delimiter = b"\r\n--" + boundary
        # The first delimiter may be the very beginning, where its line break is missing.
        self._buffer = bytearray(b"\r\n")
        self._is_head = False
        self._count = 0

    def feed(self, piece: bytes) -> Iterator[dict[str, str] | bytes]:
        """The next part's disposition, or bytes of the part that has begun."""
        if self.is_over:  # what follows the last delimiter means nothing
            return
        self._buffer += piece
        while not self.is_over:
            if self._is_head:
                if (head := self._head()) is None:
                    return
                yield head
            else:
                found, has_more = self._body()
                if found and self._count:  # what comes before the first delimiter means nothing
                    yield found
                if not has_more:
                    return

    def _head(self) -> dict[str, str] | None:
        # The line break that ended the delimiter is still there, so that a part without any header has an end too.
        end = self._buffer.find(b"\r\n\r\n")
        if max(end, len(self._buffer) if end < 0 else 0) > _MAX_HEAD_BYTES:
            raise TooLarge(f"the head of a part has at most {_MAX_HEAD_BYTES} bytes")
        if end < 0:
            return None
        lines = bytes(self._buffer[:end]).decode("utf-8", "replace").split("\r\n")
        del self._buffer[: end + 4]
        self._is_head = False
        for line in lines:
            name, _colon, value = line.partition(":")
            if name.strip().lower() == "content-disposition":
                return parse_options_header(value)[1]
        raise Malformed("a part of the form has no Content-Disposition")

    def _body(self) -> tuple[bytes, bool]:
        """Bytes that belong to the part for certain, and whether there is more to be made of the buffer."""
        at = self._buffer.find(self._delimiter)
        if at < 0:
            # Its end may be the beginning of a delimiter.
            return self._cut(max(0, len(self._buffer) - len(self._delimiter) + 1)), False
        after = at + len(self._delimiter)
        rest = bytes(self._buffer[after : after + _MAX_PADDING_BYTES + 2])
        line = rest.lstrip(b" \t")
        if line.startswith((b"--", b"\r\n")):
            found = self._cut(at)
            self.is_over = line.startswith(b"--")
            self._is_head = not self.is_over
            self._count += 1
            if self._count > _MAX_PARTS:
                raise TooLarge(f"a form has at most {_MAX_PARTS} fields")
            del self._buffer[: len(self._delimiter) + len(rest) - len(line)]
            return found, True
        if line in {b"", b"-", b"\r"} and len(rest) < _MAX_PADDING_BYTES:
            return self._cut(at), False  # cut off within the delimiter's line
        return self._cut(after), True  # a longer word that begins like it

    def _cut(self, at: int) -> bytes:
        found = bytes(self._buffer[:at])
        del self._buffer[:at]
        return found


def clean_filename(given: str) -> str:
    """
    A name for people to see: no folder, no control or formatting characters, at most 255 bytes, never empty.

    The end of a long name is kept if it looks like an extension.
    """
    base = given.replace("\\", "/").rpartition("/")[2]
    # Cc: line breaks and the like. Cf: reversed writing direction, with which exe.txt can be made of txt.exe.
    shown = "".join(char for char in base if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
    shown = unicodedata.normalize("NFC", shown).strip().lstrip(".").strip()
    if len(shown.encode()) > _MAX_NAME_BYTES:
        stem, dot, extension = shown.rpartition(".")
        tail = f"{dot}{extension}" if stem and len(extension.encode()) <= _MAX_EXTENSION_BYTES else ""
        stem = stem if tail else shown
        shown = stem.encode()[: _MAX_NAME_BYTES - len(tail.encode())].decode("utf-8", "ignore") + tail
    return shown or "file"
