"""The body of a run: numbered parts whose texts only grow, and what of them somebody has not seen yet.

Sans I/O. Knows offsets and limits; knows no agent, no conversation, no socket and no table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from amtrio.errors import Conflict, RunGap, TooLarge
from amtrio.model.run_part import PartChange, PartEnd, PartKept, PartKind, PartShown, check_meta
from amtrio.protocol.codec import encode
from amtrio.protocol.frames import Json

# A coding agent that runs a day makes dozens of tool calls an answer; beyond this it is a log, which is a file.
MAX_PARTS = 200
# A piece costs some 80 bytes beside its text, and an agent may say one character at a time.
MAX_PIECES = 1000
# They become the attachments of its message, which has as many.
MAX_ARTIFACTS = 10
# Between two texts of one answer, as between two paragraphs of Markdown.
PARTS_APART = "\n\n"
# For clients that know no runs, where a run has no text; by outcome.
STAND_INS = {"done": "(no text)", "stopped": "(stopped)", "failed": "(failed)", "interrupted": "(interrupted)"}


class _Seen(NamedTuple):
    """What a reader has of one part: so much text, and that version of its meta (0: not even its kind)."""

    offset: int = 0
    version: int = 0


class Changes(NamedTuple):
    """
    What a reader has not seen.

    Attributes:
        marks: how far that brings the reader, by part; for `Body.reached`.
    """

    parts: tuple[PartChange, ...]
    marks: tuple[tuple[int, _Seen], ...]


class Reader:
    """Somebody who follows a body and wants each change once."""

    __slots__ = ("_seen", "due")

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self.due: set[int] = set()

    def seen(self, part: int) -> _Seen:
        return self._seen.get(part, _NOTHING)

    def has(self, part: int, seen: _Seen) -> None:
        self._seen[part] = seen


_NOTHING = _Seen()


class _Part:
    """One part; the text as pieces, so that appending costs what is appended."""

    __slots__ = ("kind", "length", "meta", "meta_bytes", "pieces", "version")

    def __init__(self, kind: PartKind) -> None:
        self.kind = kind
        self.meta: Json = {}
        self.meta_bytes = 0
        self.version = 1
        self.pieces: list[str] = []
        self.length = 0

    def append(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)
        if len(self.pieces) > MAX_PIECES:
            self.text()

    def text(self) -> str:
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    def tail(self, offset: int) -> str:
        """What comes after `offset`; as a rule that is in the last few pieces."""
        missing = self.length - offset
        if missing <= 0:
            return ""
        taken: list[str] = []
        for piece in reversed(self.pieces):
            if len(piece) >= missing:
                taken.append(piece[len(piece) - missing :])
                break
            taken.append(piece)
            missing -= len(piece)
        return "".join(reversed(taken))


class Body:
    """
    What a run has said so far.

    Args:
        max_bytes: of all texts and metas as JSON together.

    Attributes:
        max_bytes: the same. size: how many bytes of that are used.
        devices: what was shown to devices. storage: what is on disk.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._parts: list[_Part] = []
        self.size = 0
        self.devices = Reader()
        self.storage = Reader()

    # -- what an agent does -------------------------------------------------

    def append(self, number: int, offset: int, text: str) -> bool:
        """
        Add text to a part; the next part that is not there yet begins as a text. True if anything is new.

        Raises:
            RunGap: it begins behind the end of the part. Conflict: a part before it is missing.
            TooLarge: the run would be too long. Whichever, it is as it was.
        """
        self._check_next(number)
        length = self._parts[number].length if number < len(self._parts) else 0
        if offset > length:
            raise RunGap(
                f"part {number} ends at {length}, not at {offset}",
                details={"expected_offset": length},
            )
        if offset + len(text) <= length:
            return False
        text = text[length - offset :]
        self._grow(_json_bytes(text))
        if number == len(self._parts):
            self._parts.append(_Part("text"))
        self._parts[number].append(text)
        self._touched(number)
        return True

    def declare(self, number: int, kind: PartKind, meta: Json | None) -> bool:
        """
        Begin the next part, or give one that is there another meta. True if anything is new.

        Raises:
            Conflict: it is of another kind, or a part before it is missing.
            Malformed: the meta does not say what this kind needs. TooLarge: the run would be too long.
        """
        self._check_next(number)
        is_new = number == len(self._parts)
        if not is_new and self._parts[number].kind != kind:
            raise Conflict(f"part {number} is of kind {self._parts[number].kind}, not {kind}")
        if meta is not None or is_new:
            check_meta(kind, meta or {})
        if kind == "artifact" and is_new and sum(part.kind == kind for part in self._parts) >= MAX_ARTIFACTS:
            raise TooLarge(f"a run has at most {MAX_ARTIFACTS} files")
        return self._declare(number, kind, meta)

    def _declare(self, number: int, kind: PartKind, meta: Json | None) -> bool:
        is_new = number == len(self._parts)
        if not is_new and (meta is None or meta == self._parts[number].meta):
            return False
        meta = meta or {}
        before = 0 if is_new else self._parts[number].meta_bytes
        meta_bytes = len(encode(meta)) if meta else 0
        self._grow(meta_bytes - before)
        if is_new:
            self._parts.append(_Part(kind))
        part = self._parts[number]
        part.meta, part.meta_bytes = meta, meta_bytes
        part.version += 1
        self._touched(number)
        return True

    def _check_next(self, number: int) -> None:
        if number > len(self._parts):
            text = f"part {number} comes before part {len(self._parts)}: parts are numbered 0, 1, 2 without gaps"
            raise Conflict(text)
        if number >= MAX_PARTS:
            raise TooLarge(f"a run has at most {MAX_PARTS} parts")

    def _grow(self, by_bytes: int) -> None:
        if by_bytes > 0 and self.size + by_bytes > self.max_bytes:
            raise TooLarge(f"a run has at most {self.max_bytes} bytes; make the rest a file")
        self.size += by_bytes

    def _touched(self, number: int) -> None:
        self.devices.due.add(number)
        self.storage.due.add(number)

    # -- what others see ------------------------------------------------------

    def changes(self, reader: Reader) -> Changes:
        """What a reader has not seen yet, part by part; `reached` makes it seen."""
        found, marks = [], []
        for number in sorted(reader.due):
            part, seen = self._parts[number], reader.seen(number)
            text = part.tail(seen.offset)
            found.append(
                PartChange(
                    part=number,
                    kind=part.kind if seen.version == 0 else None,
                    meta=part.meta if part.version != seen.version and (part.meta or seen.version) else None,
                    offset=seen.offset if text else None,
                    text=text or None,
                )
            )
            marks.append((number, _Seen(part.length, part.version)))
        return Changes(tuple(found), tuple(marks))

    def whole(self) -> Changes:
        """All of it, as for a reader who has seen nothing."""
        reader = Reader()
        reader.due.update(range(len(self._parts)))
        return self.changes(reader)

    def reached(self, reader: Reader, changes: Changes) -> None:
        """A reader has these changes; the body may have gone on since they were made."""
        for number, mark in changes.marks:
            reader.has(number, mark)
            part = self._parts[number]
            if mark == (part.length, part.version):
                reader.due.discard(number)

    def apply(self, changes: Iterable[PartChange]) -> None:
        """Make again what `changes` told, in order; for bodies that are read back from storage."""
        for change in changes:
            if change.kind is not None or change.meta is not None:
                is_new = change.part >= len(self._parts)
                kind = change.kind or ("text" if is_new else self._parts[change.part].kind)
                self._declare(change.part, kind, change.meta)
            if change.text is not None:
                self.append(change.part, change.offset or 0, change.text)

    def parts(self) -> tuple[PartShown, ...]:
        """Everything."""
        return tuple(
            PartShown(part=number, kind=part.kind, meta=part.meta, text=part.text())
            for number, part in enumerate(self._parts)
        )

    def ends(self) -> tuple[PartEnd, ...]:
        """How far each part goes."""
        return tuple(
            PartEnd(part=number, kind=part.kind, offset=part.length) for number, part in enumerate(self._parts)
        )

    # -- what is left in the end -------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """It has nothing that anybody would want to see again: a status line was about the moment."""
        return all(part.kind == "status" or (part.kind == "text" and part.length == 0) for part in self._parts)

    def content(self, outcome: str, error: str | None) -> str:
        """The text of the message that it becomes."""
        texts = [part.text() for part in self._parts if part.kind == "text" and part.length]
        return PARTS_APART.join(texts) or error or STAND_INS[outcome]

    def kept(self) -> tuple[PartKept, ...]:
        """Its parts beside the content: no empty texts, no status lines."""
        found = []
        for number, part in enumerate(self._parts):
            if part.kind == "text":
                if part.length:
                    found.append(PartKept(part=number, kind="text", meta=part.meta, length=part.length))
            elif part.kind != "status":
                found.append(PartKept(part=number, kind=part.kind, meta=part.meta, text=part.text() or None))
        return tuple(found)

    def attachment_ids(self) -> tuple[str, ...]:
        """The files among its parts, each once, in order."""
        ids = (part.meta.get("attachment_id") for part in self._parts if part.kind == "artifact")
        return tuple(dict.fromkeys(str(id_) for id_ in ids if id_))


def _json_bytes(text: str) -> int:
    return len(encode(text)) - 2


def fold(chunks: Sequence[Sequence[PartChange]], *, max_bytes: int) -> Body:
    """
    A body as it was stored, all of it seen by storage.

    What is on disk was let in when it was said. It is made again part by part, on the way it may be larger than it ever
    was, and the limit may have been lowered since: so that counts for what is said from now on.
    """
    body = Body(max_bytes=sys.maxsize)
    for changes in chunks:
        body.apply(changes)
    body.max_bytes = max_bytes
    body.reached(body.storage, body.changes(body.storage))
    return body
