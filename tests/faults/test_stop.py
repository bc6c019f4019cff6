"""The end of a server that is asked to end: everybody is told, what was acknowledged stays, nobody can hold it up.

The server is a program of its own, stopped by real signals.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.faults.program import Program, Rest, launch, started
from tests.faults.wire import Ended, Wire
from tests.harness import AGENT_SECRET

BUDGET_SECONDS = 10.0
AT_ONCE_SECONDS = 2.0
# More than the kernel takes for a client that reads nothing (Linux grows a send buffer to 4 MiB).
BACKLOG_BYTES = 12 << 20


async def code_and_seconds(life: Program) -> tuple[int, float]:
    """Exit code, and how long it took from now."""
    began = time.monotonic()
    with trio.fail_after(2 * BUDGET_SECONDS):
        code = await life.wait()
    return code, time.monotonic() - began


@pytest.mark.slow
async def test_two_hundred_busy_sockets_are_told_of_a_restart(tmp_path: Path) -> None:
    """
    On SIGTERM every socket, old and new, is closed with 1012, every acknowledged message is stored, and the exit code
    is 0 within the budget.
    """
    ends: Counter[int | None] = Counter()
    acked: dict[str, set[str]] = {}
    tokens: list[str] = []
    total = opened = 0
    enough = trio.Event()

    async def be_busy(port: int, token: str, talk: str, number: int) -> None:
        """Send, and wait for the answer, for ever; every person has new and old sockets."""
        nonlocal total, opened
        is_new = number % 40 < 20
        path = "/client/connect" + ("" if is_new else f"?token={token}")
        with await Wire.open(port, path, version="v2" if is_new else "v1") as wire:
            if is_new:
                await wire.say("hello", token=token)
            assert (await wire.receive())["type"] == "connected"
            opened += 1
            turn = 0
            try:
                while True:
                    name = f"busy-socket-{number:04d}-{turn:06d}"
                    await wire.say("message", conversation_id=talk, content=name, client_id=name if is_new else None)
                    turn += 1
                    while (frame := await wire.receive())["type"] != "message_sent":
                        assert frame["type"] != "error", frame
                    acked[talk].add(frame["data"]["message_id"])
                    total += 1
                    # On a busy machine the first ones have said enough before the last ones have come.
                    if total >= 2000 and opened == 200:
                        enough.set()
            except Ended as end:
                # Sending may fail before the Close is read that explains it.
                ends[(await wire.end()).code if end.code is None else end.code] += 1

    async with launch(tmp_path / "data") as life:
        port = await started(life)
        async with Rest(port) as rest:
            await rest.register_agent("helper")
            for number in range(20):
                tokens.append(await rest.register(f"person{number}"))
                acked[await rest.conversation(tokens[-1], "helper")] = set()
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for number in range(200):
                    token, talk = tokens[number % 20], list(acked)[number % 20]
                    nursery.start_soon(be_busy, port, token, talk, number)
                await enough.wait()
                life.tell(signal.SIGTERM)
                code, seconds = await code_and_seconds(life)
    assert code == 0
    assert seconds < BUDGET_SECONDS
    assert ends == {1012: 200}
    assert life.errors() == []
    async with launch(tmp_path / "data") as again, Rest(await started(again)) as rest:
        for token, (talk, ids) in zip(tokens, acked.items(), strict=True):
            assert ids <= {each["message_id"] for each in await rest.history(token, talk)}
    assert total >= 2000


@asynccontextmanager
async def deaf_client(directory: Path) -> AsyncIterator[tuple[Program, Wire]]:
    """A server that has megabytes for a client, which reads none of them."""
    async with launch(directory) as life:
        port = await started(life)
        async with Rest(port) as rest:
            await rest.register_agent("helper")
            token = await rest.register("alice")
            talk = await rest.conversation(token, "helper")
        with (
            await Wire.open(port, "/client/connect", receive_buffer=4096) as deaf,
            await Wire.open(port, "/agent/connect") as agent,
        ):
            await deaf.say("hello", token=token)
            assert (await deaf.receive())["type"] == "connected"
            await agent.say("hello", token=AGENT_SECRET, agent_id="helper")
            for number in range(BACKLOG_BYTES // 60_000):
                name = f"client-id-{number:09d}"
                await agent.say("message", conversation_id=talk, content="x" * 60_000, client_id=name)
                while (await agent.receive())["type"] != "message_sent":
                    pass
            yield life, deaf


@pytest.mark.slow
async def test_a_client_that_never_reads_cannot_hold_the_server(tmp_path: Path) -> None:
    """
    With megabytes unread the server is gone within its budget, in order.
    """
    async with deaf_client(tmp_path / "data") as (life, _):
        life.tell(signal.SIGTERM)
        code, seconds = await code_and_seconds(life)
        assert code == 0
        assert seconds < BUDGET_SECONDS
        assert life.errors() == []


@pytest.mark.slow
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_whoever_asks_twice_does_not_wait(tmp_path: Path, second: signal.Signals) -> None:
    """
    While the first SIGTERM waits for a client, a second signal ends the process at once.
    """
    async with deaf_client(tmp_path / "data") as (life, _):
        life.tell(signal.SIGTERM)
        await life.wait_for_log("server_stopping")
        life.tell(second)
        code, seconds = await code_and_seconds(life)
        assert code == -second
        assert seconds < AT_ONCE_SECONDS
    async with launch(tmp_path / "data") as again:
        await started(again)


async def test_an_interrupt_says_that_the_server_goes_for_good(tmp_path: Path) -> None:
    """
    SIGINT closes every socket with 1001, older clients' with 1012, and the exit code is 0.
    """
    async with launch(tmp_path / "data") as life:
        port = await started(life)
        async with Rest(port) as rest:
            token = await rest.register("alice")
        with (
            await Wire.open(port, "/client/connect") as new,
            await Wire.open(port, f"/client/connect?token={token}", version="v1") as old,
            await Wire.open(port, "/client/connect") as silent,
        ):
            await new.say("hello", token=token)
            for wire in (new, old):
                assert (await wire.receive())["type"] == "connected"
            life.tell(signal.SIGINT)
            assert [(await wire.end()).code for wire in (new, old, silent)] == [1001, 1012, 1001]
        code, seconds = await code_and_seconds(life)
        assert (code, life.errors()) == (0, [])
        assert seconds < AT_ONCE_SECONDS


async def test_a_stop_before_the_first_connection(tmp_path: Path) -> None:
    """
    A server that nobody has used ends at once and in order.
    """
    async with launch(tmp_path / "data") as life:
        await started(life)
        life.tell(signal.SIGTERM)
        code, seconds = await code_and_seconds(life)
        assert (code, life.errors()) == (0, [])
        assert seconds < AT_ONCE_SECONDS
