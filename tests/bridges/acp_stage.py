"""How the tests of the ACP bridge run the stand-in, and the oracle that reads every frame it was sent."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from acp import schema

from amtrio.bridges.acp import Acp
from amtrio.bridges.acp_program import Launch, Programs, open_programs
from amtrio.bridges.children import open_children
from amtrio.bridges.files import Files
from tests.bridges.stage import Note, Record

STANDIN: Final = Path(__file__).with_name("acp_agent.py")
REQUESTS: Final[dict[str, Any]] = {
    "initialize": schema.InitializeRequest,
    "authenticate": schema.AuthenticateRequest,
    "session/new": schema.NewSessionRequest,
    "session/load": schema.LoadSessionRequest,
    "session/resume": schema.ResumeSessionRequest,
    "session/set_mode": schema.SetSessionModeRequest,
    "session/prompt": schema.PromptRequest,
    "session/cancel": schema.CancelNotification,
}


def assert_valid(frame: dict[str, Any]) -> None:
    """The schema knows all of it: nothing is missing, unknown or of another type."""
    assert frame.pop("jsonrpc") == "2.0"
    if "method" in frame:
        shape, body = REQUESTS[frame["method"]], frame["params"]
        assert ("id" in frame) == (frame["method"] != "session/cancel")
    elif "error" in frame:
        assert set(frame) == {"id", "error"}
        assert set(frame["error"]) == {"code", "message"}
        return
    else:
        assert set(frame) == {"id", "result"}
        shape, body = schema.RequestPermissionResponse, frame["result"]
    assert shape.model_validate(body).model_dump(mode="json", by_alias=True, exclude_unset=True) == body


@dataclass
class Stage:
    """Attributes: noise: what was reported to the terminal. commands: the last ones told of."""

    acp: Acp
    programs: Programs
    folder: Path
    noise: list[str] = field(default_factory=list)
    commands: list[Any] = field(default_factory=list)

    async def asked(self, content: str, conversation_id: str = "c1") -> str:
        run = Record()
        await self.acp.handle(Note(content, conversation_id=conversation_id), run)
        return run.text

    def frames(self) -> list[dict[str, Any]]:
        """What the program was sent, each checked."""
        path = self.folder / "frames"
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        for frame in found:
            assert_valid(dict(frame))
        return found


@asynccontextmanager
async def open_stage(
    folder: Path, *flags: str, server: str = "http://localhost", state: bool = True, **options: Any
) -> AsyncIterator[Stage]:
    """
    The bridge with the stand-in.

    Args:
        folder: keeps the sessions; the same one again is the next life of the bridge.
    """
    memory = folder / "memory"
    memory.mkdir(exist_ok=True)
    argv = [sys.executable, str(STANDIN), "--memory", str(memory), "--frames", str(folder / "frames"), *flags]
    noise: list[str] = []
    commands: list[Any] = []
    async with (
        open_children(grace_s=1.0) as children,
        httpx.AsyncClient() as http,
        open_programs(
            Launch(argv, folder, **options),
            children,
            state_file=folder / "sessions.json" if state else None,
            report=noise.append,
            on_commands=lambda told: commands.__setitem__(slice(None), told),
        ) as programs,
    ):
        acp = Acp(programs, Files(http, server, "agt_secret", "helper"), noise.append)
        stage = Stage(acp, programs, folder, noise, commands)
        yield stage
    stage.frames()
