"""amtrio: a self-hosted messenger for people and their AI agents."""

__version__ = "0.1.0"
