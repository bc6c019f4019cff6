"""A live run as a device shows it: built from snapshots and what is new since.

Sans I/O. Knows the rules of docs/protocol.md, "What devices are shown"; knows nothing of connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amtrio.client.events import Message, RunDelta, RunSnapshot
from amtrio.client.shapes import PartDelta, RunPart

_BETWEEN_TEXTS = "\n\n"


class PartView:
    """
    One part, as far as it is known.

    Attributes:
        part: its number. kind, meta: as in `RunPart`. length: code points in its text.
    """

    def __init__(self, part: int, kind: str, meta: dict[str, Any], text: str = "") -> None:
        self.part = part
        self.kind = kind
        self.meta = meta
        self.length = len(text)
        self._texts = [text] if text else []

    @property
    def text(self) -> str:
        """All of it that is known."""
        if len(self._texts) > 1:
            self._texts = ["".join(self._texts)]
        return self._texts[0] if self._texts else ""

    def append(self, text: str) -> None:
        """For `RunView`: it goes on."""
        self._texts.append(text)
        self.length += len(text)

    def __repr__(self) -> str:
        return f"PartView({self.part}, {self.kind!r}, {self.meta!r}, {self.text!r})"


class RunView:
    """
    One run.

    Attributes:
        rev: how many changes it has seen; -1 before the first snapshot.
        parts: in order. reply_to: the message that it answers. started_at: RFC 3339.
    """

    def __init__(self, run_id: str, conversation_id: str) -> None:
        self.run_id = run_id
        self.conversation_id = conversation_id
        self.agent_id = ""
        self.reply_to: str | None = None
        self.started_at = ""
        self.rev = -1
        self.parts: list[PartView] = []

    def __repr__(self) -> str:
        return f"RunView({self.run_id!r}, rev={self.rev}, text={self.text!r})"

    @property
    def text(self) -> str:
        """What its message will say, as far as it is known."""
        return _BETWEEN_TEXTS.join(part.text for part in self.parts if part.kind == "text" and part.length)

    @property
    def status(self) -> str | None:
        """The line about this moment, if the agent says one."""
        last = next((part for part in reversed(self.parts) if part.kind == "status"), None)
        return None if last is None else str(last.meta.get("text", ""))

    def apply(self, news: RunSnapshot | RunDelta) -> bool:
        """
        Bring it up to date.

        Returns:
            False: something before this is missing. Nothing was changed; ask for a snapshot (`run_attach`).
        """
        if isinstance(news, RunSnapshot):
            if news.rev >= self.rev:
                self._replace(news)
            return True
        if news.rev <= self.rev:
            return True
        if self.rev < 0 or news.rev > self.rev + 1 or not self._fits(news.parts):
            return False
        for change in news.parts:
            self._change(change)
        self.rev = news.rev
        return True

    def _replace(self, snapshot: RunSnapshot) -> None:
        self.agent_id = snapshot.agent_id
        self.reply_to = snapshot.reply_to
        self.started_at = snapshot.started_at
        self.rev = snapshot.rev
        self.parts = [PartView(number, part.kind, part.meta, part.text) for number, part in enumerate(snapshot.parts)]

    def _fits(self, changes: Sequence[PartDelta]) -> bool:
        """Whether each change goes on where the ones before it end."""
        lengths = [part.length for part in self.parts]
        for change in changes:
            if change.part == len(lengths) and change.kind is not None:
                lengths.append(0)
            if change.part >= len(lengths) or (change.text and change.offset != lengths[change.part]):
                return False
            lengths[change.part] += len(change.text)
        return True

    def _change(self, change: PartDelta) -> None:
        if change.part == len(self.parts):
            self.parts.append(PartView(change.part, change.kind or "", {}))
        part = self.parts[change.part]
        if change.meta is not None:
            part.meta = change.meta
        if change.text:
            part.append(change.text)


def parts_of(message: Message) -> list[RunPart]:
    """
    The parts of the run that a message is the end of, each text with what it says; none without a run.

    Of an edited message the content counts alone: it then is one text part, in front of the parts of other kinds.
    """
    if message.run is None:
        return []
    others = [part for part in message.run.parts if part.kind != "text"]
    if message.edited_at is not None or message.deleted:
        return [RunPart(part=0, kind="text", text=message.content, length=len(message.content)), *others]
    parts: list[RunPart] = []
    start = 0
    for part in message.run.parts:
        if part.kind != "text":
            parts.append(part)
            continue
        end = start + (part.length or 0)
        parts.append(
            RunPart(part=part.part, kind="text", meta=part.meta, text=message.content[start:end], length=part.length)
        )
        start = end + len(_BETWEEN_TEXTS)
    return parts
