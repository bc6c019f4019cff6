"""A web service as an agent: it gets each message as a signed POST, and what it answers is the answer.

Knows HTTP. Knows nothing of the server of amtrio.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import anyio
import httpx
import msgspec

from amtrio.bridges.dialect import Ended, Event, Output, Speaker, read_json, read_object
from amtrio.bridges.signature import HEADER, sign
from amtrio.bridges.sse import EventStream, ServerEvent, StreamBroken
from amtrio.bridges.streams import open_pieces
from amtrio.bridges.turn import Incoming, Run
from amtrio.client import RunFailed

_CONNECT_WITHIN_S: Final = 10.0
# Of what a refusal says; the error of a run has 500 characters in all.
_REFUSAL_CHARACTERS_AT_MOST: Final = 300
_TRY_AGAIN: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_WAIT_AT_MOST_S: Final = 60.0


class HookUnusable(Exception):
    """Nobody listens at the address; the text says what was tried."""


@dataclass(frozen=True, slots=True)
class Hook:
    """
    Where messages go.

    Attributes:
        secret: signs them; the service knows it too.
        agent_id: told to the service, which may serve several.
        silence_s: a service that says nothing for so long is given up.
        waits_s: pauses before the second, third … try; as many as there are.
        headers: further ones, such as an API key.
    """

    address: str
    secret: str
    agent_id: str
    silence_s: float = 120.0
    waits_s: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    headers: Mapping[str, str] = field(default_factory=dict)


def body_of(message: Incoming, agent_id: str) -> dict[str, Any]:
    """What the service gets to read."""
    return {
        "type": "message",
        "agent_id": agent_id,
        "message": {
            "message_id": message.message_id,
            "content": message.content,
            "created_at": message.created_at,
            "conversation_seq": message.conversation_seq,
            "reply_to": message.reply_to,
            "metadata": message.metadata,
            "attachments": msgspec.to_builtins(list(message.attachments)),
        },
        "conversation": {"conversation_id": message.conversation_id, "user_id": message.user_id},
    }


class _TryAgain(Exception):
    """The service may be better soon."""

    def __init__(self, text: str, wait_s: float | None = None) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Webhook:
    """Answers each message with what the service says."""

    def __init__(self, hook: Hook, http: httpx.AsyncClient, now_s: Callable[[], float] = time.time) -> None:
        self._hook = hook
        self._http = http
        self._now_s = now_s

    async def handle(self, message: Incoming, run: Run) -> None:
        """
        Post the message, again if need be, and stream the answer.

        Every try has the same `Idempotency-Key`. What has begun to answer is not asked again.

        Raises:
            RunFailed: it could not be asked, said no, or broke off.
        """
        body = msgspec.json.encode(body_of(message, self._hook.agent_id))
        waits_s = iter(self._hook.waits_s)
        while True:
            try:
                await self._try(message, body, run)
                return
            except _TryAgain as exc:
                wait_s = next(waits_s, None)
                if wait_s is None:
                    raise RunFailed(str(exc)) from exc
                wait_s = max(wait_s, min(exc.wait_s or 0.0, _WAIT_AT_MOST_S))
                await run.status(f"{exc}; trying again in {wait_s:g} s")
            await anyio.sleep(wait_s)

    async def _try(self, message: Incoming, body: bytes, run: Run) -> None:
        headers = {
            "User-Agent": "amtrio-bridge",
            "Accept": "text/event-stream, application/x-ndjson, application/json, text/plain",
            **self._hook.headers,
            "Content-Type": "application/json",
            "Idempotency-Key": message.message_id,
            HEADER: sign(self._hook.secret, body, int(self._now_s())),
        }
        timeout = httpx.Timeout(self._hook.silence_s, connect=_CONNECT_WITHIN_S)
        has_answered = False
        try:
            async with self._http.stream(
                "POST", self._hook.address, content=body, headers=headers, timeout=timeout, follow_redirects=False
            ) as response:
                has_answered = response.is_success
                await self._hear(response, Speaker(run))
        except httpx.HTTPError as exc:
            if has_answered:
                raise RunFailed(f"the service broke off in the middle of the answer: {_words(exc)}") from exc
            raise _TryAgain(f"cannot reach the service: {_words(exc)}") from exc
        except StreamBroken as exc:
            raise RunFailed(str(exc)) from exc

    async def _hear(self, response: httpx.Response, speaker: Speaker) -> None:
        if not response.is_success:
            await self._refused(response)
        if response.status_code in {HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT}:
            return
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            if media_type == "text/event-stream":
                await _hear_events(response, speaker)
            elif media_type == "application/json":
                await _hear_object(await response.aread(), speaker)
            else:
                await _hear_lines(
                    response, speaker, Output(is_json=media_type in {"application/x-ndjson", "application/jsonl"})
                )
        except Ended:
            return

    async def _refused(self, response: httpx.Response) -> None:
        said = (await response.aread()).decode(errors="replace").strip()[:_REFUSAL_CHARACTERS_AT_MOST]
        status = response.status_code
        text = f"the service said no ({status})" if response.is_client_error else f"the service failed ({status})"
        if said and response.headers.get("Content-Type", "").startswith("text/plain"):
            text = f"{text}: {said}"
        if response.is_redirect:
            raise RunFailed(f"the service has moved ({status}) to {response.headers.get('Location', 'nowhere')}")
        if response.is_server_error or status in _TRY_AGAIN:
            wait = response.headers.get("Retry-After", "")
            raise _TryAgain(text, float(wait) if wait.isdecimal() else None)
        raise RunFailed(text)


async def _hear_lines(response: httpx.Response, speaker: Speaker, output: Output) -> None:
    async with open_pieces(response) as pieces:
        async for data in pieces:
            for item in output.feed(data):
                await speaker.say(item)
    for item in output.end():
        await speaker.say(item)


async def _hear_events(response: httpx.Response, speaker: Speaker) -> None:
    stream = EventStream()
    async with open_pieces(response) as pieces:
        async for data in pieces:
            for event in stream.feed(data):
                await speaker.say(_item(event))
    for event in stream.end():
        await speaker.say(_item(event))


def _item(event: ServerEvent) -> str | Event:
    """An object of the dialect, or text: that of a JSON string, else as it is."""
    data = event.data
    if event.name == "error":
        return {"text": data, **(read_object(data) or {}), "type": "error"}
    if data.strip() == "[DONE]":
        raise Ended
    found = read_object(data)
    if found is not None:
        return found
    if data.startswith('"'):
        try:
            text = read_json(data)
        except ValueError:
            return data
        return text if isinstance(text, str) else data
    return data


async def _hear_object(body: bytes, speaker: Speaker) -> None:
    """`{"content": …}`, an object of the dialect, or a list of such."""
    try:
        found = read_json(body) if body.strip() else {}
    except ValueError as exc:
        raise RunFailed("the service sent something else than the JSON it promised") from exc
    for item in found if isinstance(found, list) else [found]:
        if isinstance(item, str) or (isinstance(item, dict) and "type" in item):
            await speaker.say(item)
        elif isinstance(item, dict) and isinstance(item.get("content"), str):
            await speaker.say(item["content"])
        elif item:
            raise RunFailed("the service's answer has no `content`")


async def knock(hook: Hook, http: httpx.AsyncClient) -> None:
    """
    See whether anybody listens at the address; with a HEAD, which changes nothing, and any answer will do.

    Raises:
        HookUnusable: nobody does.
    """
    try:
        await http.head(hook.address, timeout=_CONNECT_WITHIN_S, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise HookUnusable(f"nobody listens at {hook.address}: {_words(exc)}") from exc


def _words(exc: Exception) -> str:
    return str(exc) or type(exc).__name__
