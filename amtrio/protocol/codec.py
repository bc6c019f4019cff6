"""Bytes to commands and back: limits, tolerance for both shapes, and frames built without encoding anything twice.

Sans I/O. Knows which types exist only through the table it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from amtrio.errors import Malformed, UnknownType
from amtrio.protocol.frames import Envelope

# RFC 8259 lets JSON nest without end (9: a parser may set limits). msgspec stops at CPython's recursion limit, and how
# near that is depends on who calls: what could just be read on the way in might not be written on the way out.
MAX_NESTING = 64
_TEXTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_ENVELOPE = msgspec.json.Decoder(Envelope)
_ENCODER = msgspec.json.Encoder()
_ABSENT = (b"", b"null")
S = TypeVar("S", bound=msgspec.Struct)

# COMPAT: words of older clients and documents for the same thing.
ALIASES: Mapping[str, str] = {
    "chat": "message",
    "edit_message": "edit",
    "delete_message": "delete",
    "reaction": "react",
}


def encode(value: object) -> bytes:
    """JSON in UTF-8."""
    return _ENCODER.encode(value)


class Codec:
    """
    Decodes the frames of one server.

    Args:
        commands: wire word to the class that says what belongs into it.
    """

    def __init__(self, commands: Mapping[str, type[msgspec.Struct]]) -> None:
        self._decoders = {word: msgspec.json.Decoder(command) for word, command in commands.items()}

    def envelope(self, raw: str | bytes) -> Envelope:
        """
        The outer shape of a frame.

        Raises:
            Malformed: not JSON, or no text under "type"; nested too deeply.
        """
        check_nesting(raw, "frame")
        try:
            return _ENVELOPE.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as exc:
            raise Malformed(_explain("frame", exc)) from exc

    def command(self, envelope: Envelope, raw: str | bytes) -> tuple[str, msgspec.Struct]:
        """
        What the frame asks for: its word after aliases, and its data checked.

        Fields may stand under "data" or beside "type" (older clients).

        Raises:
            UnknownType: no such word. Malformed: a field is missing or of the wrong shape.
        """
        word = ALIASES.get(envelope.type, envelope.type)
        decoder = self._decoders.get(word)
        if decoder is None:
            raise UnknownType(f"unknown message type: {envelope.type[:64]}")
        nested = envelope.data
        is_flat = len(nested) <= len(b"null") and bytes(nested) in _ABSENT
        try:
            return word, decoder.decode(raw if is_flat else nested)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as exc:
            raise Malformed(_explain(word, exc, decoder.type)) from exc


def check_nesting(raw: str | bytes, what: str) -> None:
    """
    Refuse JSON of more than `MAX_NESTING` levels.

    Raises:
        Malformed: names `what`.
    """
    if isinstance(raw, str):
        raw = raw.encode(errors="surrogatepass")
    # Nearly always there are not even that many brackets.
    if raw.count(b"[") + raw.count(b"{") <= MAX_NESTING:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_TEXTS.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_NESTING:
            raise Malformed(f"{what}: nested too deeply, at most {MAX_NESTING} levels")


def convert(data: Mapping[str, Any], shape: type[S], /, *, texts: bool) -> S:
    """
    Check fields that came apart (path, query, form) against a struct.

    Args:
        texts: the values are text, so "5" is a number and "true" a truth value where the struct wants one.

    Raises:
        Malformed: a field is missing or of the wrong shape.
    """
    try:
        return msgspec.convert(data, shape, strict=not texts)
    except msgspec.ValidationError as exc:
        raise Malformed(_explain("request", exc, shape)) from exc


_AT_FIELD = re.compile(r"at `\$\.(\w+)`")


def _words_of(shape: type[msgspec.Struct], field: str) -> list[str]:
    """The words that may stand in a field that takes only some."""
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    kinds = [each.type for each in info.fields if each.encode_name == field]
    found: list[str] = []
    while kinds:
        match kinds.pop(0):
            case inspect.LiteralType(values=values):
                found += map(str, values)
            case inspect.UnionType(types=types):
                kinds += types
            case _:
                pass
    return found


def _explain(what: str, exc: Exception, shape: type[msgspec.Struct] | None = None) -> str:
    """Name the thing and the rule; msgspec's texts name field and rule but never quote the value."""
    if isinstance(exc, msgspec.ValidationError):
        text = str(exc).replace("Object missing required field", "missing field").replace(" - at `$`", "")
        # The look-ahead is Python's own business (see `frames.ID_PATTERN`); msgspec doubles its backslash.
        text = text.replace(r"(?!\\n)$", "$")
        field = _AT_FIELD.search(text)
        if text.startswith("Invalid enum value") and shape is not None and field is not None:
            words = _words_of(shape, field[1])
            text += f": one of {', '.join(words)}" if words else ""
        return f"{what}: {text}"
    if isinstance(exc, RecursionError):
        return f"{what}: nested too deeply"
    return f"{what}: not a JSON object in UTF-8"


def frame(word: str, data: bytes, /, *, seq: int | None = None, ref: bytes | None = None) -> bytes:
    """Splice a frame from data that is already JSON, so that N receivers cost one encoding."""
    if seq is not None:
        return b'{"type":"%b","seq":%d,"data":%b}' % (word.encode(), seq, data)
    if ref is not None:
        return b'{"type":"%b","ref":%b,"data":%b}' % (word.encode(), ref, data)
    return b'{"type":"%b","data":%b}' % (word.encode(), data)


def hybrid(word: str, data: bytes) -> bytes:
    """COMPAT: the same fields under "data" and beside it, for clients that read either."""
    inner = data[1:-1]
    return b'{"type":"%b","data":%b%b%b}' % (word.encode(), data, b"," if inner else b"", inner)


def flat(word: str, data: bytes) -> bytes:
    """COMPAT: the fields beside "type" only."""
    inner = data[1:-1]
    return b'{"type":"%b"%b%b}' % (word.encode(), b"," if inner else b"", inner)
