"""Figures with their spread, as a table for people and as JSON for programs.

Knows nothing of how they were measured.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One thing measured several times.

    Attributes:
        values: one per window, in `unit`.
    """

    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one; NaN if there is none."""
        return statistics.median(self.values) if self.values else math.nan

    def shown(self) -> str:
        """Median, and the least and the most in parentheses if there are several."""
        middle = rounded(self.median)
        if len(self.values) < 2:
            return middle
        return f"{middle} ({rounded(min(self.values))}-{rounded(max(self.values))})"


@dataclass
class Result:
    """What one scenario found."""

    scenario: str
    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, unit: str, *values: float) -> None:
        """Keep one figure."""
        self.figures.append(Figure(name, unit, values))


def rounded(value: float) -> str:
    """Three digits that count, in digits that people read."""
    if math.isnan(value):
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all is at or below; NaN if there is none. Nearest rank."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def show(console: Console, machine: dict[str, Any], results: Iterable[Result]) -> None:
    """Print the tables."""
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), style="dim")
    table = Table("scenario", "figure", "median (min-max)", "unit", title="amtrio, measured on this machine")
    table.columns[2].justify = "right"
    for result in results:
        table.add_section()
        for number, figure in enumerate(result.figures):
            table.add_row(result.scenario if number == 0 else "", figure.name, figure.shown(), figure.unit)
    console.print(table)


def as_json(machine: dict[str, Any], results: Iterable[Result]) -> dict[str, Any]:
    """The same for programs, with every window."""
    return {
        "machine": machine,
        "results": [
            {
                "scenario": result.scenario,
                "figures": [
                    {"name": each.name, "unit": each.unit, "median": each.median, "values": list(each.values)}
                    for each in result.figures
                ],
            }
            for result in results
        ],
    }
