"""The JSON objects in which a program or a web service may tell more than text, and what becomes of them in a run.

One object per line (or per event of an event stream); docs/bridges.md lists them. Knows nothing of where they come
from.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from amtrio.bridges.text import Lines, Utf8
from amtrio.bridges.turn import Part, Run
from amtrio.client import RunFailed
from amtrio.client.outgoing_part import Kind

VERSION: Final = 1
# A first line longer than this is no greeting, and text must not wait for its end.
_GREETING_CHARACTERS_AT_MOST: Final = 200
_TOOL_STATES: Final = frozenset({"pending", "running", "done", "failed"})
_PLAN_STATES: Final = frozenset({"pending", "running", "done"})
# A run holds 512 KiB of JSON and 200 parts. What is beside the text may take up half of it, so that there is room for
# the answer itself; and text flows round each of the other parts.
_BYTES_AT_MOST: Final = 480 * 1024
_ASIDE_BYTES_AT_MOST: Final = 240 * 1024
_PARTS_ASIDE_AT_MOST: Final = 90
_META_OF_TOOL: Final = ("name", "title", "arguments", "state", "result", "duration_ms")

Event = Mapping[str, Any]


class Ended(Exception):
    """The program said that its answer is complete."""


class Output:
    """
    Tells plain text from JSON lines: it is JSON lines if the first line is `{"amtrio":1}`.

    `feed` gives text as `str` and objects as they are. A line that is no object among JSON lines is noise, which is not
    for the person.

    Args:
        is_json: known to be JSON lines without a greeting.
        on_noise: gets such a line.
    """

    def __init__(self, *, is_json: bool = False, on_noise: Callable[[str], None] = lambda _line: None) -> None:
        self._on_noise = on_noise
        self._text = Utf8()
        self._lines = Lines() if is_json else None
        self._undecided: str | None = None if is_json else ""

    def feed(self, data: bytes) -> list[str | Event]:
        """
        Raises:
            RunFailed: the greeting names a version that this bridge does not know.
        """
        return self._take(self._text.feed(data), is_end=False)

    def end(self) -> list[str | Event]:
        """What is left when the stream has ended."""
        return self._take(self._text.end(), is_end=True)

    def _take(self, text: str, *, is_end: bool) -> list[str | Event]:
        if self._lines is None:
            return self._decide(text, is_end=is_end)
        return self._read([*self._lines.feed(text), *(self._lines.end() if is_end else ())])

    def _read(self, lines: Sequence[str]) -> list[str | Event]:
        found: list[str | Event] = []
        for line in lines:
            item = read_object(line)
            if item is not None:
                found.append(item)
            elif line.strip():
                self._on_noise(line)
        return found

    def _decide(self, text: str, *, is_end: bool) -> list[str | Event]:
        if self._undecided is None:
            return [text] if text else []
        self._undecided += text
        line, end, rest = self._undecided.partition("\n")
        may_greet = line.startswith("{") and len(line) <= _GREETING_CHARACTERS_AT_MOST
        if not self._undecided or (may_greet and not end and not is_end):
            return []
        if may_greet and _greets(line):
            self._undecided = None
            self._lines = Lines()
            return self._take(rest, is_end=is_end)
        text, self._undecided = self._undecided, None
        return [text]


def read_object(line: str) -> Event | None:
    """The JSON object of a line; None if it is none."""
    try:
        found = read_json(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def read_json(text: str | bytes) -> Any:
    """
    Any JSON, without half characters: escapes can tell of them, and nobody could send them on.

    Raises:
        ValueError: it is none, or nested too deep.
    """
    try:
        found = json.loads(text)
    except RecursionError as exc:
        raise ValueError("nested too deep") from exc
    has_halves = rb"\ud" in text.lower() if isinstance(text, bytes) else r"\ud" in text.lower()
    return _whole(found) if has_halves else found


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(each) for name, each in value.items()}
    return value


def _greets(line: str) -> bool:
    found = read_object(line)
    if found is None or "amtrio" not in found:
        return False
    if found["amtrio"] != VERSION:
        raise RunFailed(f"it speaks version {found['amtrio']!r} of the JSON lines, and this bridge version {VERSION}")
    return True


class Speaker:
    """
    Puts text and objects into a run, in order. Unknown types and fields are ignored, for newer programs.

    Of more than a run can hold, the thoughts and the output of tools go first; text beyond that fails the run.

    Attributes:
        has_spoken: something for the person to keep was said: no mere status.
    """

    def __init__(self, run: Run, now_s: Callable[[], float] = time.monotonic) -> None:
        self.has_spoken = False
        self._run = run
        self._now_s = now_s
        self._bytes = 0
        self._aside_bytes = 0
        self._parts_aside = 0
        self._reasoning: Part | None = None
        self._title: dict[str, Any] = {}
        self._thinks_since_s = 0.0
        self._tools: dict[str, tuple[Part | None, dict[str, Any]]] = {}
        self._plan: Part | None = None
        self._ways: dict[str, Callable[[Event], Awaitable[None]]] = {
            "text": self._write,
            "reasoning": self._think,
            "tool": self._show_tool,
            "plan": self._show_plan,
            "status": self._show_status,
            "usage": self._note_usage,
        }

    async def say(self, item: str | Event) -> None:
        """
        Raises:
            RunFailed: it was an error, or text beyond what a run can hold. Ended: it was the end of the answer.
        """
        if isinstance(item, str):
            item = {"type": "text", "text": item}
        kind = str(item.get("type"))
        if kind == "error":
            raise RunFailed(_text(item, "text") or _text(item, "message") or "it failed without saying why")
        if kind == "end":
            raise Ended
        if kind in {"text", "tool", "plan"}:
            await self._end_thought()
        if kind in {"text", "reasoning", "tool", "plan"}:
            self.has_spoken = True
        if kind in self._ways:
            await self._ways[kind](item)

    async def _write(self, item: Event) -> None:
        text = _text(item, "text")
        self._bytes += _size(text)
        if self._bytes > _BYTES_AT_MOST:
            raise RunFailed("the answer is longer than a message can be; the rest was left out")
        if text:
            await self._run.write(text)

    def _has_room(self, value: Any) -> bool:
        """Whether there is room for this beside the text; it is then taken."""
        size = _size(value)
        if self._aside_bytes + size > _ASIDE_BYTES_AT_MOST:
            return False
        self._aside_bytes += size
        self._bytes += size
        return True

    async def _part(self, kind: Kind, meta: Mapping[str, Any]) -> Part | None:
        """None if there are too many already."""
        if self._parts_aside >= _PARTS_ASIDE_AT_MOST:
            return None
        self._parts_aside += 1
        return await self._run.part(kind, meta)

    async def _show_status(self, item: Event) -> None:
        await self._run.status(_text(item, "text"))

    async def _note_usage(self, item: Event) -> None:
        self._run.usage = {name: value for name, value in item.items() if name != "type"}

    async def _think(self, item: Event) -> None:
        title = item.get("title")
        meta = {"title": title} if isinstance(title, str) and title else {}
        if self._reasoning is None:
            self._thinks_since_s = self._now_s()
            self._reasoning, self._title = await self._part("reasoning", meta), meta
        elif meta and meta != self._title:
            self._title = meta
            await self._reasoning.update(meta)
        text = _text(item, "text")
        if text and self._reasoning is not None and self._has_room(text):
            await self._reasoning.write(text)

    async def _end_thought(self) -> None:
        """Thoughts that come later are thoughts of their own."""
        if self._reasoning is not None:
            thought_ms = int((self._now_s() - self._thinks_since_s) * 1000)
            await self._reasoning.update({**self._title, "duration_ms": thought_ms})
            self._reasoning = None

    async def _show_tool(self, item: Event) -> None:
        """The first object of an id begins a tool; later ones change what they name and add their text."""
        number = str(item.get("id") or f"#{len(self._tools)}")
        given = {name: item[name] for name in _META_OF_TOOL if item.get(name) is not None}
        if given.get("state") not in _TOOL_STATES:
            given.pop("state", None)
        for name in ("arguments", "result"):
            if name in given and not self._has_room(given[name]):
                given[name] = "…"
        if number not in self._tools:
            meta = {"name": "tool", "state": "running" if item.get("id") else "done", **given}
            self._tools[number] = (await self._part("tool", meta), meta)
        part, meta = self._tools[number]
        if part is None:
            await self._run.status(str(meta.get("title") or meta["name"]))
            return
        if given != {name: meta.get(name) for name in given}:
            meta.update(given)
            await part.update(dict(meta))
        text = _text(item, "text")
        if text and self._has_room(text):
            await part.write(text)

    async def _show_plan(self, item: Event) -> None:
        meta = {"items": [_plan_item(each) for each in _items(item)]}
        if self._plan is None:
            self._plan = await self._part("plan", meta)
        else:
            await self._plan.update(meta)


def _size(value: Any) -> int:
    """Bytes of it as JSON."""
    return len(json.dumps(value, ensure_ascii=False).encode())


def _items(item: Event) -> Sequence[Any]:
    items = item.get("items")
    return items if isinstance(items, list) else []


def _plan_item(item: object) -> dict[str, str]:
    fields = item if isinstance(item, dict) else {"text": item}
    state = fields.get("state")
    return {"text": _text(fields, "text"), "state": state if state in _PLAN_STATES else "pending"}


def _text(item: Event, field: str) -> str:
    found = item.get(field)
    return found if isinstance(found, str) else "" if found is None else json.dumps(found, ensure_ascii=False)
