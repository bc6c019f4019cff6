"""Questions of an agent's runs that wait for their answers.

Knows which answer belongs to whom, whichever comes first. Knows nothing of how either travels.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import anyio
import msgspec

from amtrio.client.errors import Refused, Unreachable
from amtrio.client.events import Message
from amtrio.client.shapes import Option, Question

# Between two tries to look at a question while the server does not answer.
_LOOK_AGAIN_S: Final = 1.0
Fetch = Callable[[str], Awaitable[Message]]


class Questions:
    """
    Questions asked and not answered yet, by the id of the message that asks.

    Args:
        fetch: a message as it is now; asked where the log cannot tell what has become of a question.

    Attributes:
        gaps: how often the log could not tell everything.
    """

    def __init__(self, fetch: Fetch) -> None:
        self.gaps = 0
        self._fetch = fetch
        self._heard: dict[str, Question] = {}
        self._waiting: dict[str, anyio.Event] = {}
        self._asking = 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While in here, answers are kept: one may be there before the asker knows the id of its own message."""
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1
            if self._asking == 0:
                self._heard.clear()

    def missed(self) -> list[str]:
        """
        The log could not tell everything.

        Returns:
            Ids of messages to `look_at`: somebody waits for their answers. Whoever is just asking looks by itself.
        """
        self.gaps += 1
        return list(self._waiting)

    async def look_at(self, message_id: str) -> None:
        """Find out what has become of a question, over as many tries as it takes."""
        while message_id not in self._heard:
            try:
                question = (await self._fetch(message_id)).question
            except Refused as exc:
                if exc.retry == "no":
                    self.heard(message_id, Question(state="closed"))
                    return
            except Unreachable:
                pass
            else:
                self.heard(message_id, question or Question(state="closed"))
                return
            await anyio.sleep(_LOOK_AGAIN_S)

    def heard(self, message_id: str, question: Question) -> None:
        """News of a question: answered, expired or closed."""
        if self._asking and question.state != "open":
            self._heard[message_id] = question
            if message_id in self._waiting:
                self._waiting[message_id].set()

    async def wait(self, message_id: str) -> Question:
        """The question once it is not open any more. To be called within `asking`."""
        if message_id not in self._heard:
            self._waiting[message_id] = anyio.Event()
            try:
                await self._waiting[message_id].wait()
            finally:
                del self._waiting[message_id]
        return self._heard[message_id]


def question_fields(
    options: Sequence[str | Option], *, multiple: bool, free_text: bool, expires_in_s: float | None
) -> dict[str, Any]:
    """
    The field `question` of a message.

    A text among the options is its own label; its id is the text itself where that can be one.

    Raises:
        ValueError: two options have the same id, or there is none.
    """
    made = [each if isinstance(each, Option) else Option(id=_id_of(each, place), label=each)
            for place, each in enumerate(options)]  # fmt: skip
    if len({each.id for each in made}) < len(made):
        raise ValueError("two options have the same id")
    if not made:
        raise ValueError("a question needs at least one option, also where a text of one's own is an answer")
    fields: dict[str, Any] = {
        "options": [{name: value for name, value in msgspec.structs.asdict(each).items() if value is not None}
                    for each in made],
        "multiple": multiple,
        "free_text": free_text,
    }  # fmt: skip
    if expires_in_s is not None:
        fields["expires_in_s"] = max(1, round(expires_in_s))
    return fields


def _id_of(label: str, place: int) -> str:
    is_id = 0 < len(label) <= 64 and label.isascii() and all(each.isalnum() or each in "_.-" for each in label)  # noqa: PLR2004 - ids have 1 to 64 characters
    return label if is_id else f"option-{place + 1}"
