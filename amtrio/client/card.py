"""What an agent says about itself: name, what it can do, which commands it knows.

Knows the shapes of the command `card` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amtrio.client.shapes import SlashCommand

# What `Agent` does for every handler. "steer" and "attachments" are the handler's own doing.
ALWAYS_SUPPORTED = ("stop", "queue", "questions")


@dataclass(frozen=True, slots=True)
class Card:
    """
    An agent's description of itself, shown to people. What is None stays as the server has it.

    Attributes:
        name, model, personality, specialty, description: one line each; description may be longer.
        supports: `stop`, `queue`, `questions`, which `Agent` does for you; add `steer` if your handler reads
            `run.steering()`, `attachments` if it looks at files.
        commands: shown while people type.
        capabilities: what it can do, in a few words each.
    """

    name: str | None = None
    model: str | None = None
    personality: str | None = None
    specialty: str | None = None
    description: str | None = None
    supports: Sequence[str] = ALWAYS_SUPPORTED
    commands: Sequence[SlashCommand] = ()
    capabilities: Sequence[str] = ()

    def fields(self) -> dict[str, Any]:
        """The data of the command `card`."""
        return {
            "name": self.name,
            "model": self.model,
            "personality": self.personality,
            "specialty": self.specialty,
            "description": self.description,
            "supports": list(self.supports),
            "commands": [
                {"name": each.name, "description": each.description}
                | ({"arguments": each.arguments} if each.arguments else {})
                for each in self.commands
            ],
            "capabilities": list(self.capabilities),
        }
