"""Any endpoint that speaks chat completions as an agent: Ollama, llama.cpp, vLLM and the many others.

Knows HTTP and how its failures read. The shapes stand in `completions`; knows nothing of the server of amtrio.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final

import httpx

from amtrio.bridges.completions import Chat, ChatFailed, Said, error_text, messages
from amtrio.bridges.dialect import Speaker, read_json
from amtrio.bridges.files import Files, pictures
from amtrio.bridges.sse import EventStream, StreamBroken
from amtrio.bridges.streams import open_pieces
from amtrio.bridges.turn import Incoming, Run
from amtrio.client import Attachment, RunFailed
from amtrio.client.events import Message

_CONNECT_WITHIN_S: Final = 10.0
# Pictures cost a model more than words: those of the newest messages go along, no others.
_PICTURES_AT_MOST: Final = 4
_PICTURE_BYTES_AT_MOST: Final = 8 * 1024 * 1024
_ERROR_CHARACTERS_AT_MOST: Final = 300
_KEY_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NOT_UNDERSTOOD: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


class EndpointUnusable(Exception):
    """Nobody answers, or not as a chat completions endpoint; the text says what was tried."""


@dataclass(frozen=True, slots=True)
class Model:
    """
    Whom to ask, and how.

    Attributes:
        base_url: what comes before `/chat/completions`, often ending in `/v1`.
        silence_s: a server that says nothing for so long is given up; the first word may take its time.
        history_messages, history_characters: how much of the conversation goes along, at most.
        sees_pictures: attached pictures go along.
        options: further fields of the request, such as `temperature`.
    """

    base_url: str
    name: str
    api_key: str | None = None
    system: str = ""
    silence_s: float = 300.0
    history_messages: int = 50
    history_characters: int = 48_000
    sees_pictures: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    def address(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}{path}"


class OpenAI:
    """Answers each message with a completion."""

    def __init__(self, model: Model, http: httpx.AsyncClient, files: Files) -> None:
        self._model = model
        self._http = http
        self._files = files
        self._asks_for_usage = True

    async def handle(self, message: Incoming, run: Run) -> None:
        """
        Ask, and stream the answer. Cancelling closes the stream, on which most servers stop computing.

        Raises:
            RunFailed: it could not be asked, said no, or broke off.
        """
        chat, speaker = Chat(), Speaker(run)
        try:
            async with self._asked(await self._read_up(message, run)) as response:
                await self._listen(response, chat, speaker)
        except httpx.HTTPError as exc:
            raise RunFailed(_unreachable(self._model, exc)) from exc
        except (ChatFailed, StreamBroken) as exc:
            raise RunFailed(str(exc)) from exc
        if not chat.is_complete:
            raise RunFailed("the model's server broke off in the middle of the answer")
        if not speaker.has_spoken:
            raise RunFailed("the model gave an empty answer")

    async def _listen(self, response: httpx.Response, chat: Chat, speaker: Speaker) -> None:
        if _media_type(response) == "application/json":  # one that does not stream
            for item in chat.read(_json(await response.aread()), "message"):
                await speaker.say(item)
        else:
            stream = EventStream()
            async with open_pieces(response) as pieces:
                async for data in pieces:
                    for event in stream.feed(data):
                        for item in chat.feed(event):
                            await speaker.say(item)
            for event in stream.end():
                for item in chat.feed(event):
                    await speaker.say(item)
        for item in chat.end():
            await speaker.say(item)

    @asynccontextmanager
    async def _asked(self, chat_messages: Sequence[Mapping[str, Any]]) -> AsyncIterator[httpx.Response]:
        body = {**self._model.options, "model": self._model.name, "messages": chat_messages, "stream": True}
        if self._asks_for_usage:
            body["stream_options"] = {"include_usage": True}
        timeout = httpx.Timeout(self._model.silence_s, connect=_CONNECT_WITHIN_S)
        address = self._model.address("/chat/completions")
        async with self._http.stream(
            "POST", address, json=body, headers=self._model.headers, timeout=timeout
        ) as response:
            if response.is_success:
                yield response
                return
            refusal = (await response.aread()).decode(errors="replace")
        if self._asks_for_usage and response.status_code in _NOT_UNDERSTOOD and "stream_options" in refusal:
            self._asks_for_usage = False  # older servers do not know it, and the answer is worth more than the figures
            async with self._asked(chat_messages) as response:
                yield response
            return
        raise RunFailed(refusal_text(self._model, response))

    async def _read_up(self, message: Incoming, run: Run) -> list[dict[str, Any]]:
        """The conversation up to the message, as the model gets it."""
        limit = self._model.history_messages
        past = await run.history(limit + 1) if limit else []
        now = Said(
            is_ours=False, content=message.content, pictures=await self._urls(message.attachments, _PICTURES_AT_MOST)
        )
        left = _PICTURES_AT_MOST - len(now.pictures)
        said: list[Said] = []
        for each in reversed([each for each in past if _counts(each, message)][-limit:]):
            urls = await self._urls(each.attachments, left)
            left -= len(urls)
            said.append(Said(each.sender_type == "agent", each.content, urls))
        return messages(self._model.system, said[::-1], now, characters_at_most=self._model.history_characters)

    async def _urls(self, attachments: Sequence[Attachment], at_most: int) -> list[str]:
        if not self._model.sees_pictures:
            return []
        chosen = [each for each in pictures(attachments) if each.size <= _PICTURE_BYTES_AT_MOST][:at_most]
        return [
            f"data:{each.content_type};base64,{base64.b64encode(await self._files.read(each)).decode()}"
            for each in chosen
        ]


def _counts(past: Message, message: Incoming) -> bool:
    """Of what was said before: words that are still there, that can be read, and that are no stand-in for a failure."""
    if past.conversation_seq >= message.conversation_seq or past.deleted or past.kind == "encrypted":
        return False
    if past.run is not None and not any(part.kind == "text" for part in past.run.parts):
        return False
    return bool(past.content or past.attachments)


async def look(model: Model, http: httpx.AsyncClient) -> list[str]:
    """
    The models that an endpoint offers; none if it does not say.

    Raises:
        EndpointUnusable: nobody is there, or the key is refused.
    """
    try:
        response = await http.get(model.address("/models"), headers=model.headers, timeout=_CONNECT_WITHIN_S)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise EndpointUnusable(_unreachable(model, exc)) from exc
    if response.status_code in _KEY_REFUSED:
        raise EndpointUnusable(refusal_text(model, response))
    try:
        found = response.json() if response.is_success else None
    except ValueError:
        return []
    listed = found.get("data") if isinstance(found, dict) else None
    return [str(each["id"]) for each in listed or () if isinstance(each, dict) and each.get("id")]


def choose(model: Model, offered: Sequence[str], report: Callable[[str], None]) -> Model:
    """
    The model to ask: the one that was named, or the only one there.

    Args:
        report: gets a line if the endpoint does not list the one that was named.

    Raises:
        EndpointUnusable: none was named, and there are none or several.
    """
    if model.name:
        # Ollama lists `qwen3:latest` and knows it as `qwen3`.
        if offered and not any(each == model.name or each.startswith(f"{model.name}:") for each in offered):
            report(f"{model.base_url} does not list {model.name!r}, but: {', '.join(offered)}")
        return model
    if len(offered) != 1:
        which = f"name one of them with --model: {', '.join(offered)}" if offered else "name a model with --model"
        raise EndpointUnusable(f"{model.base_url} lists {len(offered)} models; {which}")
    report(f"the model is {offered[0]}")
    return replace(model, name=offered[0])


def refusal_text(model: Model, response: httpx.Response) -> str:
    """Why the endpoint said no, in words, for the person. The body must have been read."""
    said = error_text(_json(response.content) or response.text).strip()[:_ERROR_CHARACTERS_AT_MOST]
    status = response.status_code
    if status in _KEY_REFUSED:
        what = f"the model's server refused the key ({status})"
    elif status == HTTPStatus.NOT_FOUND:
        what = f"there is no model {model.name!r} at {model.base_url}, or no chat completions (404)"
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = response.headers.get("Retry-After", "")
        what = f"the model's server has had enough for now (429); {_again(wait)}"
    elif response.is_server_error:
        what = f"the model's server failed ({status})"
    else:
        what = f"the model's server did not take the request ({status})"
    return f"{what}: {said}" if said else what


def _again(wait: str) -> str:
    return f"try again in {wait} s" if wait.isdecimal() else f"try again after {wait}" if wait else "try again later"


def _unreachable(model: Model, exc: Exception) -> str:
    if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout | httpx.InvalidURL | httpx.UnsupportedProtocol):
        return f"cannot reach the model's server at {model.base_url}: {str(exc) or type(exc).__name__}"
    if isinstance(exc, httpx.TimeoutException):
        return f"the model's server said nothing for {model.silence_s:g} s"
    return f"the connection to the model's server broke: {str(exc) or type(exc).__name__}"


def _media_type(response: httpx.Response) -> str:
    media_type: str = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return media_type


def _json(body: bytes) -> Any:
    try:
        return read_json(body)
    except ValueError:
        return {}
