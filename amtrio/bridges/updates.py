"""What an ACP program tells of its work, as objects of the dialect.

Does no I/O. Knows the shapes of `session/update` and `session/request_permission` of protocol version 1; what is not of
those shapes is passed over. Source: agentclientprotocol.com, "Protocol".
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from amtrio.bridges.dialect import Event
from amtrio.client import Option, SlashCommand

_TOOL_STATES: Final = {"pending": "pending", "in_progress": "running", "completed": "done", "failed": "failed"}
_PLAN_STATES: Final = {"pending": "pending", "in_progress": "running", "completed": "done"}
# A run holds 512 KiB in all, and a tool may read a file of any size.
_OUTPUT_CHARACTERS_AT_MOST: Final = 12_000
_DETAIL_CHARACTERS_AT_MOST: Final = 1_500
_LABEL_CHARACTERS_AT_MOST: Final = 80
_OPTIONS_AT_MOST: Final = 25
_COMMANDS_AT_MOST: Final = 100
_COMMAND_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the program shows, base64."""

    data: str
    content_type: str


class Updates:
    """The updates of one turn, in order."""

    def __init__(self) -> None:
        self.usage: dict[str, Any] = {}
        self._message_id: object = None
        self._has_written = False
        self._tools: dict[str, dict[str, Any]] = {}
        self._shown: dict[str, str] = {}

    def read(self, update: Mapping[str, Any]) -> list[Event | Picture]:
        """What the person is to see of one update."""
        kind = update.get("sessionUpdate")
        if kind == "agent_message_chunk":
            return self._said(update)
        if kind == "agent_thought_chunk":
            text = _text_of(update.get("content"))
            return [{"type": "reasoning", "text": text}] if text else []
        if kind in {"tool_call", "tool_call_update"}:
            return [self._tool(update)]
        if kind == "plan":
            return [{"type": "plan", "items": [_plan_item(each) for each in _dicts(update.get("entries"))]}]
        if kind == "usage_update":
            self.usage |= {name: update[name] for name in ("used", "size", "cost") if update.get(name) is not None}
        return []

    def end(self) -> list[Event]:
        """Tools that will not end any more: the turn is over."""
        return [
            {"type": "tool", "id": number, "state": "failed"}
            for number, tool in self._tools.items()
            if tool.get("state") in {"pending", "running"}
        ]

    def title(self, tool_call_id: object) -> str:
        """What a tool was called when it began."""
        return str(self._tools.get(str(tool_call_id), {}).get("title") or "")

    def _said(self, update: Mapping[str, Any]) -> list[Event | Picture]:
        content, message_id = update.get("content"), update.get("messageId")
        if isinstance(content, dict) and content.get("type") == "image" and isinstance(content.get("data"), str):
            return [Picture(content["data"], str(content.get("mimeType") or "image/png"))]
        text = _text_of(content)
        if not text:
            return []
        if self._has_written and message_id is not None and message_id != self._message_id:
            text = f"\n\n{text}"  # another message of the same answer
        self._message_id, self._has_written = message_id, True
        return [{"type": "text", "text": text}]

    def _tool(self, update: Mapping[str, Any]) -> Event:
        number = str(update.get("toolCallId") or "tool")
        tool = self._tools.setdefault(number, {})
        result = {**tool.get("result", {}), **_result(update)}
        fields = {
            "name": update.get("kind"),
            "title": update.get("title"),
            "state": _TOOL_STATES.get(str(update.get("status"))),
            "arguments": _bounded(update.get("rawInput")),
            "result": result or None,
        }
        changed = {name: value for name, value in fields.items() if value is not None and value != tool.get(name)}
        if not tool:
            changed = {"name": "tool", "state": "pending", **changed}
        tool |= changed
        return {"type": "tool", "id": number, **changed, "text": self._output(number, update.get("content"))}

    def _output(self, number: str, content: object) -> str:
        """What is new: programs repeat all output with each update, and text here only grows."""
        output = _shown(content)
        before = self._shown.get(number, "")
        if not output or before.startswith(output):
            return ""
        self._shown[number] = output
        return output[len(before) :] if output.startswith(before) else f"\n{output}"


def _shown(content: object) -> str:
    pieces = []
    for each in _dicts(content):
        if each.get("type") == "content":
            pieces.append(_text_of(each.get("content")))
        elif each.get("type") == "diff":
            pieces.append(_diff(each))
    return "\n".join(filter(None, pieces))[:_OUTPUT_CHARACTERS_AT_MOST]


def _diff(change: Mapping[str, Any]) -> str:
    path = str(change.get("path") or "")
    old, new = (str(change.get(name) or "").splitlines() for name in ("oldText", "newText"))
    is_new = change.get("oldText") is None
    lines = difflib.unified_diff(old, new, "/dev/null" if is_new else path, path, lineterm="")
    return "\n".join(lines)


def _result(update: Mapping[str, Any]) -> dict[str, Any]:
    output = _bounded(update.get("rawOutput"))
    locations = [
        {name: each[name] for name in ("path", "line") if each.get(name) is not None}
        for each in _dicts(update.get("locations"))
    ]
    found = {"output": output, "locations": locations or None}
    return {name: value for name, value in found.items() if value is not None}


def _bounded(value: Any) -> Any:
    """Any JSON, or as much of its text as may be kept."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= _OUTPUT_CHARACTERS_AT_MOST:
        return value
    return f"{text[:_OUTPUT_CHARACTERS_AT_MOST]}…"


def _plan_item(entry: Mapping[str, Any]) -> dict[str, str]:
    state = _PLAN_STATES.get(str(entry.get("status")), "pending")
    return {"text": str(entry.get("content") or ""), "state": state}


def _text_of(content: object) -> str:
    """A content block as Markdown."""
    if not isinstance(content, dict):
        return ""
    kind = content.get("type")
    if kind == "text":
        return str(content.get("text") or "")
    if kind == "resource_link":
        return f"[{content.get('title') or content.get('name') or content.get('uri')}]({content.get('uri')})"
    resource = content.get("resource")
    if kind == "resource" and isinstance(resource, dict):
        return str(resource.get("text") or "")
    return ""


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def slash_commands(update: Mapping[str, Any]) -> list[SlashCommand]:
    """The commands of `available_commands_update`, as far as a card can hold them."""
    found: dict[str, SlashCommand] = {}
    for each in _dicts(update.get("availableCommands")):
        name = str(each.get("name") or "").removeprefix("/")
        given = each.get("input")
        hint = str(given.get("hint") or "") if isinstance(given, dict) else ""
        if _COMMAND_NAME.fullmatch(name):
            found[name] = SlashCommand(name, _line(each.get("description"), 200), _line(hint, 100) or None)
    return list(found.values())[:_COMMANDS_AT_MOST]


def _line(text: object, characters_at_most: int) -> str:
    line = " ".join(str(text or "").split())
    return line if len(line) <= characters_at_most else f"{line[: characters_at_most - 1]}…"


@dataclass(frozen=True, slots=True)
class Permission:
    """
    A question to the person.

    Attributes:
        option_ids: the program's own, by our ids; those may hold anything.
    """

    content: str
    options: Sequence[Option]
    option_ids: Mapping[str, str]


def permission(params: Mapping[str, Any], known_title: str) -> Permission | None:
    """
    The question that `session/request_permission` asks; None if there is nothing to choose.

    Args:
        known_title: of the tool, for requests that do not repeat it.
    """
    offered = [each for each in _dicts(params.get("options")) if each.get("optionId") is not None][:_OPTIONS_AT_MOST]
    if not offered:
        return None
    call = params.get("toolCall")
    tool: Mapping[str, Any] = call if isinstance(call, dict) else {}
    title = str(tool.get("title") or known_title or "May it go on?")
    options = [
        Option(
            id=f"option-{number}",
            label=_line(each.get("name") or each["optionId"], _LABEL_CHARACTERS_AT_MOST),
            style="primary" if each.get("kind") == "allow_once" else "default",
        )
        for number, each in enumerate(offered)
    ]
    ids = {option.id: str(each["optionId"]) for option, each in zip(options, offered, strict=True)}
    return Permission("\n\n".join(filter(None, (title, _details(tool, title)))), options, ids)


def _details(tool: Mapping[str, Any], title: str) -> str:
    """What exactly would be done: the command, the change, or the arguments. What is left out is said to be."""
    given = tool.get("rawInput")
    command = given.get("command") if isinstance(given, dict) else None
    words = " ".join(map(str, command)) if isinstance(command, list) else str(command or "")
    pieces = ["" if words in title else words, _shown(tool.get("content"))]
    if not any((words, *pieces)) and given:
        pieces = [given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, indent=2)]
    text = "\n".join(filter(None, pieces)).strip()
    if not text:
        return ""
    more = len(text) - _DETAIL_CHARACTERS_AT_MOST
    text = text[:_DETAIL_CHARACTERS_AT_MOST]
    fence = "`" * max(3, 1 + _longest_run(text))
    block = f"{fence}\n{text}\n{fence}"
    return f"{block}\n\n… and {more} more characters" if more > 0 else block


def _longest_run(text: str) -> int:
    """Of backticks: a fence must be longer than any fence in it."""
    return max((len(run) for run in "".join(c if c == "`" else " " for c in text).split()), default=0)
