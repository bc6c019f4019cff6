"""COMPAT: values that an older SDK puts into a form as Python prints them, `{'auth': 'x'}`, where others write JSON.

Knows texts. Knows no field and no feature; what a value must be is checked where it is used.
"""

from __future__ import annotations

import ast

import msgspec


def value_of(text: str, *, most_chars: int) -> object:
    """
    The value that a text stands for, in JSON or as Python prints it; never more than plain data.

    Raises:
        ValueError: neither, or longer than `most_chars`.
    """
    if len(text) > most_chars:
        raise ValueError("too long")
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        try:
            value = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as exc:
            raise ValueError("neither JSON nor what Python prints") from exc
    return value
