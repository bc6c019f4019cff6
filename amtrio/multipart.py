"""An upload's body as a file: multipart/form-data with a field `file`, or the bare bytes.

Sans I/O. Knows bodies and headers; knows no disk, no database and no framework's request.
"""

from __future__ import annotations

import unicodedata

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from amtrio.errors import Malformed, TooLarge

# What surrounds the file in a body: boundaries, part headers, a few short fields.
FRAMING_BYTES = 64 * 1024
# The decoder holds a piece of the body and the head of a part.
_BUFFER_BYTES = 1024 * 1024
_MAX_PARTS = 16
_MAX_FIELD_BYTES = 8 * 1024
_MAX_NAME_BYTES = 255
_MAX_BOUNDARY_CHARS = 70  # RFC 2046, 5.1.1


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
        self._decoder: MultipartDecoder | None = None
        kind, options = parse_options_header(content_type)
        if kind == "multipart/form-data":
            boundary = options.get("boundary", "")
            if not 0 < len(boundary) <= _MAX_BOUNDARY_CHARS:
                raise Malformed("multipart/form-data without a boundary of 1 to 70 characters")
            self._decoder = MultipartDecoder(boundary.encode(), _BUFFER_BYTES, max_parts=_MAX_PARTS)
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
        if self._decoder is None:
            self._has_file = True
            return [piece]
        return self._decoded(piece)

    def finish(self) -> None:
        """
        The body is over.

        Raises:
            Malformed: it is cut off, or there was no file in it.
        """
        if self._decoder is not None:
            self._decoded(None)
        if not self._has_file:
            raise Malformed("missing file field")

    def _decoded(self, piece: bytes | None) -> list[bytes]:
        assert self._decoder is not None
        found = []
        try:
            self._decoder.receive_data(piece)
            while not isinstance(event := self._decoder.next_event(), Epilogue | NeedData):
                found += self._taken(event)
        except RequestEntityTooLarge as exc:
            raise TooLarge(f"a form has at most {_MAX_PARTS} fields with short heads") from exc
        except (ValueError, AttributeError) as exc:
            # The decoder meets a part without a line break after its head with an AttributeError.
            raise Malformed("the body is no multipart/form-data with this boundary, or not all of it") from exc
        return found

    def _taken(self, event: Event) -> list[bytes]:
        if isinstance(event, File) and event.name == "file":
            if self._has_file:
                raise Malformed("one file per request")
            self._has_file, self._field, self.filename = True, "", clean_filename(event.filename)
        elif isinstance(event, File | Field):
            self._field, self._value = event.name or "-", b""
        elif isinstance(event, Data) and not self._field:
            return [event.data] if event.data else []
        elif isinstance(event, Data):
            self._value += event.data
            if len(self._value) > _MAX_FIELD_BYTES:
                raise TooLarge(f"a field beside the file has at most {_MAX_FIELD_BYTES} bytes")
            self.fields[self._field] = self._value.decode("utf-8", "replace")
        return []


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


_MAX_EXTENSION_BYTES = 16
