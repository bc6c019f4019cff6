"""A disk that fills under a running server, and data that no server can be started on.

The server is a program of its own: the kernel itself refuses its writes. What the store does inside is tested by
test_store_disk.py.
"""

from __future__ import annotations

import ctypes
import re
import resource
import shutil
import signal
from pathlib import Path
from typing import Any

import trio

from tests.faults.program import Program, Rest, launch, started
from tests.faults.wire import Wire

Json = dict[str, Any]
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2


def fill_disk(life: Program, *, at: int) -> None:
    """From now on the program can write no file beyond this size; reading and overwriting go on."""
    resource.prlimit(life.process.pid, resource.RLIMIT_FSIZE, (at, resource.RLIM_INFINITY))


def free_disk(life: Program) -> None:
    """There is room again."""
    resource.prlimit(life.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def respect_modes() -> None:
    """For the child: a test that runs as root is to be refused like everybody else."""
    libc = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


async def ask(wire: Wire, word: str, **data: Any) -> Json:
    """Send a command and wait for its answer."""
    await wire.say(word, ref="question", **data)
    while (frame := await wire.receive()).get("ref") != "question":
        pass
    return frame


async def test_a_full_disk_is_told_to_everybody_and_loses_nothing(tmp_path: Path) -> None:
    """
    While the disk is full messages are refused with storage_unavailable over socket and REST, /health is 503 and
    reading goes on; with room again the same client_id is stored, numbers have no gap, and after a kill all is there.
    """
    directory = tmp_path / "data"
    sent: dict[str, Json] = {}
    with trio.fail_after(60):
        async with launch(directory) as life:
            port = await started(life)
            async with Rest(port) as rest:
                await rest.register_agent("helper")
                token = await rest.register("alice")
                talk = await rest.conversation(token, "helper")
                headers = {"Authorization": f"Bearer {token}"}
                with await Wire.open(port, "/client/connect") as phone:
                    await phone.say("hello", token=token, device_id="phone")

                    async def send(number: int) -> Json:
                        name = f"client-id-{number:09d}"
                        answer = await ask(
                            phone, "message", conversation_id=talk, content=f"{number} " + "x" * 9000, client_id=name
                        )
                        if answer["type"] == "message_sent":
                            sent[name] = answer["data"]
                        return answer

                    for number in range(10):
                        assert (await send(number))["type"] == "message_sent"
                    fill_disk(life, at=(directory / "amtrio.db-wal").stat().st_size)
                    for number in range(10, 13):
                        refused = await send(number)
                        assert refused["type"] == "error", refused
                        assert refused["data"]["code"] == "storage_unavailable"
                        assert refused["data"]["retry"] == "same_client_id"
                    over_rest = await rest.http.post(
                        f"/conversations/{talk}/messages", json={"content": "y" * 9000}, headers=headers
                    )
                    assert (over_rest.status_code, over_rest.json()["code"]) == (503, "storage_unavailable")
                    health = await rest.http.get("/health")
                    assert (health.status_code, health.json()["status"]) == (503, "degraded")
                    assert len(await rest.history(token, talk)) == 10

                    free_disk(life)
                    for number in range(10, 20):
                        assert (await send(number))["type"] == "message_sent"
                    assert (await rest.http.get("/health")).status_code == 200
            await life.kill()
            assert life.errors() == []
        async with launch(directory) as life, Rest(await started(life)) as rest:
            history = await rest.history(token, talk)
    assert [each["conversation_seq"] for each in history] == list(range(1, 21))
    assert [each["content"].split()[0] for each in history] == [f"{number}" for number in range(20)]
    assert [each["message_id"] for each in history] == [each["message_id"] for each in sent.values()]


async def test_health_recovers_though_nobody_writes(tmp_path: Path) -> None:
    """
    A balancer that goes by /health sends no traffic to a broken server; it recovers by itself when there is room.
    """
    directory = tmp_path / "data"
    with trio.fail_after(60):
        async with launch(directory) as life, Rest(await started(life)) as rest:
            await rest.register("alice")
            fill_disk(life, at=(directory / "amtrio.db-wal").stat().st_size)
            assert (await rest.http.post("/auth/register", json={"username": "bob", "password": "b" * 12})).is_error
            assert (await rest.http.get("/health")).status_code == 503
            free_disk(life)
            await life.wait_for_log("store_recovered")
            assert (await rest.http.get("/health")).status_code == 200
            life.tell(signal.SIGTERM)
            assert await life.wait() == 0
            assert life.errors() == []


async def refusal_to_start(directory: Path, *, as_anybody: bool = False) -> str:
    """What a server says that does not start on this data: one line and exit code 1, no traceback."""
    with trio.fail_after(30):
        async with launch(directory, prepare=respect_modes if as_anybody else None) as life:
            assert await life.wait() == 1, life.log
    text = "\n".join(life.other)
    assert text.startswith("amtrio: "), text
    assert "Traceback" not in text
    assert life.logged("server_started") == []
    return text


async def make_data(directory: Path) -> None:
    """A database that was used and closed in order."""
    async with launch(directory) as life:
        async with Rest(await started(life)) as rest:
            for number in range(3):
                await rest.register(f"person{number}")
        life.tell(signal.SIGTERM)
        assert await life.wait() == 0


async def test_a_second_server_on_the_same_data_does_not_start(tmp_path: Path) -> None:
    """
    It names the process that holds the data and changes nothing for that one.
    """
    async with launch(tmp_path / "data") as first:
        port = await started(first)
        text = await refusal_to_start(tmp_path / "data")
        assert f"process {first.process.pid}" in text
        async with Rest(port) as rest:
            await rest.register("alice")
            assert (await rest.http.get("/health")).status_code == 200
        assert first.errors() == []


async def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """
    A database whose first pages are overwritten, and a file that never was one, are left as they are.
    """
    directory = tmp_path / "data"
    await make_data(directory)
    file = directory / "amtrio.db"
    whole = file.read_bytes()
    for damaged in (whole[:100] + b"\xa5" * 8000 + whole[8100:], b"no database at all" * 1000):
        file.write_bytes(damaged)
        text = await refusal_to_start(directory)
        assert f"{file}" in text
        assert re.search("damaged|no SQLite database", text)
        assert file.read_bytes() == damaged


async def test_data_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    """
    A file, and a directory, that the server's user does not own are no reason for a traceback.
    """
    directory = tmp_path / "data"
    await make_data(directory)
    file = directory / "amtrio.db"
    file.chmod(0o400)
    assert f"{file}" in await refusal_to_start(directory, as_anybody=True)
    file.chmod(0o600)
    for each in directory.iterdir():
        each.chmod(0o400)
    directory.chmod(0o500)
    try:
        assert f"{directory}" in await refusal_to_start(directory, as_anybody=True)
    finally:
        directory.chmod(0o700)


async def test_a_wal_that_was_lost_is_noticed(tmp_path: Path) -> None:
    """
    After a kill what was acknowledged may live in the WAL alone: a server that does not find it does not pretend.
    """
    directory = tmp_path / "data"
    async with launch(directory) as life:
        async with Rest(await started(life)) as rest:
            await rest.register("alice")
        await life.kill()
    shutil.copytree(directory, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
    (directory / "amtrio.db-wal").unlink()
    assert "-wal" in await refusal_to_start(directory)
    async with launch(tmp_path / "copy") as life:
        await started(life)


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """
    The second server on one port says which one, with exit code 1.
    """
    async with launch(tmp_path / "data") as first:
        port = await started(first)
        with trio.fail_after(30):
            async with launch(tmp_path / "other", port=port) as second:
                assert await second.wait() == 1
        assert f"127.0.0.1:{port}" in "\n".join(second.other)
        assert "Traceback" not in "\n".join(second.other)
