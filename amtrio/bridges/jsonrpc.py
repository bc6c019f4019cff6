"""JSON-RPC 2.0 with a program, one message per line on its standard input and output.

Knows requests, answers and notifications, in both directions. Knows nothing of what they mean.
Source: jsonrpc.org/specification; batches are not spoken.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final

import anyio

from amtrio.bridges.children import Child
from amtrio.bridges.dialect import read_object
from amtrio.bridges.text import Utf8Lines

METHOD_NOT_FOUND: Final = -32601
_INTERNAL_ERROR: Final = -32603
_NOISE_CHARACTERS_AT_MOST: Final = 300


class RpcError(Exception):
    """
    The other side answered with an error.

    Attributes:
        code: of JSON-RPC or of the protocol spoken over it.
        data: whatever more it said.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data

    def __str__(self) -> str:
        """The message, and what stands in the data if that is words."""
        details = self.data.get("details") or self.data.get("message") if isinstance(self.data, dict) else self.data
        more = f": {details}" if isinstance(details, str) and details and details not in self.args[0] else ""
        return f"{self.args[0]}{more}"


class PeerGone(Exception):
    """The program ended, or closed its output; what was asked stays without an answer."""


class Request:
    """What the program asks of us. To be answered once; later answers are dropped."""

    def __init__(self, peer: Peer, number: object, method: str, params: dict[str, Any]) -> None:
        self.method = method
        self.params = params
        self._peer = peer
        self._number = number
        self._is_answered = False

    def answer(self, result: Any) -> None:
        self._say({"result": result})

    def refuse(self, code: int, message: str) -> None:
        self._say({"error": {"code": code, "message": message}})

    def _say(self, fields: dict[str, Any]) -> None:
        if not self._is_answered:
            self._is_answered = True
            self._peer.write({"jsonrpc": "2.0", "id": self._number, **fields})


class Pending:
    """What we have asked, until it is answered."""

    def __init__(self) -> None:
        self._settled = anyio.Event()
        self._result: Any = None
        self._failure: Exception | None = None
        self._when_done: Callable[[], None] = lambda: None

    def settle(self, result: Any, failure: Exception | None = None) -> None:
        if not self.is_done:
            self._result, self._failure = result, failure
            self._settled.set()
            self._when_done()

    @property
    def is_done(self) -> bool:
        return self._settled.is_set()

    def when_done(self, step: Callable[[], None]) -> None:
        """Call this once, between what came before the answer and what came after it."""
        self._when_done = step
        if self.is_done:
            step()

    def result(self) -> Any:
        """
        Raises:
            RpcError: the other side's. PeerGone: there will be none.
        """
        assert self.is_done
        if self._failure is not None:
            raise self._failure
        return self._result

    async def wait(self) -> Any:
        """As `result`, when it is there."""
        await self._settled.wait()
        return self.result()


class Peer:
    """
    One end of the talk. Nothing here waits for anybody but `run`, so that frames are never cut nor out of order.

    Args:
        on_request, on_notification: called in the order in which things arrive; must not block.
        on_noise: gets lines that are no JSON-RPC: programs print what they should not.
    """

    def __init__(
        self,
        child: Child,
        *,
        on_request: Callable[[Request], None],
        on_notification: Callable[[str, dict[str, Any]], None],
        on_noise: Callable[[str], None],
    ) -> None:
        self._child = child
        self._on_request = on_request
        self._on_notification = on_notification
        self._on_noise = on_noise
        self._pending: dict[int, Pending] = {}
        self._count = 0
        self._is_gone = False
        self._outgoing, self._to_write = anyio.create_memory_object_stream[bytes](math.inf)

    async def run(self) -> None:
        """Talk until the program ends its output; what is then unanswered stays so."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep_writing)
                await self._keep_reading()
                tasks.cancel_scope.cancel()
        finally:
            self._is_gone = True
            self._outgoing.close()
            self._to_write.close()
            pending, self._pending = self._pending, {}
            for each in pending.values():
                each.settle(None, PeerGone("the program has ended"))

    def ask(self, method: str, params: dict[str, Any]) -> Pending:
        """Send a request."""
        pending = Pending()
        if self._is_gone:
            pending.settle(None, PeerGone("the program has ended"))
            return pending
        self._count += 1
        self._pending[self._count] = pending
        self.write({"jsonrpc": "2.0", "id": self._count, "method": method, "params": params})
        return pending

    async def call(self, method: str, params: dict[str, Any]) -> Any:
        """
        Send a request and wait for its answer.

        Raises:
            RpcError: it is an error. PeerGone: there will be none.
        """
        return await self.ask(method, params).wait()

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self.write({"jsonrpc": "2.0", "method": method, "params": params})

    def write(self, frame: dict[str, Any]) -> None:
        """Send a frame, some time soon; not at all if the program is gone."""
        if not self._is_gone:
            self._outgoing.send_nowait(json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    async def _keep_writing(self) -> None:
        async for data in self._to_write:
            await self._child.send(data)

    async def _keep_reading(self) -> None:
        lines = Utf8Lines()
        while data := await self._child.receive():
            for line in lines.feed(data):
                self._take(line)
        for line in lines.end():
            self._take(line)

    def _take(self, line: str) -> None:
        frame = read_object(line) if line.startswith("{") else None
        if frame is None or not ("method" in frame or "id" in frame):
            if line.strip():
                self._on_noise(line[:_NOISE_CHARACTERS_AT_MOST])
        elif "method" not in frame:
            self._settle(frame["id"], frame)
        else:
            params = frame.get("params")
            params = params if isinstance(params, dict) else {}
            if "id" in frame:
                self._on_request(Request(self, frame["id"], str(frame["method"]), params))
            else:
                self._on_notification(str(frame["method"]), params)

    def _settle(self, number: object, frame: Any) -> None:
        pending = self._pending.pop(number, None) if isinstance(number, int) else None
        if pending is None:
            return
        error = frame.get("error")
        if error is None:
            pending.settle(frame.get("result"))
        else:
            fields = error if isinstance(error, dict) else {"message": error}
            code = fields.get("code")
            message = str(fields.get("message") or "an error without words")
            failure = RpcError(code if isinstance(code, int) else _INTERNAL_ERROR, message, fields.get("data"))
            pending.settle(None, failure)
