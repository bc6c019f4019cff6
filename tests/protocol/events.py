"""One of every event that the server can tell, made from the classes themselves: a new one is tested unasked."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.features.admin_agents import AdminAgentView
from amtrio.features.questions import QuestionChanged
from amtrio.features.reactions import ReactionChanged
from amtrio.model.agent import AgentView
from amtrio.model.conversation import Conversation
from amtrio.model.message import Message
from amtrio.protocol.frames import Event

# Shapes that events share, with each other or with REST; nobody tells them as they are.
ABSTRACT = {Message, Conversation, ReactionChanged, QuestionChanged, AgentView, AdminAgentView}
WHEN = "2026-11-22T17:07:01.123Z"


def every_class() -> list[type[Event]]:
    """Every concrete event class of the server, by name."""
    found: set[type[Event]] = set()
    todo = [Event]
    while todo:
        for each in todo.pop().__subclasses__():
            todo.append(each)
            if each.__module__.startswith("amtrio.") and each not in ABSTRACT:
                found.add(each)
    return sorted(found, key=lambda each: each.__name__)


def make(shape: type[Event], **fields: Any) -> Any:
    """An event of this class; fields that are not given have a plausible value, also where they may be left out."""
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    return shape(**(_fields(info) | fields))


def _fields(info: inspect.StructType) -> dict[str, Any]:
    return {field.name: _value(field.name, field.type) for field in info.fields}


def every_event() -> list[Any]:
    """One of each."""
    return [make(shape) for shape in every_class()]


def _value(name: str, kind: inspect.Type) -> Any:
    match kind:
        case inspect.UnionType(types=types):
            return _value(name, next(each for each in types if not isinstance(each, inspect.NoneType)))
        case inspect.Metadata(type=described):
            return _value(name, described)
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.BoolType():
            # "deleted" would hide everything else of a message.
            return name != "deleted"
        case inspect.IntType():
            return 7
        case inspect.StrType():
            return WHEN if name.endswith("_at") else f"some-{name}"
        case inspect.VarTupleType(item_type=inspect.StrType()):
            return ("one", "two")
        case inspect.VarTupleType(item_type=item):
            return (_value(name, item),)
        case inspect.StructType(cls=shape):
            return shape(**_fields(kind))
        case inspect.DictType():
            return {"key": 1}
    raise AssertionError(f"teach tests/protocol/events.py to make {msgspec.to_builtins(str(kind))} for {name!r}")
