"""The door for the command line: a Unix socket that only the owner can open."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.errors import Malformed
from amtrio.transports.admin import SOCKET_NAME, operate
from tests.harness import PASSWORD, open_scene


async def ask(path: Path, line: bytes) -> dict[str, Any]:
    stream = await trio.open_unix_socket(path / SOCKET_NAME)
    async with stream:
        await stream.send_all(line)
        answer = b""
        while not answer.endswith(b"\n"):
            more = await stream.receive_some()
            if not more:
                break
            answer += more
    told: dict[str, Any] = json.loads(answer)
    return told


async def test_only_the_owner_may_open_it_and_it_goes_with_the_server(tmp_path: Path) -> None:
    """Mode 0600 from the first moment; a file that a killed server left is in nobody's way."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / SOCKET_NAME))
    left.close()
    async with open_scene(tmp_path):
        mode = (tmp_path / SOCKET_NAME).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not (tmp_path / SOCKET_NAME).exists()


async def test_operations_are_answered_line_by_line(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        arguments = {"username": "alice", "password": PASSWORD}
        request = json.dumps({"operation": "user.add", "arguments": arguments}).encode() + b"\n"
        assert (await ask(tmp_path, request))["result"]["username"] == "alice"
        refused = await ask(tmp_path, request)
        assert (refused["code"], "result" in refused) == ("conflict", False)
        assert (await scene.login("alice")).name == "alice"


@pytest.mark.parametrize(
    "line",
    [b"nonsense\n", b"[]\n", b'{"operation":5}\n', b"\xff\n", b'{"operation":"user.add","arguments":{"username":5}}\n',
     b'{"operation":"no.such"}\n', b"\n", b"x" * (1 << 20) + b"\n"],
)  # fmt: skip
async def test_whatever_else_is_malformed(tmp_path: Path, line: bytes) -> None:
    """The door stays open for the next one."""
    async with open_scene(tmp_path):
        assert (await ask(tmp_path, line))["code"] == "malformed"
        assert (await ask(tmp_path, b'{"operation":"user.list"}\n')) == {"result": []}


async def test_a_caller_that_says_nothing_blocks_nobody(tmp_path: Path) -> None:
    """Nor does one that goes without waiting for its answer end the server."""
    async with open_scene(tmp_path):
        silent = await trio.open_unix_socket(tmp_path / SOCKET_NAME)
        assert await ask(tmp_path, b'{"operation":"user.list"}\n') == {"result": []}
        await silent.aclose()
        for _ in range(3):
            hasty = await trio.open_unix_socket(tmp_path / SOCKET_NAME)
            await hasty.send_all(b'{"operation":"user.list"}\n')
            await hasty.aclose()
        assert await ask(tmp_path, b'{"operation":"user.list"}\n') == {"result": []}


async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """The address of a Unix socket has at most 107 bytes; a data directory may have more."""
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    async with open_scene(deep):
        assert (deep / SOCKET_NAME).exists()


async def test_an_unknown_operation_is_named(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        with pytest.raises(Malformed, match=r"no operation 'no\.such'"):
            await operate(scene.running.services, "no.such", {})
