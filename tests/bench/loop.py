"""One epoll loop and the connections in it: plain sockets, one read and one write per wake-up.

Knows sockets. Knows nothing of what the bytes mean.
"""

from __future__ import annotations

import select
import socket
import time
from abc import abstractmethod

_READ_BYTES = 256 * 1024


class Broken(Exception):
    """The server did something that makes the figures meaningless."""


class Loop:
    """Waits for all connections at once."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._connections: dict[int, Connection] = {}

    def add(self, connection: Connection) -> None:
        """Listen to it from now on."""
        self._connections[connection.fileno] = connection
        self._epoll.register(connection.fileno, select.EPOLLIN)

    def remove(self, connection: Connection) -> None:
        """Listen to it no more."""
        if self._connections.pop(connection.fileno, None) is not None:
            self._epoll.unregister(connection.fileno)

    def want_to_write(self, connection: Connection, *, wants: bool) -> None:
        """Also tell it when it can write."""
        self._epoll.modify(connection.fileno, select.EPOLLIN | (select.EPOLLOUT if wants else 0))

    def turn(self, timeout: float) -> None:
        """Wait at most so many seconds for anything to happen, and let it happen."""
        connections = self._connections
        for fileno, events in self._epoll.poll(timeout):
            connection = connections.get(fileno)
            if connection is None:
                continue
            if events & select.EPOLLOUT:
                connection.flush()
            if events & ~select.EPOLLOUT:
                connection.readable()

    def run_until(self, end: float) -> None:
        """Turn until this moment of `time.perf_counter`."""
        while (left := end - time.perf_counter()) > 0:
            self.turn(left)

    def run_for(self, seconds: float) -> None:
        """Turn for so long."""
        self.run_until(time.perf_counter() + seconds)


class Connection:
    """A socket of the loop. What is written during one wake-up leaves in one system call at its end."""

    def __init__(self, loop: Loop, link: socket.socket) -> None:
        self._loop = loop
        self.use(link)
        self._out: list[bytes] = []
        self._is_waiting = False
        self._is_reading = False

    def use(self, link: socket.socket) -> None:
        """Go on with this socket, which the loop does not know yet."""
        link.setblocking(False)
        self.fileno = link.fileno()
        self._link = link

    @abstractmethod
    def arrived(self, data: bytes) -> None:
        """Take what came in."""

    def write(self, data: bytes) -> None:
        """Send at the end of this wake-up, or now if there is none."""
        self._out.append(data)
        if not self._is_reading and not self._is_waiting:
            self.flush()

    def flush(self) -> None:
        """Give the kernel what it takes."""
        data = b"".join(self._out)
        self._out.clear()
        try:
            sent = self._link.send(data) if data else 0
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._out.append(data[sent:])
        if bool(self._out) != self._is_waiting:
            self._is_waiting = bool(self._out)
            self._loop.want_to_write(self, wants=self._is_waiting)

    def readable(self) -> None:
        """Read once, react, answer once."""
        try:
            data = self._link.recv(_READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise Broken(f"{self!r}: the server closed the connection")
        self._is_reading = True
        self.arrived(data)
        self._is_reading = False
        if self._out and not self._is_waiting:
            self.flush()

    def leave(self) -> socket.socket:
        """Give the socket back, blocking again."""
        self._loop.remove(self)
        self._link.settimeout(10.0)
        return self._link
