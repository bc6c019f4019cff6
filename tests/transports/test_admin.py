"""The door for the command line: for the owner alone, and nothing that comes in by it breaks it."""

from __future__ import annotations

import json
import os
import socket as stdlib_socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio

from amtrio.context import Nothing, Services
from amtrio.errors import Conflict, Malformed
from amtrio.feature import OperationSpec, registry
from amtrio.transports.admin import MAX_LINE_BYTES, SOCKET_NAME, open_admin_socket, operate
from tests.harness import PASSWORD, Scene, open_scene


async def ask(directory: Path, line: bytes) -> Any:
    """Send these bytes, then the end; the answer."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        stream = await trio.open_unix_socket(f"/proc/self/fd/{fd}/{SOCKET_NAME}")
    finally:
        os.close(fd)
    async with stream:
        await stream.send_all(line)
        await stream.send_eof()
        answer = b""
        with trio.fail_after(10):
            async for piece in stream:
                answer += piece
    assert answer.endswith(b"\n")
    assert answer.count(b"\n") == 1
    return json.loads(answer)


async def order(scene: Scene, operation: str, **arguments: Any) -> Any:
    line = json.dumps({"operation": operation, "arguments": arguments}).encode() + b"\n"
    return await ask(scene.config.storage.data_dir, line)


async def test_operations_by_the_socket(tmp_path: Path) -> None:
    """What the table has is done in the running server, and takes effect there at once."""
    async with open_scene(tmp_path) as scene:
        made = await order(scene, "user.add", username="alice", password=PASSWORD)
        assert made["result"]["username"] == "alice"
        alice = await scene.login("alice")
        assert made["result"]["user_id"] == alice.id
        agent = (await order(scene, "agent.add", agent_id="helper"))["result"]
        assert agent["token"].startswith("agt_")
        async with scene.device(alice) as phone:
            assert "result" in await order(scene, "user.remove", username="alice")
            assert (await phone.closed())[0] == 4401
        assert (await order(scene, "user.list"))["result"] == []


async def test_it_is_the_owners_alone(tmp_path: Path) -> None:
    """0600 from the first moment, whatever the umask; and gone with the server."""
    before = os.umask(0)
    try:
        async with open_scene(tmp_path):
            found = (tmp_path / SOCKET_NAME).stat()
            assert stat.S_ISSOCK(found.st_mode)
            assert stat.S_IMODE(found.st_mode) == 0o600
            assert os.umask(0) == 0, "the umask is as it was"
    finally:
        os.umask(before)
    assert not (tmp_path / SOCKET_NAME).exists()


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"{", b"[]\n", b"5\n", b'"user.list"\n', b"{}\n", b'{"operation":5}\n', b"\xff\xfe\n", b"\0" * 100,
     b'{"operation":"user.list","arguments":[]}\n', b'{"operation":"user.add","arguments":{}}\n',
     b'{"operation":"user.add","arguments":{"username":5,"password":"x"}}\n',
     b'{"operation":"no.such"}\n', b'{"operation":"' + b"x" * 100_000 + b'"}\n',
     b'{"operation":"__class__"}\n', b"GET / HTTP/1.1\r\n\r\n", b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"\n"],
)  # fmt: skip
async def test_what_is_no_order_is_answered(tmp_path: Path, line: bytes) -> None:
    """With an error and its word; the next order is carried out."""
    async with open_scene(tmp_path) as scene:
        answer = await ask(tmp_path, line)
        assert answer["code"] == "malformed"
        assert 0 < len(answer["error"]) < 500
        assert (await order(scene, "user.list"))["result"] == []


async def test_a_refusal_has_its_own_word(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        await scene.register("alice")
        assert (await order(scene, "user.add", username="alice", password=PASSWORD))["code"] == "conflict"
        assert (await order(scene, "user.remove", username="nobody"))["code"] == "not_found"
        unknown = await order(scene, "agent.dance")
        assert "agent.dance" in unknown["error"]
        assert "older" in unknown["error"]


async def test_a_line_without_end_is_bounded(tmp_path: Path) -> None:
    """A flood is cut off at a mebibyte; the server neither hangs nor keeps it."""
    async with open_scene(tmp_path) as scene:
        stream = await trio.open_unix_socket(str(tmp_path / SOCKET_NAME))
        async with stream:
            with trio.fail_after(10):
                try:
                    while True:
                        await stream.send_all(b" " * MAX_LINE_BYTES)
                except trio.BrokenResourceError:
                    pass
        assert (await order(scene, "user.list"))["result"] == []


async def test_callers_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """One that says nothing, one that hangs up, and one that means it."""
    async with open_scene(tmp_path) as scene, await trio.open_unix_socket(str(tmp_path / SOCKET_NAME)):
        gone = await trio.open_unix_socket(str(tmp_path / SOCKET_NAME))
        await gone.send_all(b'{"operation":"user.list"}\n')
        await gone.aclose()
        for _ in range(5):
            assert (await order(scene, "user.list"))["result"] == []


@pytest.mark.parametrize("kind", ["socket", "file", "link"])
async def test_what_a_dead_process_left_is_taken_away(tmp_path: Path, kind: str) -> None:
    """The lock on the database says that it is dead; a link is removed, not followed."""
    left, elsewhere = tmp_path / SOCKET_NAME, tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    if kind == "socket":
        with stdlib_socket.socket(stdlib_socket.AF_UNIX) as dead:
            dead.bind(str(left))
    elif kind == "file":
        left.write_text("")
    else:
        left.symlink_to(elsewhere)
    async with open_scene(tmp_path) as scene:
        assert (await order(scene, "user.list"))["result"] == []
    assert elsewhere.read_text() == "precious"


@pytest.mark.expects_error_log("operation_failed")
async def test_a_bug_in_an_operation_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told, the server goes on."""

    async def fail(services: Services, request: Nothing) -> None:
        raise KeyError("inside")

    monkeypatch.setitem(registry.operations, "fail", OperationSpec("fail", fail, Nothing))
    async with open_scene(tmp_path) as scene:
        assert await order(scene, "fail") == {"error": "the server failed to do this", "code": "internal"}
        assert (await order(scene, "user.list"))["result"] == []
        assert scene.running.services.metrics.errors == 1


async def test_a_data_directory_with_a_long_name(tmp_path: Path) -> None:
    """Addresses of Unix sockets end at 107 bytes, directories do not."""
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    async with open_scene(deep) as scene:
        assert (await order(scene, "user.list"))["result"] == []


async def test_leaving_closes_the_door(tmp_path: Path) -> None:
    """Also under a caller that has not said anything yet; what it left can be opened again."""
    async with open_scene(tmp_path / "server") as scene:
        services = scene.running.services
        for _ in range(2):
            async with open_admin_socket(services, tmp_path):
                stream = await trio.open_unix_socket(str(tmp_path / SOCKET_NAME))
            async with stream:
                with suppress(trio.BrokenResourceError):
                    assert await stream.receive_some() == b""
            with pytest.raises(OSError, match="No such file"):
                await trio.open_unix_socket(str(tmp_path / SOCKET_NAME))


async def test_operations_without_a_socket(tmp_path: Path) -> None:
    """As the command line does it when no server runs: the errors are raised."""
    async with open_scene(tmp_path) as scene:
        services = scene.running.services
        assert (await operate(services, "user.add", {"username": "alice", "password": PASSWORD})).username == "alice"
        with pytest.raises(Conflict):
            await operate(services, "user.add", {"username": "alice", "password": PASSWORD})
        with pytest.raises(Malformed, match="no operation"):
            await operate(services, "user", {})
        with pytest.raises(Malformed):
            await operate(services, "user.add", {"username": "bob"})
