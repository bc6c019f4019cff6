"""What may be typed."""

from __future__ import annotations

import pytest

from amtrio.cli.chat_commands import OWN, NoAnswer, chosen, completions, help_text, is_number
from amtrio.client import AgentInfo, Option, Question, SlashCommand

DEMO = AgentInfo(
    agent_id="demo",
    commands=[
        SlashCommand(name="help", description="what I can do"),
        SlashCommand(name="think", description="thinks", arguments="[WORDS]"),
    ],
)
COLOURS = Question(options=[Option(id="r", label="Red"), Option(id="g", label="Green"), Option(id="b", label="Blue")])


def test_help_names_every_command() -> None:
    assert all(f"/{command.name}" in help_text() for command in OWN)


def test_commands_of_both_are_completed() -> None:
    """
    Where both have one of the same name, that of the agent has two slashes.
    """
    assert completions("/th", DEMO) == [("/think", "[WORDS] · thinks")]
    assert [word for word, _ in completions("/he", DEMO)] == ["/help"]
    assert completions("//he", DEMO) == [("//help", "what I can do")]
    assert len(completions("/", DEMO)) == len(OWN) + 2
    assert len(completions("/", None)) == len(OWN)


@pytest.mark.parametrize("text", ["", "think", "/think ", "/think of\n", "see /th"])
def test_only_the_first_word_is_completed(text: str) -> None:
    assert completions(text, DEMO) == []


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("1 3", True), ("1,3", True), ("", False), ("1st", False), ("-1", False),
                           ("²", False), ("12345", False)]
)  # fmt: skip
def test_numbers_are_told_from_messages(text: str, *, expected: bool) -> None:
    """
    A long number is a message; nobody has so many options.
    """
    assert is_number(text) is expected


def test_a_number_or_a_label_chooses() -> None:
    """
    One of them, unless several may be chosen.
    """
    assert chosen(COLOURS, "2") == (["g"], None)
    assert chosen(COLOURS, "green") == (["g"], None)
    several = Question(options=COLOURS.options, multiple=True)
    assert chosen(several, "3, 1 3") == (["b", "r"], None)
    with pytest.raises(NoAnswer, match="only one"):
        chosen(COLOURS, "1 2")


def test_a_text_is_an_answer_where_one_is_wanted() -> None:
    """
    Otherwise it is said what would be.
    """
    free = Question(options=COLOURS.options, free_text=True)
    assert chosen(free, "none of them") == ([], "none of them")
    assert chosen(Question(free_text=True), "7") == ([], "7")
    for wrong in ("0", "4", "none of them", ""):
        with pytest.raises(NoAnswer, match="1 to 3"):
            chosen(COLOURS, wrong)
    with pytest.raises(NoAnswer, match="/answer TEXT"):
        chosen(free, "")
