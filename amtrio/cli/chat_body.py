"""The part of the screen that scrolls: the conversation and below it what is being written, or the list of agents.

Knows the model and what has been drawn already. Knows nothing of keys and of the rest of the screen.
"""

from __future__ import annotations

from prompt_toolkit.layout import UIContent, UIControl

from amtrio.cli.chat_blocks import Blocks
from amtrio.cli.chat_drawing import (
    Fragments,
    agent_lines,
    live_head,
    markdown_lines,
    message_lines,
    part_lines,
)
from amtrio.cli.chat_model import ChatModel, Line
from amtrio.cli.chat_runs import LiveRun
from amtrio.client import PartView


class _GrowingText:
    """One text: what is settled of it is drawn once."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._blocks = Blocks()
        self._rows: Fragments = []
        self._drawn = 0

    def lines(self, text: str) -> Fragments:
        if not self._blocks.grow(text):
            self._rows, self._drawn = [], 0
        for block in self._blocks.done[self._drawn :]:
            self._rows += markdown_lines(block, self._width)
        self._drawn = len(self._blocks.done)
        return self._rows + markdown_lines(self._blocks.rest, self._width)


class LivePicture:
    """One answer that grows: only what has changed is drawn anew."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._parts: dict[int, tuple[PartView, int, object, Fragments]] = {}
        self._texts: dict[int, _GrowingText] = {}

    def lines(self, run: LiveRun, name: str) -> Fragments:
        shown = live_head(run, name, self.width)
        for part in run.view.parts:
            shown += self._part(part)
        return [*shown, []]

    def _part(self, part: PartView) -> Fragments:
        # Texts only grow, and meta is replaced as a whole; a picture of the whole brings other parts.
        known = self._parts.get(part.part)
        if known is not None and known[0] is part and known[1] == part.length and known[2] is part.meta:
            return known[3]
        if part.kind == "text":
            made = self._texts.setdefault(part.part, _GrowingText(self.width)).lines(part.text)
        else:
            made = part_lines(part, self.width, is_live=True)
        self._parts[part.part] = (part, part.length, part.meta, made)
        return made


class Body(UIControl):
    """
    Attributes:
        above_bottom: how many lines are hidden below; 0 follows what comes in.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._drawn: dict[str, tuple[Line, int, Fragments]] = {}
        self._settled: Fragments = []
        self._settled_for: tuple[str | None, int, int] = (None, -1, 0)
        self._live: dict[str, LivePicture] = {}
        self._live_rows = 0
        self._last: tuple[str | None, str] = (None, "")
        self.above_bottom = 0
        self.height = 1
        self.total = 0

    def lines(self, width: int) -> Fragments:
        model = self._model
        if model.talk is None:
            return agent_lines(model, width)
        live_before, self._live_rows = self._live_rows, 0
        settled_for = (model.current, model.revision, width)
        news = 0
        if settled_for != self._settled_for:
            news = self._settle(width)
            self._settled_for = settled_for
        live = self._draw_live(width)
        self._live_rows = len(live)
        if self.above_bottom:
            # Who has scrolled up must not be moved by what comes in below.
            self.above_bottom = max(0, self.above_bottom + news + self._live_rows - live_before)
        return self._settled + live

    def _settle(self, width: int) -> int:
        """
        Draw the messages: Markdown is slow, and most of them look as they did a moment ago.

        Returns:
            How many rows there are below the message that was last until now.
        """
        shown = self._model.lines()
        self._drawn = {line.key: (line, width, self._draw(line, width)) for line in shown}
        self._settled = [row for _, _, rows in self._drawn.values() for row in rows]
        keys = list(self._drawn)
        talk_id, key = self._last
        is_same = talk_id == self._model.current and key in self._drawn
        self._last = (self._model.current, keys[-1] if keys else "")
        return sum(len(self._drawn[each][2]) for each in keys[keys.index(key) + 1 :]) if is_same else 0

    def _draw(self, line: Line, width: int) -> Fragments:
        known = self._drawn.get(line.key)
        if known is not None and known[0] == line and known[1] == width:
            return known[2]
        return message_lines(line, width)

    def _draw_live(self, width: int) -> Fragments:
        runs = self._model.live()
        self._live = {run.run_id: self._picture(run.run_id, width) for run in runs}
        return [
            row for run in runs for row in self._live[run.run_id].lines(run, self._model.agent_name(run.view.agent_id))
        ]

    def _picture(self, run_id: str, width: int) -> LivePicture:
        known = self._live.get(run_id)
        return known if known is not None and known.width == width else LivePicture(width)

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
