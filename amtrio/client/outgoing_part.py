"""One part of a run on its way to the server: what it holds, and how much of it has been said.

Sans I/O. Knows nothing of the other parts, nor of sockets.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from amtrio.client.stream import encode_frame

Kind = Literal["text", "reasoning", "tool", "plan", "status", "artifact"]

# A frame this long is worth its head and still lets others through. Servers take 64 KiB as a rule.
FRAME_BYTES: Final = 32 * 1024
# Room for the head of a frame, so that the first guess of how much text fits is right as a rule.
_HEAD_BYTES: Final = 256
_ENCODER: Final = msgspec.json.Encoder()


class Part:
    """
    Attributes:
        length: code points in its text. sent: those that the server has, or will have once what is on its way arrived.
        is_declared: the server knows that it is there. meta_is_new: it knows an older meta.
    """

    __slots__ = ("_meta", "_text", "is_declared", "kind", "length", "meta_is_new", "sent")

    def __init__(self, kind: Kind, meta: Mapping[str, Any]) -> None:
        self.kind = kind
        self.meta_is_new = False
        self.is_declared = False
        self.length = 0
        self.sent = 0
        self._meta = _frozen(meta)
        self._text = io.StringIO(newline="")  # places in it are code points, as offsets are

    @property
    def waiting(self) -> int:
        """Code points that were not said yet."""
        return self.length - self.sent

    @property
    def has_news(self) -> bool:
        return not self.is_declared or self.meta_is_new or self.sent < self.length

    def set_meta(self, meta: Mapping[str, Any]) -> None:
        self._meta = _frozen(meta)
        self.meta_is_new = self.is_declared

    def append(self, text: str) -> int:
        """How many code points longer it is now."""
        text = clean(text)
        self._text.seek(self.length)
        self._text.write(text)
        self.length += len(text)
        return len(text)

    def placed(self, has: int | None, *, meta_may_be_old: bool) -> None:
        """The server says how many code points it has; None: it does not know this part."""
        self.is_declared = has is not None
        self.sent = min(has or 0, self.length)
        self.meta_is_new = self.is_declared and self.kind != "text" and meta_may_be_old

    def next_frame(self, run_id: str, number: int, ref: str, limit: int) -> bytes:
        """
        The next thing to say about it, when it has news.

        Args:
            limit: of the frame, bytes. Only a meta that is too long by itself goes beyond.
        """
        if self.meta_is_new or (not self.is_declared and (self.kind != "text" or self.length == 0)):
            self.is_declared, self.meta_is_new = True, False
            data = {"run_id": run_id, "part": number, "kind": self.kind, "meta": self._meta}
            return encode_frame("run_part", data, ref)
        count = min(self.waiting, limit)
        while True:
            self._text.seek(self.sent)
            text = self._text.read(count)
            frame = encode_frame(
                "run_append", {"run_id": run_id, "part": number, "offset": self.sent, "text": text}, ref
            )
            if len(frame) <= limit or count == 1:
                break
            # A code point is up to four bytes, and six where JSON escapes it.
            count = max(1, min(count - 1, count * limit // (len(frame) + _HEAD_BYTES)))
        self.is_declared = True  # a text part is declared by its first text
        self.sent += len(text)
        return frame


def clean(text: str) -> str:
    """The text without halves of surrogate pairs, which no frame can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _frozen(value: Mapping[str, Any]) -> msgspec.Raw:
    """As JSON at this moment: what its owner changes later is told later, and what is no JSON fails here."""
    return msgspec.Raw(_ENCODER.encode(value))
