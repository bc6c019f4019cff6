"""The bytes of one connection: writes are synchronous, ordered and bounded; reads wait.

Knows file descriptors and Trio. Knows nothing of HTTP, of WebSockets or of what the bytes mean.
"""

from __future__ import annotations

import contextlib
import os
import socket as stdlib_socket
import struct
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
import trio
from trio.lowlevel import notify_closing, wait_readable, wait_writable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BufferedStream", "PlainStream", "RelayedStream", "StreamLimits"]

log = structlog.stdlib.get_logger(__name__)

# One system call writes at most this much of the buffer, which is copied for it. Linux takes
# 200 to 400 KiB at once on a fresh connection; larger copies would be thrown away.
_WRITE_CHUNK: Final = 256 * 1024
# What a peer may still send after we said goodbye before we stop being polite (nginx: lingering_close).
_LINGER_BYTES: Final = 1024 * 1024
# On close: zero seconds of lingering, that is a reset, so that the kernel forgets unsent bytes at once.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """
    How much a connection may hold.

    Attributes:
        receive_bytes: most that one read returns.
        high_water_bytes: buffered bytes at which writers that can wait should.
        hard_limit_bytes: buffered bytes above which the connection is dropped. A single write may exceed
            it while at most `high_water_bytes` are waiting: a large answer is not a slow reader.
        linger_seconds: bound on the polite part of `BufferedStream.aclose`.

    Raises:
        ValueError: the hard limit is not at least twice the high-water mark, so that a writer which waits
            at the mark, and then writes that much, could be dropped.
    """

    receive_bytes: int = 64 * 1024
    high_water_bytes: int = 64 * 1024
    hard_limit_bytes: int = 256 * 1024
    linger_seconds: float = 1.0

    def __post_init__(self) -> None:
        """Check what the fields mean to each other."""
        if self.hard_limit_bytes < 2 * self.high_water_bytes:
            raise ValueError("hard_limit_bytes must be at least twice high_water_bytes")


class BufferedStream(trio.abc.Stream):
    """
    A stream with one ordered buffer of outgoing bytes.

    `write` hands bytes to the kernel at once when it can, keeps the rest, and a task in `nursery` sends
    that rest while there is any. Cancelling that nursery therefore ends every wait on this stream,
    also one that is shielded.
    """

    def __init__(
        self, socket: trio.socket.SocketType | None, *, nursery: trio.Nursery, limits: StreamLimits | None = None
    ) -> None:
        """
        Start with nothing buffered.

        Args:
            socket: what lies at the bottom, if it is a socket.
            nursery: the connection's own; it must outlive this stream.
            limits: how much it may hold.
        """
        self.socket = socket
        self.limits = limits or StreamLimits()
        self.last_received_at = trio.current_time()
        self._nursery = nursery
        self._out = bytearray()
        self._room = self.limits.hard_limit_bytes
        self._progress: trio.Event | None = None
        self._took_bytes_at = self.last_received_at
        self._flushing = False
        self._closing = False
        self._broken = False

    # -- what the transports differ in --------------------------------------------------------------

    @abstractmethod
    def _write_now(self, data: bytes, /) -> int:
        """Give the kernel what it takes without waiting; say how many bytes. Raises OSError."""

    @abstractmethod
    async def _write_some(self, data: bytes, /) -> int:
        """Wait until some of `data` was taken; say how many bytes."""

    @abstractmethod
    async def _read(self, max_bytes: int, /) -> bytes:
        """Wait for bytes; empty means that the peer has finished."""

    @abstractmethod
    async def _close_inner(self) -> None:
        """Close what lies below, politely, when it is no socket."""

    @abstractmethod
    def _drop_inner(self) -> None:
        """Close what lies below at once, when it is no socket."""

    # -- writing ------------------------------------------------------------------------------------

    @property
    def buffered(self) -> int:
        """Bytes accepted by `write` which the kernel has not taken."""
        return len(self._out)

    @property
    def broken(self) -> bool:
        """Is the connection beyond use, so that writes are ignored."""
        return self._broken

    @property
    def last_drained_at(self) -> float:
        """When the kernel last took bytes, or now if nothing waits for it (Trio's clock, seconds)."""
        return self._took_bytes_at if self._out else trio.current_time()

    def write(self, data: bytes, /) -> None:
        """
        Send now, or as soon as what was written before has gone.

        Never waits, never a checkpoint, never raises: on a connection that is gone it does nothing,
        and whoever reads from the connection learns it there.
        """
        if self._broken or self._closing:
            return
        out, limits = self._out, self.limits
        if len(out) <= limits.high_water_bytes:
            # One large frame may pass by itself; answers and pings that come behind it must not be what is too much.
            self._room = limits.hard_limit_bytes + (len(data) if len(data) > limits.hard_limit_bytes else 0)
        if out:
            waiting = len(out)
            out += data
            if waiting > limits.high_water_bytes and len(out) > self._room:
                log.warning("connection_overflowed", buffered_bytes=len(out), limit_bytes=self._room)
                self.abort()
            return
        try:
            taken = self._write_now(data)
        except OSError:
            self._break()
            return
        if taken < len(data):
            self._took_bytes_at = trio.current_time()
            out += memoryview(data)[taken:]
            if not self._flushing:
                self._flushing = True
                self._nursery.start_soon(self._flush)

    async def drained(self, below: int = 0) -> None:
        """
        Wait until at most `below` bytes are buffered; a checkpoint only if there are more.

        Raises:
            trio.BrokenResourceError: they never will be.
        """
        while len(self._out) > below:
            if self._progress is None:
                self._progress = trio.Event()
            await self._progress.wait()
        if self._broken:
            msg = "the connection is gone"
            raise trio.BrokenResourceError(msg)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """
        Write, then wait while more than the high-water mark is buffered.

        Cancelling it does not tear a frame: all of `data` was accepted before the wait.

        Raises:
            trio.BrokenResourceError: the connection is gone.
        """
        self.write(bytes(data))
        await self.drained(self.limits.high_water_bytes)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until nothing is buffered."""
        await self.drained()

    async def _flush(self) -> None:
        """Send the buffer in the background; ends when it is empty."""
        out = self._out
        try:
            while out and not self._broken:
                self._took(await self._write_some(bytes(memoryview(out)[:_WRITE_CHUNK])))
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            self._break()
        except trio.Cancelled:
            self._break()
            raise
        finally:
            self._flushing = False

    def _took(self, count: int) -> None:
        del self._out[:count]
        self._took_bytes_at = trio.current_time()
        self._wake_writers()

    def _break(self) -> None:
        self._broken = True
        self._out.clear()
        self._wake_writers()

    def _wake_writers(self) -> None:
        if self._progress is not None:
            self._progress.set()
            self._progress = None

    # -- reading ------------------------------------------------------------------------------------

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """
        Wait for bytes; empty means that the peer has finished.

        Raises:
            trio.ClosedResourceError: closed here.
            trio.BrokenResourceError: the connection is gone.
        """
        if self._closing:
            msg = "this side reads no more"
            raise trio.ClosedResourceError(msg)
        try:
            data = await self._read(max_bytes or self.limits.receive_bytes)
        except OSError as error:
            self._break()
            raise trio.BrokenResourceError from error
        if data:
            self.last_received_at = trio.current_time()
        return data

    # -- ending -------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """
        Send what is buffered, say that no more follows, wait briefly for the peer to do the same, close.

        The wait matters: closing a socket with unread bytes makes the kernel send a reset, and a reset
        can destroy the last answer before the peer has read it. Cancelled, it closes at once.
        """
        if self._closing:
            # Somebody else is at it, or it is done.
            await trio.lowlevel.checkpoint()
            return
        self._closing = True
        try:
            with (
                trio.move_on_after(self.limits.linger_seconds),
                contextlib.suppress(OSError, trio.BrokenResourceError, trio.ClosedResourceError),
            ):
                await self._say_goodbye()
        finally:
            unsent = bool(self._out)
            self._break()
            self._drop(reset=unsent)

    def abort(self) -> None:
        """Drop the connection now; every wait on it ends. May be called at any time, more than once."""
        self._closing = True
        self._break()
        self._drop(reset=True)

    async def _say_goodbye(self) -> None:
        await self.drained()
        if self.socket is None:
            await self._close_inner()
        elif self.socket.fileno() >= 0:
            # Whoever waits for this socket stops waiting: from here on only the next line reads it.
            notify_closing(self.socket.fileno())
            await _linger(self.socket)

    def _drop(self, *, reset: bool) -> None:
        if self.socket is None:
            self._drop_inner()
        else:
            _drop_socket(self.socket, reset=reset)


class PlainStream(BufferedStream):
    """
    A TCP or Unix socket, written and read by plain system calls.

    Reading waits for readiness first, which saves the read that would fail, and a write that the kernel
    takes whole costs one system call and no scheduling: together half of the CPU of `trio.SocketStream`.
    """

    def __init__(
        self, socket: trio.socket.SocketType, *, nursery: trio.Nursery, limits: StreamLimits | None = None
    ) -> None:
        """Take over a connected socket."""
        super().__init__(socket, nursery=nursery, limits=limits)
        # Asked each time and never stored: after a close it answers -1, whereas a stored number may by
        # then belong to somebody else's connection.
        self._fileno = socket.fileno

    def _write_now(self, data: bytes, /) -> int:
        try:
            return os.write(self._fileno(), data)
        except BlockingIOError:
            return 0

    async def _write_some(self, data: bytes, /) -> int:
        while True:
            await wait_writable(self._open_fileno())
            try:
                return os.write(self._open_fileno(), data)
            except BlockingIOError:
                continue

    async def _read(self, max_bytes: int, /) -> bytes:
        while True:
            await wait_readable(self._open_fileno())
            try:
                return os.read(self._fileno(), max_bytes)
            except BlockingIOError:
                continue

    def _open_fileno(self) -> int:
        fileno = self._fileno()
        if fileno < 0:
            msg = "the connection is closed"
            raise trio.ClosedResourceError(msg)
        return fileno

    async def _close_inner(self) -> None:
        """Nothing: there is always a socket."""

    def _drop_inner(self) -> None:
        """Nothing: there is always a socket."""


class RelayedStream(BufferedStream):
    """The same over any Trio stream, for TLS above all: every byte passes through the flushing task."""

    def __init__(
        self,
        inner: trio.abc.Stream,
        *,
        nursery: trio.Nursery,
        socket: trio.socket.SocketType | None = None,
        drop: Callable[[], None] | None = None,
        limits: StreamLimits | None = None,
    ) -> None:
        """
        Take over `inner`.

        Args:
            inner: where the bytes go; nobody else may use it from now on.
            nursery: as for every buffered stream.
            socket: what lies under it, if it is a socket; closing that ends everything above.
            drop: what to call to end it at once when there is no socket.
            limits: as for every buffered stream.
        """
        super().__init__(socket, nursery=nursery, limits=limits)
        self._inner = inner
        self._drop_now = drop

    def _write_now(self, data: bytes, /) -> int:  # noqa: ARG002 - TLS cannot be written without waiting
        return 0

    async def _write_some(self, data: bytes, /) -> int:
        await self._inner.send_all(data)
        return len(data)

    async def _read(self, max_bytes: int, /) -> bytes:
        return bytes(await self._inner.receive_some(max_bytes))

    async def _close_inner(self) -> None:
        await self._inner.aclose()

    def _drop_inner(self) -> None:
        if self._drop_now is not None:
            self._drop_now()


async def _linger(socket: trio.socket.SocketType) -> None:
    """Half-close, then read and forget until the peer closes too; the caller bounds the time."""
    socket.shutdown(stdlib_socket.SHUT_WR)
    left = _LINGER_BYTES
    while left > 0:
        await wait_readable(socket.fileno())
        try:
            data = os.read(socket.fileno(), 64 * 1024)
        except BlockingIOError:
            continue
        if not data:
            return
        left -= len(data)


def _drop_socket(socket: trio.socket.SocketType, *, reset: bool) -> None:
    if socket.fileno() < 0:
        return
    if reset:
        with contextlib.suppress(OSError):
            socket.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_LINGER, _RESET_ON_CLOSE)
    socket.close()
