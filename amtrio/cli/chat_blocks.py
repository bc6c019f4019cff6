"""A text that grows, cut into blocks: all but the last stay as they are, so that they are drawn once.

Pure. Knows where Markdown may be cut without much harm. Knows nothing of drawing.
"""

from __future__ import annotations

from typing import Final

# Code points: about half a screen; drawing one takes a few milliseconds. A block ends at the first empty line behind
# the first number that is in no code, else with the first line behind the second one, else at the third one.
_PARAGRAPH_AFTER: Final = 1000
_LINE_AFTER: Final = 2000
_AT_MOST: Final = 3000
_FENCES: Final = ("```", "~~~")


class Blocks:
    """
    Cut so, a list or a table may look a little different than in one piece; for what still grows that is near enough.

    Attributes:
        done: blocks that will not change. rest: what comes after them, and may.
    """

    def __init__(self) -> None:
        self.done: list[str] = []
        self.rest = ""
        self._text = ""
        self._begin = 0
        self._fence = ""  # the line that opened the code in which the last block ended

    def grow(self, text: str) -> bool:
        """
        Take the whole text as it is now.

        Returns:
            False: it is another text, and begins with other blocks.
        """
        is_same = text.startswith(self._text)
        if not is_same:
            self.done, self._begin, self._fence = [], 0, ""
        self._text = text
        while (cut := self._cut()) is not None:
            end, fence = cut
            self.done.append(self._fence + text[self._begin : end])
            self._begin, self._fence = end, fence
        self.rest = self._fence + text[self._begin :]
        return is_same

    def _cut(self) -> tuple[int, str] | None:
        """Where the next block ends, and the code that goes on there; None if that is not decided yet."""
        at, fence = self._begin, self._fence
        limit = self._begin + _AT_MOST
        while (end := self._text.find("\n", at, limit)) >= 0:
            line = self._text[at:end].strip()
            at = end + 1
            if line.startswith(_FENCES):
                fence = "" if fence else f"{line}\n"
            length = at - self._begin
            if length > _LINE_AFTER or (length > _PARAGRAPH_AFTER and not line and not fence):
                return at, fence
        if len(self._text) < limit:
            return None
        space = self._text.rfind(" ", self._begin + _LINE_AFTER, limit)
        return (limit if space < 0 else space + 1), fence
