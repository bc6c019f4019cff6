"""How `amtrio chat` looks: a header, the conversation or the list of agents, a line of news, and where one types.

Knows prompt-toolkit, Rich and the model. Knows no connection: what the person does goes to functions it is given.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples, to_formatted_text
from prompt_toolkit.formatted_text.utils import split_lines
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, UIContent, UIControl, Window
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style
from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.text import Text

from amtrio.cli.chat_model import ChatModel, Line, MarkState

# Text from others is no terminal program: no escape sequences (C0, DEL, C1), nothing that turns the direction of
# writing round what follows (Unicode TR 36, 2.1). Tab and line feed stay.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MARKS: dict[MarkState, str] = {"sending": "…", "refused": "✗", "stored": "✓", "delivered": "✓✓", "read": "✓✓ read"}
_STATUS_STYLE = {"online": "green", "busy": "yellow", "idle": "yellow", "offline": "bright_black"}
_QUOTE_CHARACTERS = 60
_STYLE = Style.from_dict(
    {"bar": "reverse", "trouble": "bold fg:ansired", "notice": "fg:ansiyellow", "dim": "fg:ansigray"}
)
_HINT = "Enter sends · Alt+Enter new line · PageUp older · /help"

Fragments = list[StyleAndTextTuples]


def safe(text: str) -> str:
    """Text from others without what a terminal would obey."""
    return _UNSAFE.sub("", text)


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
    if line.state is not None:
        head.append(f"  {_MARKS[line.state]}", "red" if line.state == "refused" else "dim")
    shown = rendered(head, width)
    if line.quoted:
        quoted = safe(line.quoted).replace("\n", " ")
        cut = quoted[:_QUOTE_CHARACTERS] + ("…" if len(quoted) > _QUOTE_CHARACTERS else "")
        shown += rendered(Padding(Text(f"> {cut}", "dim italic"), (0, 0, 0, 2)), width)
    # What people type is shown as typed; Markdown is what agents speak. Links are shown with their address.
    body: RenderableType = Text(safe(line.content)) if line.is_own else Markdown(safe(line.content), hyperlinks=False)
    if line.is_deleted:
        body = Text("(deleted)", "dim italic")
    return [*shown, *rendered(Padding(body, (0, 0, 0, 2)), width), []]


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
        picture.append(safe(agent.name or agent.agent_id))
        picture.append(f"  {safe(agent.status_text or agent.status)}", "dim")
        picture.append(f"  {unread} unread" if unread else "", "bold yellow")
        picture.append("\n")
    picture.append("\nType a number or a name to talk.", "dim")
    return rendered(picture, width)


@dataclass(frozen=True, slots=True)
class Actions:
    """What the person did. `now` gives seconds of a monotonic clock."""

    entered: Callable[[str], None]
    wants_older: Callable[[], None]
    typed: Callable[[str], None]
    now: Callable[[], float]


class _Body(UIControl):
    """
    The part that scrolls.

    Attributes:
        above_bottom: how many lines are hidden below; 0 follows what comes in.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._drawn: dict[tuple[Line, int], Fragments] = {}
        self._last: tuple[str | None, str] = (None, "")
        self.above_bottom = 0
        self.height = 1
        self.total = 0

    def lines(self, width: int) -> Fragments:
        if self._model.talk is None:
            return agent_lines(self._model, width)
        shown = self._model.lines()
        # Markdown is slow to draw, and most messages look as they did a moment ago.
        self._drawn = {(line, width): self._drawn.get((line, width)) or message_lines(line, width) for line in shown}
        self._stay_where_one_reads(shown, width)
        return [part for drawn in self._drawn.values() for part in drawn]

    def _stay_where_one_reads(self, shown: list[Line], width: int) -> None:
        """Who has scrolled up must not be moved by what comes in below."""
        talk_id, key = self._last
        keys = [line.key for line in shown]
        if self.above_bottom and talk_id == self._model.current and key in keys:
            news = shown[keys.index(key) + 1 :]
            self.above_bottom += sum(len(self._drawn[line, width]) for line in news)
        self._last = (self._model.current, keys[-1] if keys else "")

    def create_content(self, width: int, height: int) -> UIContent:
        lines = self.lines(width)
        self.height, self.total = height, len(lines)
        self.above_bottom = max(0, min(self.above_bottom, self.total - height))
        end = self.total - self.above_bottom
        window = lines[max(0, end - height) : end]
        return UIContent(get_line=lambda row: window[row], line_count=len(window), show_cursor=False)

    def scroll(self, pages: int) -> bool:
        """Up is positive. Returns whether the top is reached."""
        wanted = self.above_bottom + pages * max(1, self.height - 1)
        top = max(0, self.total - self.height)
        self.above_bottom = max(0, min(wanted, top))
        return wanted >= top


class Screen:
    """The whole of it; `run()` until the person leaves or `leave()` is called."""

    def __init__(
        self, model: ChatModel, actions: Actions, *, source: Input | None = None, output: Output | None = None
    ) -> None:
        self._model = model
        self._actions = actions
        self._is_told_to_leave = False
        self._body = _Body(model)
        self._buffer = Buffer(multiline=True, on_text_changed=lambda buffer: actions.typed(buffer.text))
        prompt = Window(
            BufferControl(self._buffer, input_processors=[BeforeInput("> ")]),
            height=Dimension(min=1, max=5),
            wrap_lines=True,
            dont_extend_height=True,
        )
        layout = HSplit(
            [
                Window(FormattedTextControl(self._header), height=1, style="class:bar"),
                Window(self._body),
                Window(FormattedTextControl(self._news), height=1),
                prompt,
            ]
        )
        self.app: Application[None] = Application(
            layout=Layout(layout, focused_element=prompt),
            key_bindings=self._keys(),
            style=_STYLE,
            full_screen=True,
            refresh_interval=1.0,  # typing marks end by themselves
            input=source,
            output=output,
        )

    async def run(self) -> None:
        await self.app.run_async(pre_run=self._leave_if_told)

    def redraw(self) -> None:
        self.app.invalidate()

    def leave(self) -> None:
        self._is_told_to_leave = True
        self._leave_if_told()

    def _leave_if_told(self) -> None:
        """Also when the word came before the screen was up; twice would be an error to prompt-toolkit."""
        future = self.app.future
        if self._is_told_to_leave and future is not None and not future.done():
            self.app.exit()

    def to_bottom(self) -> None:
        self._body.above_bottom = 0

    def text(self, width: int = 80) -> str:
        """What stands in the scrolling part, without colours."""
        return "\n".join("".join(part[1] for part in line) for line in self._body.lines(width))

    def _header(self) -> StyleAndTextTuples:
        talk = self._model.talk
        parts: StyleAndTextTuples = [("", " amtrio")]
        if talk is not None:
            agent = self._model.agents.get(talk.agent_id)
            parts.append(("", f" · {safe(self._model.agent_name(talk.agent_id))}"))
            if talk.conversation.title:
                parts.append(("", f" · {safe(talk.conversation.title)}"))
            if agent is not None:
                parts.append(("", f" · {safe(agent.status_text or agent.status)}"))
        unread = self._model.unread_elsewhere()
        if unread:
            parts.append(("", f" · {unread} unread elsewhere"))
        if self._model.trouble:
            again = "reconnecting" if self._model.was_online else "connecting"
            parts.append(("class:trouble", f" · {again}… ({safe(self._model.trouble)[:60]})"))
        return parts

    def _news(self) -> StyleAndTextTuples:
        if self._model.notice:
            return [("class:notice", f" {safe(self._model.notice)}")]
        if self._body.above_bottom:
            return [("class:dim", f" {self._body.above_bottom} lines below · PageDown")]
        talk = self._model.talk
        if talk is not None and self._model.is_typing(self._actions.now()):
            return [("class:dim", f" {safe(self._model.agent_name(talk.agent_id))} is typing…")]
        return [("class:dim", f" {_HINT}")]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def _enter(_event: KeyPressEvent) -> None:
            text = self._buffer.text.strip()
            self._buffer.reset(append_to_history=bool(text))
            if text:
                self.to_bottom()
                self._actions.entered(text)

        @keys.add("escape", "enter")
        def _new_line(_event: KeyPressEvent) -> None:
            self._buffer.insert_text("\n")

        @keys.add("pageup")
        def _up(_event: KeyPressEvent) -> None:
            if self._body.scroll(1):
                self._actions.wants_older()

        @keys.add("pagedown")
        def _down(_event: KeyPressEvent) -> None:
            self._body.scroll(-1)

        @keys.add("c-c")
        @keys.add("c-d")
        def _leave(_event: KeyPressEvent) -> None:
            self.leave()

        return keys
