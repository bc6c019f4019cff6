"""Pictures of messages, questions and answers that are being written, as lines of prompt-toolkit.

Knows Rich and what is to be drawn. Knows nothing of what is on the screen, nor of what has been drawn before.
"""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import Any, Final

import msgspec
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples, to_formatted_text
from prompt_toolkit.formatted_text.utils import split_lines
from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.text import Text

from amtrio.cli.chat_model import ChatModel, Line
from amtrio.cli.chat_runs import LiveRun
from amtrio.cli.chat_talk import MarkState
from amtrio.client import PartView, Question, RunPart, RunRecord, parts_of

# Text from others is no terminal program: no escape sequences (C0, DEL, C1), nothing that turns the direction of
# writing round what follows (Unicode TR 36, 2.1). Tab and line feed stay.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MARKS: dict[MarkState, str] = {
    "sending": "…",
    "refused": "✗",
    "stored": "✓",
    "queued": "✓ queued",
    "delivered": "✓✓",
    "read": "✓✓ read",
}
_STATUS_STYLE = {"online": "green", "busy": "yellow", "idle": "yellow", "offline": "bright_black"}
_QUOTE_CHARACTERS = 60
# Of thoughts and of what a tool prints: a look over the shoulder, not the whole.
_LAST_LINES: Final = 3
# The last lines are looked for in so much of the end.
_TAIL_CHARACTERS: Final = 4096
_TOOL_MARKS = {"pending": ("○", "dim"), "running": ("▸", "yellow"), "done": ("✓", "green"), "failed": ("✗", "red")}
_ITEM_MARKS = {"pending": ("☐", "dim"), "running": ("▸", "yellow"), "done": ("☑", "green")}
_OPTION_STYLES = {"primary": "bold green", "danger": "bold red"}
_OUTCOMES = {"stopped": ("■", "yellow"), "failed": ("✗", "red"), "interrupted": ("✗", "red")}
Fragments = list[StyleAndTextTuples]


def safe(text: str) -> str:
    """Text from others without what a terminal would obey."""
    return _UNSAFE.sub("", text)


def one_line(text: object, at_most: int = 80) -> str:
    """The beginning of something as one line."""
    line = " ".join(safe(text if isinstance(text, str) else _as_json(text)).split())
    return line if len(line) <= at_most else line[: at_most - 1] + "…"


def clock_time(created_at: str) -> str:
    """Hour and minute of an RFC 3339 time where the terminal stands; nothing for anything else."""
    try:
        return f"{datetime.fromisoformat(created_at).astimezone():%H:%M}"
    except (ValueError, OverflowError):
        return ""


def rendered(what: RenderableType, width: int) -> Fragments:
    """Rich's picture of something, as lines of prompt-toolkit."""
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system="standard", width=max(width, 20), legacy_windows=False
    )
    with console.capture() as capture:
        console.print(what)
    return [list(line) for line in split_lines(to_formatted_text(ANSI(capture.get().rstrip("\n"))))]


def message_lines(line: Line, width: int) -> Fragments:
    """One message: who and when, what it replies to, the text, and how far ours got."""
    head = Text.assemble(
        (safe(line.sender), "bold cyan" if line.is_own else "bold magenta"), (f"  {clock_time(line.created_at)}", "dim")
    )
    if line.is_edited and not line.is_deleted:
        head.append("  edited", "dim")
    if line.is_steering:
        head.append("  into the answer", "dim")
    if line.state is not None:
        head.append(f"  {_MARKS[line.state]}", "red" if line.state == "refused" else "dim")
    shown = rendered(head, width)
    if line.quoted:
        quoted = Text(f"> {one_line(line.quoted, _QUOTE_CHARACTERS + 1)}", "dim italic")
        shown += rendered(Padding(quoted, (0, 0, 0, 2)), width)
    if line.is_deleted:
        return [*shown, *_indented(Text("(deleted)", "dim italic"), width), []]
    if line.is_own:
        # What people type is shown as typed; Markdown is what agents speak.
        return [*shown, *_indented(Text(safe(line.content)), width), []]
    shown += _told(line, width)
    if line.message is not None and line.message.question is not None:
        shown += _indented(_options(line.message.question), width)
    return [*shown, []]


def _told(line: Line, width: int) -> Fragments:
    """What an agent says, with how it came to say it."""
    run = line.message.run if line.message is not None else None
    parts = parts_of(line.message) if line.message is not None else []
    if run is None or not (parts or run.error or run.outcome != "done"):
        return markdown_lines(line.content, width)
    shown = [row for part in parts for row in part_lines(part, width)]
    return shown if run.outcome == "done" else [*shown, *_indented(_how_it_ended(run), width)]


def _how_it_ended(run: RunRecord) -> Text:
    """At its end, where one reads when it happens."""
    mark, style = _OUTCOMES.get(run.outcome, ("·", "dim"))
    return Text(f"{mark} {one_line(run.outcome)}{f': {safe(run.error)}' if run.error else ''}", style)


def live_head(run: LiveRun, name: str, width: int) -> Fragments:
    """Who writes, and whether that is to end."""
    doing = "stopping…" if run.stop else "writing…" if run.view.parts else "…"
    if run.stop == "unresponsive":
        doing = "does not answer"
    head = Text.assemble((safe(name), "bold magenta"), (f"  {doing}", "yellow" if run.stop else "dim"))
    return rendered(head, width)


def part_lines(part: PartView | RunPart, width: int, *, is_live: bool = False) -> Fragments:
    """One part of an answer, other than a text that grows: that is drawn block by block."""
    match part.kind:
        case "text":
            return markdown_lines(part.text, width)
        case "reasoning":
            return _folded(_thought(part), part.text if is_live else "", width)
        case "tool":
            return _folded(_tool(part), part.text if is_live else "", width)
        case "plan":
            return _indented(_plan(part), width)
        case "artifact":
            name = one_line(part.meta.get("filename") or part.meta.get("attachment_id") or "a file")
            return _indented(Text(f"⎘ {name}", "cyan"), width)
        case "status":
            return []
        case _:  # from a newer server
            return _folded(Text(f"· {one_line(part.kind)}", "dim"), part.text, width)


def markdown_lines(text: str, width: int) -> Fragments:
    # Links are shown with their address.
    return _indented(Markdown(safe(text), hyperlinks=False), width) if text.strip() else []


def last_lines(text: str, count: int = _LAST_LINES) -> str:
    """The end of a text, without empty lines."""
    lines = [line for line in safe(text[-_TAIL_CHARACTERS:]).splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def agent_lines(model: ChatModel, width: int) -> Fragments:
    """The list to choose from."""
    agents = model.agent_list()
    if not model.knows_agents:
        return rendered(Text("\nLooking who is there…\n", "dim"), width)
    if not agents:
        return rendered(Text("\nNo agents yet. Add one on the server: amtrio agent add demo\n"), width)
    picture = Text("\nAgents\n\n", "bold")
    for number, agent in enumerate(agents, start=1):
        unread = model.unread_with(agent.agent_id)
        picture.append(f" {number:>2}  ", "bold")
        picture.append("● ", _STATUS_STYLE.get(agent.status, "bright_black"))
        picture.append(one_line(agent.name or agent.agent_id))
        picture.append(f"  {one_line(agent.status_text or agent.status)}", "dim")
        picture.append(f"  {unread} unread" if unread else "", "bold yellow")
        picture.append("\n")
    picture.append("\nType a number or a name to talk.", "dim")
    return rendered(picture, width)


def _indented(what: RenderableType, width: int) -> Fragments:
    return rendered(Padding(what, (0, 0, 0, 2)), width)


def _folded(head: Text, text: str, width: int) -> Fragments:
    """One line about it, and the end of its text, each line cut to the width."""
    rows = _indented(head, width)
    tail = last_lines(text)
    if tail:
        body = Text(tail, "dim italic", no_wrap=True, overflow="ellipsis")
        rows += rendered(Padding(body, (0, 0, 0, 6)), width)
    return rows


def _thought(part: PartView | RunPart) -> Text:
    took = _duration(part.meta.get("duration_ms"))
    title = part.meta.get("title")
    head = f"✦ thought for {took}" if took else "✦ thinking"
    return Text(f"{head}{f' · {one_line(title)}' if title else ''}", "dim italic")


def _tool(part: PartView | RunPart) -> Text:
    meta = part.meta
    state = one_line(meta.get("state") or "", 20)
    mark, style = _TOOL_MARKS.get(state, ("·", "dim"))
    head = Text.assemble((f"{mark} ", style), (one_line(meta.get("title") or meta.get("name") or "tool", 50), "bold"))
    if meta.get("arguments") not in (None, {}, []):
        head.append(f"  {one_line(meta['arguments'], 40)}", "dim")
    took = _duration(meta.get("duration_ms"))
    head.append(f"  {took or state}", "dim")
    if state in {"done", "failed"} and meta.get("result") is not None:
        result = meta["result"]
        said = result["error"] if isinstance(result, dict) and set(result) == {"error"} else result
        head.append(f"  → {one_line(said, 60)}", "red" if state == "failed" else "dim")
    return head


def _plan(part: PartView | RunPart) -> Text:
    picture = Text()
    items = part.meta.get("items")
    for number, item in enumerate(items if isinstance(items, list) else []):
        state, text = (str(item.get(name, "")) for name in ("state", "text")) if isinstance(item, dict) else ("", "")
        mark, style = _ITEM_MARKS.get(state, ("☐", "dim"))
        picture.append("\n" if number else "")
        picture.append(f"{mark} ", style)
        picture.append(one_line(text, 200), "dim" if state == "done" else "bold" if state == "running" else "")
    return picture


def _options(question: Question) -> Text:
    """What can be answered, or what was."""
    answer = question.answer
    chosen = set(answer.option_ids) if answer else set()
    picture = Text()
    for number, option in enumerate(question.options, start=1):
        is_open = question.state == "open"
        mark = f"{number:>2} " if is_open else " ✓ " if option.id in chosen else "   "
        style = _OPTION_STYLES.get(option.style or "", "bold") if is_open or option.id in chosen else "dim"
        picture.append(mark, "bold" if is_open else "green")
        picture.append(one_line(option.label, 100), style)
        picture.append(f"  {one_line(option.description, 100)}" if option.description else "", "dim")
        picture.append("\n")
    if answer and answer.text:
        picture.append(f" ✓ {safe(answer.text)}\n", "green")
    picture.append(_how_to_answer(question), "dim")
    picture.rstrip()
    return picture


def _how_to_answer(question: Question) -> str:
    if question.state != "open":
        return "" if question.state == "answered" else f"({one_line(question.state)})"
    ways = []
    if question.options:
        ways.append("numbers, as in 1 3" if question.multiple else "a number")
    if question.free_text:
        ways.append("/answer TEXT")
    return f"Answer with {' or '.join(ways)}."


def _duration(milliseconds: Any) -> str:
    if not isinstance(milliseconds, int | float):
        return ""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"  # noqa: PLR2004 - of a second


def _as_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
