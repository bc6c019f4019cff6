"""What a person may type in `amtrio chat` besides messages: commands, how they are completed, answers to questions.

Knows words only. What they lead to stands in `chat_session`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from amtrio.client import AgentInfo, Question, SlashCommand

OWN: Final = (
    SlashCommand(name="agents", description="shows the list of agents"),
    SlashCommand(name="switch", description="talks with another agent", arguments="NAME"),
    SlashCommand(name="new", description="begins a conversation with a title", arguments="TITLE"),
    SlashCommand(name="edit", description="changes your last message", arguments="TEXT"),
    SlashCommand(name="delete", description="deletes your last message"),
    SlashCommand(name="steer", description="says something into the answer that is being written", arguments="TEXT"),
    SlashCommand(name="withdraw", description="takes back the last message that is queued"),
    SlashCommand(name="answer", description="answers a question; the number alone does, too", arguments="N or TEXT"),
    SlashCommand(name="quit", description="leaves, as Ctrl-D does"),
    SlashCommand(name="help", description="shows this"),
)
_OWN_NAMES: Final = frozenset(command.name for command in OWN)


class NoAnswer(Exception):
    """What was typed answers nothing; the text says why."""


def help_text() -> str:
    """All commands of this program, and how to reach those of the agent."""
    lines = [f"/{' '.join(filter(None, (each.name, each.arguments))):<18} {each.description}" for each in OWN]
    return "\n".join([*lines, "Tab completes. //help asks the agent. Ctrl-C stops what is being written."])


def completions(text: str, agent: AgentInfo | None) -> list[tuple[str, str]]:
    """
    What a word may become that begins with a slash, with a description each.

    A command of the agent that this program has too is reached by a second slash.
    """
    if not text.startswith("/") or any(each.isspace() for each in text):
        return []
    theirs = agent.commands if agent is not None else []
    known = [(f"/{each.name}", each) for each in OWN]
    known += [(f"//{each.name}" if each.name in _OWN_NAMES else f"/{each.name}", each) for each in theirs]
    return [
        (word, " · ".join(filter(None, (each.arguments, each.description))))
        for word, each in known
        if word.startswith(text)
    ]


def is_number(text: str) -> bool:
    """Numbers and what may stand between several of them."""
    return bool(_numbers(text))


def chosen(question: Question, text: str) -> tuple[list[str], str | None]:
    """
    What a text says to a question.

    Returns:
        The ids of the options, or a text of one's own.

    Raises:
        NoAnswer: no such option, too many of them, or no text is wanted.
    """
    numbers = _numbers(text)
    if question.options and numbers:
        return _options(question, numbers), None
    if not text:
        raise NoAnswer(_wanted(question))
    labels = [option.id for option in question.options if option.label.casefold() == text.casefold()]
    if labels:
        return labels[:1], None
    if not question.free_text:
        raise NoAnswer(_wanted(question))
    return [], text


def _options(question: Question, numbers: Sequence[int]) -> list[str]:
    if any(not 1 <= number <= len(question.options) for number in numbers):
        raise NoAnswer(_wanted(question))
    if len(set(numbers)) > 1 and not question.multiple:
        raise NoAnswer("only one of them can be chosen")
    return [question.options[number - 1].id for number in dict.fromkeys(numbers)]


def _numbers(text: str) -> list[int]:
    words = text.replace(",", " ").split()
    # Nobody has a number of more digits; int() would take its time.
    are_numbers = all(word.isascii() and word.isdecimal() and len(word) < 4 for word in words)  # noqa: PLR2004
    return [int(word) for word in words] if are_numbers else []


def _wanted(question: Question) -> str:
    ways = [f"a number from 1 to {len(question.options)}"] if question.options else []
    return "answer with " + " or ".join([*ways, "/answer TEXT"] if question.free_text else ways)
