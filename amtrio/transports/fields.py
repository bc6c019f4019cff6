"""Fields that came as text, in a query or a form, the way a handler's struct wants them.

Knows structs; knows no framework and no request. That a number is one is checked where the struct is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec import inspect

from amtrio.errors import Malformed
from amtrio.protocol.codec import check_nesting

Kind = Literal["list", "object"]


def from_texts(shape: type[msgspec.Struct], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """
    Names and texts as fields of `shape`.

    A name may come several times where a list is wanted; elsewhere the first one counts. An object is a text of JSON.

    Raises:
        Malformed: no JSON where an object is wanted.
    """
    kinds = _kinds(shape)
    fields: dict[str, Any] = {}
    for name, text in pairs:
        kind = kinds.get(name)
        if kind == "list":
            fields.setdefault(name, []).append(text)
        elif name not in fields:
            fields[name] = _object(name, text) if kind == "object" else text
    return fields


def _object(name: str, text: str) -> Any:
    try:
        check_nesting(text, name)
        return msgspec.json.decode(text) if text else None
    except (Malformed, msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise Malformed(f"request: {name} must be an object, written as JSON") from exc


@cache
def _kinds(shape: type[msgspec.Struct]) -> dict[str, Kind]:
    """The fields that no single text can be."""
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    found = {field.encode_name: _kind(field.type) for field in info.fields}
    return {name: kind for name, kind in found.items() if kind is not None}


def _kind(field: inspect.Type) -> Kind | None:
    match field:
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return "list"
        case inspect.DictType() | inspect.StructType():
            return "object"
        case inspect.UnionType(types=types) if not any(isinstance(each, inspect.StrType) for each in types):
            return next((kind for each in types if (kind := _kind(each))), None)
        case inspect.Metadata(type=inner):
            return _kind(inner)
        case _:
            return None
