"""How `amtrio chat` looks: a header, the conversation or the list of agents, a line of news, and where one types.

Knows prompt-toolkit, Rich and the model. Knows no connection: what the person does goes to functions it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    CompletionsMenu,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style

from amtrio.cli.chat_body import Body
from amtrio.cli.chat_commands import completions
from amtrio.cli.chat_drawing import one_line, safe
from amtrio.cli.chat_model import ChatModel
from amtrio.cli.chat_runs import LiveRun

# 20 pictures a second: text that is being written seems to flow, and a slow terminal keeps up.
DRAW_AGAIN_S: Final = 0.05
# Of all time, at most a third goes into drawing, whatever has to be drawn on whatever machine.
_PAUSE_PER_PICTURE: Final = 2.0
_STYLE = Style.from_dict(
    {
        "bar": "reverse",
        "trouble": "bold fg:ansired",
        "notice": "fg:ansiyellow",
        "dim": "fg:ansigray",
        "completion-menu": "bg:ansibrightblack fg:ansiwhite",
        "completion-menu.completion.current": "bg:ansiwhite fg:ansiblack",
        "completion-menu.meta.completion": "bg:ansibrightblack fg:ansigray",
        "completion-menu.meta.completion.current": "bg:ansiwhite fg:ansiblack",
    }
)
_HINT = "Enter sends · Alt+Enter new line · PageUp older · Tab completes /commands · /help"


@dataclass(frozen=True, slots=True)
class Actions:
    """What the person did. `now` gives seconds of a monotonic clock."""

    entered: Callable[[str], None]
    interrupted: Callable[[], None]
    wants_older: Callable[[], None]
    typed: Callable[[str], None]
    now: Callable[[], float]


class _Commands(Completer):
    """Completes words that begin with a slash."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        del complete_event
        text = document.text_before_cursor
        for word, description in completions(text, self._model.agent):
            yield Completion(word, start_position=-len(text), display_meta=one_line(description))


class Screen:
    """The whole of it; `run()` until the person leaves or `leave()` is called."""

    def __init__(
        self, model: ChatModel, actions: Actions, *, source: Input | None = None, output: Output | None = None
    ) -> None:
        self._model = model
        self._actions = actions
        self._is_told_to_leave = False
        self._body = Body(model)
        self._buffer = Buffer(
            multiline=True,
            completer=_Commands(model),
            complete_while_typing=False,
            on_text_changed=lambda buffer: actions.typed(buffer.text),
        )
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
                Window(
                    FormattedTextControl(self._news),
                    height=Dimension(min=1, max=12),
                    wrap_lines=True,
                    dont_extend_height=True,
                ),
                prompt,
            ]
        )
        menu = Float(CompletionsMenu(max_height=10, scroll_offset=1), xcursor=True, ycursor=True)
        self.app: Application[None] = Application(
            layout=Layout(FloatContainer(layout, [menu]), focused_element=prompt),
            key_bindings=self._keys(),
            style=_STYLE,
            full_screen=True,
            refresh_interval=1.0,  # typing marks end by themselves
            min_redraw_interval=DRAW_AGAIN_S,
            input=source,
            output=output,
        )

        self._drawing_since = 0.0
        self.app.before_render += self._begin_picture
        self.app.after_render += self._end_picture

    def _begin_picture(self, _app: object) -> None:
        self._drawing_since = self._actions.now()

    def _end_picture(self, _app: object) -> None:
        took_s = self._actions.now() - self._drawing_since
        self.app.min_redraw_interval = max(DRAW_AGAIN_S, took_s * _PAUSE_PER_PICTURE)

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

    def typed(self) -> str:
        """What stands where one types."""
        return self._buffer.text

    def news(self) -> str:
        """What stands in the lines below it."""
        return "".join(part[1] for part in self._news())

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
            return [("class:notice", "\n".join(f" {line}" for line in safe(self._model.notice).splitlines()))]
        news = [self._doing()]
        if self._body.above_bottom:
            news.append(f"{self._body.above_bottom} lines below · PageDown")
        return [("class:dim", f" {' · '.join(filter(None, news)) or _HINT}")]

    def _doing(self) -> str:
        """What the agent on the screen does right now."""
        talk, run = self._model.talk, self._model.newest_run()
        if talk is None:
            return ""
        name = one_line(self._model.agent_name(talk.agent_id))
        if run is not None:
            return self._answering(run, name)
        return f"{name} is typing…" if self._model.is_typing(self._actions.now()) else ""

    def _answering(self, run: LiveRun, name: str) -> str:
        """What is to be said of an answer that is being written."""
        agent = self._model.agent
        if self._model.trouble:
            return "the answer goes on when the connection is back"
        if run.stop == "unresponsive":
            return f"{name} does not answer; the server ends it within 15 seconds · Ctrl-D leaves"
        if run.stop:
            return "stopping…"
        if agent is not None and not agent.online:
            return f"{name} is away; the answer waits a while for its return · Ctrl-C ends it"
        if run.steer == "unresponsive":
            return f"{name} has not heard what you said into the answer"
        ways = ["Ctrl-C stops", "/steer TEXT speaks into it" if agent is not None and "steer" in agent.supports else ""]
        return " · ".join(filter(None, [one_line(run.view.status or "") or f"{name} writes", *ways]))

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def _enter(_event: KeyPressEvent) -> None:
            text = self._buffer.text.strip()
            self._buffer.cancel_completion()
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

        @keys.add("tab")
        def _complete(_event: KeyPressEvent) -> None:
            if self._buffer.complete_state:
                self._buffer.complete_next()
            else:
                self._buffer.start_completion(insert_common_part=True)

        @keys.add("s-tab")
        def _complete_back(_event: KeyPressEvent) -> None:
            self._buffer.complete_previous()

        @keys.add("c-c")
        def _interrupt(_event: KeyPressEvent) -> None:
            self._actions.interrupted()

        @keys.add("c-d")
        def _leave(_event: KeyPressEvent) -> None:
            self.leave()

        return keys
