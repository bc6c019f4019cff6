"""Which session a conversation has."""

from __future__ import annotations

from pathlib import Path

from amtrio.bridges.acp_sessions import SessionFile
from tests.bridges.conftest import Play


def test_a_state_file_that_cannot_be_read_counts_as_none(play: Play, tmp_path: Path) -> None:
    """
    And is replaced with the next session.
    """

    async def scene() -> None:
        path = tmp_path / "sessions.json"
        path.write_text("[1")
        sessions = SessionFile(path)
        await sessions.load()
        assert sessions.get("c1") is None
        await sessions.put("c1", "s1")
        await sessions.put("c2", "s2")
        await sessions.put("c2", None)
        again = SessionFile(path)
        await again.load()
        assert (again.get("c1"), again.get("c2")) == ("s1", None)
        assert path.stat().st_mode & 0o077 == 0

    play(scene)
