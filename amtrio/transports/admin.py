"""The door for the command line: operations over a Unix socket in the data directory, open to the owner alone.

One JSON object per line each way: `{"operation", "arguments"}` answered by `{"result"}` or `{"error", "code"}`. Knows
the table of operations and none of them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import structlog
import trio

from amtrio.context import Services
from amtrio.errors import AmtrioError, Malformed
from amtrio.protocol.codec import convert, encode

log = structlog.stdlib.get_logger(__name__)

SOCKET_NAME = "admin.sock"
MAX_LINE_BYTES = 1 << 20
TIMEOUT_SECONDS = 30.0
_BACKLOG = 8


class Request(msgspec.Struct, frozen=True):
    """What the command line asks for."""

    operation: str
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)


async def operate(services: Services, operation: str, arguments: Mapping[str, Any]) -> Any:
    """
    Run one operation.

    Raises:
        AmtrioError: as the operation says; Malformed for an unknown one.
    """
    spec = services.registry.operations.get(operation)
    if spec is None:
        text = f"no operation {operation[:64]!r}; is the server older than the command?"
        raise Malformed(text)
    return await spec.function(services, convert(arguments, spec.shape, texts=False))


@asynccontextmanager
async def open_admin_socket(services: Services, directory: Path) -> AsyncIterator[None]:
    """Listen in `directory` until the block is left."""
    async with trio.open_nursery() as nursery:
        with _bound(directory) as listener:
            nursery.start_soon(_accept, services, listener, name="admin socket")
            try:
                yield
            finally:
                nursery.cancel_scope.cancel()


class _bound:  # noqa: N801 - a context manager used like a function
    """
    The listening socket, and its file taken away afterwards.

    The address of a Unix socket has at most 107 bytes, a data directory may have more: the path goes through the
    directory's descriptor.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._address = f"/proc/self/fd/{self._directory}/{SOCKET_NAME}"

    def __enter__(self) -> trio.SocketListener:
        with suppress(FileNotFoundError):
            # The lock on the database is ours, so this was left by a process that is no more.
            os.unlink(SOCKET_NAME, dir_fd=self._directory)
        plain = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            plain.bind(self._address)
        finally:
            os.umask(before)
        plain.listen(_BACKLOG)
        return trio.SocketListener(trio.socket.from_stdlib_socket(plain))

    def __exit__(self, *_: object) -> None:
        with suppress(FileNotFoundError):
            os.unlink(SOCKET_NAME, dir_fd=self._directory)
        os.close(self._directory)


async def _accept(services: Services, listener: trio.SocketListener) -> None:
    async def serve_one(stream: trio.SocketStream) -> None:
        with trio.move_on_after(TIMEOUT_SECONDS):
            # Whoever asked may be gone: nobody to tell, and no reason to end the server.
            with suppress(trio.BrokenResourceError):
                async with stream:
                    await stream.send_all(await _answer(services, stream))

    await trio.serve_listeners(serve_one, [listener])


async def _answer(services: Services, stream: trio.SocketStream) -> bytes:
    try:
        request = msgspec.json.decode(await _line(stream), type=Request)
        result = await operate(services, request.operation, request.arguments)
        log.info("operation_done", operation=request.operation)
        return encode({"result": result}) + b"\n"
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        return encode({"error": str(exc), "code": Malformed.code}) + b"\n"
    except trio.BrokenResourceError:
        raise
    except AmtrioError as exc:
        return encode({"error": str(exc), "code": exc.code}) + b"\n"
    except Exception:
        # A bug of ours in one operation ends that operation, not the server.
        services.metrics.errors += 1
        log.exception("operation_failed")
        return encode({"error": "the server failed to do this", "code": AmtrioError.code}) + b"\n"


async def _line(stream: trio.SocketStream) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
        more = await stream.receive_some()
        if not more:
            break
        line += more
    return bytes(line)
