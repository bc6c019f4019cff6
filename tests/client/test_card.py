"""What an agent says about itself."""

from __future__ import annotations

from amtrio.client.card import Card
from amtrio.client.shapes import SlashCommand


def test_a_card_says_what_every_agent_supports() -> None:
    """
    Stop, queue and questions are the library's doing.
    """
    fields = Card(name="Helper").fields()
    assert (fields["name"], fields["model"], fields["supports"]) == ("Helper", None, ["stop", "queue", "questions"])


def test_arguments_of_a_command_are_told_where_there_are_any() -> None:
    """
    In the order given.
    """
    card = Card(commands=[SlashCommand("now", "tells the time"), SlashCommand("in", "reminds", "MINUTES TEXT")])
    assert card.fields()["commands"] == [
        {"name": "now", "description": "tells the time"},
        {"name": "in", "description": "reminds", "arguments": "MINUTES TEXT"},
    ]
