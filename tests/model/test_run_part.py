"""What each kind of part has to say of itself."""

from __future__ import annotations

from typing import Any

import pytest

from amtrio.errors import Malformed
from amtrio.model.run_part import check_meta


@pytest.mark.parametrize(
    ("kind", "meta", "field"),
    [
        ("tool", {"name": "x"}, "state"),
        ("tool", {"name": 7, "state": "done"}, "name"),
        ("tool", {"name": "x", "state": "sleeping"}, "state"),
        ("plan", {"items": [{"text": "x", "state": "lost"}]}, "state"),
        ("status", {}, "text"),
        ("artifact", {}, "attachment_id"),
        ("reasoning", {"title": 1}, "title"),
    ],
)
def test_a_meta_that_could_not_be_shown_is_refused_and_named(kind: Any, meta: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed, match=field):
        check_meta(kind, meta)


def test_a_meta_may_hold_more_than_is_asked_for() -> None:
    check_meta("tool", {"name": "x", "state": "done", "arguments": [1], "result": {"a": None}, "mine": 1})
    check_meta("text", {"anything": 1})
