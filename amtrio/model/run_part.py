"""A part of a run: its kinds, what each kind says of itself, and how it is told, shown and kept.

Sans I/O. Knows shapes; knows no limits, and nothing of how a body grows.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from amtrio.errors import Malformed
from amtrio.protocol.frames import Json

PartKind = Literal["text", "reasoning", "tool", "plan", "status", "artifact"]


class PartChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What changed in one part.

    Attributes:
        kind: of a part that is new. meta: whole, if it is new or changed.
        offset, text: text to be appended there; Unicode code points.
    """

    part: int
    kind: PartKind | None = None
    meta: Json | None = None
    offset: int | None = None
    text: str | None = None


class PartShown(msgspec.Struct, frozen=True, kw_only=True):
    """A part as it is now."""

    part: int
    kind: PartKind
    meta: Json
    text: str


class PartKept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    A part of a run that has ended, beside the message's content.

    Attributes:
        length: of a text part, code points of the content; the parts follow each other, two line feeds apart.
        text: of any other part.
    """

    part: int
    kind: PartKind
    meta: Json = msgspec.field(default_factory=dict)
    length: int | None = None
    text: str | None = None


class PartEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How far a part goes, code points."""

    part: int
    kind: PartKind
    offset: int


def check_meta(kind: PartKind, meta: Json) -> None:
    """
    Refuse a meta that devices could not show.

    Raises:
        Malformed: names field and rule.
    """
    shape = _METAS.get(kind)
    if shape is None:
        return
    try:
        msgspec.convert(meta, shape)
    except msgspec.ValidationError as exc:
        raise Malformed(f"meta of a {kind} part: {exc}") from exc


class _Reasoning(msgspec.Struct):
    title: str | None = None
    duration_ms: int | None = None


class _Tool(msgspec.Struct):
    name: str
    state: Literal["pending", "running", "done", "failed"]
    title: str | None = None
    duration_ms: int | None = None


class _PlanItem(msgspec.Struct):
    text: str
    state: Literal["pending", "running", "done"]


class _Plan(msgspec.Struct):
    items: list[_PlanItem]


class _Status(msgspec.Struct):
    text: str


class _Artifact(msgspec.Struct):
    attachment_id: str
    filename: str | None = None


_METAS: dict[PartKind, type[msgspec.Struct]] = {
    "reasoning": _Reasoning,
    "tool": _Tool,
    "plan": _Plan,
    "status": _Status,
    "artifact": _Artifact,
}
