"""Chat completions as OpenAI's API began them and many endpoints speak them: the request, and the answer's chunks.

Does no I/O. What it reads becomes objects of the dialect. Knows nothing of sockets or runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from amtrio.bridges.dialect import Event, read_json
from amtrio.bridges.sse import ServerEvent

_OPEN_THOUGHT: Final = "<think>"
_CLOSE_THOUGHT: Final = "</think>"
# Reasons to finish that the person should know of.
_CUT_SHORT: Final = {
    "length": "the answer has reached the model's length limit",
    "content_filter": "the model's provider has cut the answer",
}


class ChatFailed(Exception):
    """The endpoint told of an error, or its answer broke off; the text is for the person."""


@dataclass(frozen=True, slots=True)
class Said:
    """
    One earlier message, or the one to answer.

    Attributes:
        pictures: as data: URLs.
    """

    is_ours: bool
    content: str
    pictures: Sequence[str] = ()


def messages(system: str, past: Sequence[Said], now: Said, *, characters_at_most: int) -> list[dict[str, Any]]:
    """
    What the model gets to read: as much of the past as fits, oldest first.

    Roles alternate and the person begins, since the templates of many models want it so.

    Args:
        characters_at_most: of the past and the present together; the present always goes in whole.
    """
    left = characters_at_most - len(now.content)
    kept: list[Said] = []
    for said in reversed(past):
        left -= len(said.content)
        if left < 0:
            break
        kept.append(said)
    while kept and kept[-1].is_ours:
        kept.pop()
    found = [{"role": "system", "content": system}] if system else []
    return found + [_message(said) for said in _merged([*reversed(kept), now])]


def _merged(all_said: Sequence[Said]) -> list[Said]:
    found: list[Said] = []
    for said in all_said:
        if found and found[-1].is_ours == said.is_ours:
            before = found.pop()
            content = "\n\n".join(filter(None, (before.content, said.content)))
            said = Said(said.is_ours, content, (*before.pictures, *said.pictures))  # noqa: PLW2901
        found.append(said)
    return found


def _message(said: Said) -> dict[str, Any]:
    role = "assistant" if said.is_ours else "user"
    if not said.pictures:
        return {"role": role, "content": said.content}
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in said.pictures]
    text = [{"type": "text", "text": said.content}] if said.content else []
    return {"role": role, "content": [*text, *pictures]}


class ThinkTags:
    """Thoughts between `<think>` and `</think>` at the beginning of the text, from servers that leave them there."""

    def __init__(self) -> None:
        self._held = ""
        self._state: Literal["undecided", "reasoning", "text"] = "undecided"
        self._is_at_start = True

    def feed(self, text: str) -> list[Event]:
        """Thoughts and words, as far as they can be told apart by now."""
        self._held += text
        found: list[Event] = []
        if self._state == "undecided":
            begun = self._held.lstrip()
            if begun.startswith(_OPEN_THOUGHT):
                self._state, self._held = "reasoning", begun.removeprefix(_OPEN_THOUGHT)
            elif not _OPEN_THOUGHT.startswith(begun):
                self._state, self._is_at_start = "text", False
        if self._state == "reasoning":
            thought, tag, rest = self._held.partition(_CLOSE_THOUGHT)
            found += self._show(thought if tag else thought[: len(thought) - _overlap(thought, _CLOSE_THOUGHT)])
            if tag:
                self._state, self._held, self._is_at_start = "text", rest, True
        if self._state == "text":
            found += self._show(self._held)
        return found

    def end(self) -> list[Event]:
        """What was held back."""
        if self._state == "undecided":
            self._state, self._is_at_start = "text", False
        return self._show(self._held)

    def _show(self, text: str) -> list[Event]:
        """Without the empty lines round the tags."""
        self._held = self._held[len(text) :]
        if self._is_at_start:
            text = text.lstrip("\n")
            self._is_at_start = not text
        return _event(self._state, text)


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of the text may be the beginning of the tag."""
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:size])), 0)


def _event(kind: str, text: str) -> list[Event]:
    return [{"type": kind, "text": text}] if text else []


@dataclass
class _Call:
    """A tool call whose pieces arrive one by one."""

    number: str
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Chat:
    """One answer, from its chunks."""

    _tags: ThinkTags = field(default_factory=ThinkTags)
    _calls: dict[str, _Call] = field(default_factory=dict)
    _finish: str | None = None
    _is_done: bool = False
    _usage: dict[str, Any] = field(default_factory=dict)

    def feed(self, event: ServerEvent) -> list[Event]:
        """
        What one event of the stream tells.

        Raises:
            ChatFailed: it tells of an error.
        """
        if event.data.strip() == "[DONE]":
            self._is_done = True
            return []
        try:
            chunk = read_json(event.data)
        except ValueError as exc:
            raise ChatFailed(f"the model's server sent something else than JSON: {event.data[:100]}") from exc
        if event.name == "error":
            raise ChatFailed(f"the model's server broke off: {error_text(chunk)}")
        return self.read(chunk, "delta")

    def read(self, chunk: object, field_name: str) -> list[Event]:
        """
        A chunk, or a whole answer that was not streamed.

        Args:
            field_name: `delta` or `message`.

        Raises:
            ChatFailed: it is an error.
        """
        if not isinstance(chunk, dict):
            return []
        if chunk.get("error"):
            raise ChatFailed(f"the model's server broke off: {error_text(chunk)}")
        if isinstance(usage := chunk.get("usage"), dict):
            self._usage = {"model": chunk["model"], **usage} if chunk.get("model") else dict(usage)
        found: list[Event] = []
        for choice in _dicts(chunk.get("choices")):
            delta = choice.get(field_name)
            if isinstance(delta, dict):
                found += self._read_delta(delta)
            self._finish = choice.get("finish_reason") or self._finish
        return found

    def _read_delta(self, delta: Mapping[str, Any]) -> list[Event]:
        thought = _plain(delta.get("reasoning_content")) or _plain(delta.get("reasoning"))
        said = _plain(delta.get("content")) or _plain(delta.get("refusal"))
        found = _event("reasoning", thought)
        if said:
            found += self._tags.feed(said)
        for piece in _dicts(delta.get("tool_calls")):
            found += self._read_call(piece)
        return found

    def _read_call(self, piece: Mapping[str, Any]) -> list[Event]:
        """Pieces of one call share an index; servers that give none tell the call in one piece, or by its id."""
        number = str(piece.get("index", piece.get("id") or len(self._calls)))
        call_id = _plain(piece.get("id"))
        known = self._calls.get(number)
        if known is not None and call_id and known.id and call_id != known.id:
            number = call_id  # some count every call as the first
        call = self._calls.setdefault(number, _Call(number))
        is_named = bool(call.name)
        function = piece.get("function")
        fields: Mapping[str, Any] = function if isinstance(function, dict) else {}
        call.id = call.id or call_id
        call.name = call.name or _plain(fields.get("name"))
        arguments = fields.get("arguments")
        call.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        if is_named or not call.name:
            return []
        return [{"type": "tool", "id": call.number, "name": call.name, "state": "running"}]

    def end(self) -> list[Event]:
        """What is left when the stream has ended."""
        found = self._tags.end()
        for call in self._calls.values():
            found.append(
                {
                    "type": "tool",
                    "id": call.number,
                    "name": call.name or "tool",
                    "state": "done",
                    "arguments": _parsed(call.arguments),
                }
            )
        if self._usage:
            found.append({"type": "usage", **self._usage})
        if self._finish in _CUT_SHORT:
            found.append({"type": "status", "text": _CUT_SHORT[self._finish]})
        return found

    @property
    def is_complete(self) -> bool:
        """Whether the server said that this was all; else the stream broke off."""
        return self._is_done or self._finish is not None


def error_text(body: object) -> str:
    """The words of an error object, in any of the shapes that are about."""
    if isinstance(body, dict):
        error = body.get("error", body)
        if isinstance(error, dict):
            error = error.get("message") or error.get("detail") or error.get("code") or json.dumps(error)
        return str(error)
    return str(body)


def _plain(value: object) -> str:
    """Text, also where it comes as a list of typed pieces."""
    if isinstance(value, list):
        return "".join(_plain(piece.get("text")) for piece in value if isinstance(piece, dict))
    return value if isinstance(value, str) else ""


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _parsed(arguments: str) -> Any:
    try:
        return read_json(arguments) if arguments.strip() else {}
    except ValueError:
        return arguments
