"""`amtrio config`: the settings in force, with secrets masked and where each value came from.

Knows the tree of settings and rich. Knows nothing of how settings are read.
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from amtrio.config import SETTINGS, Loaded


def print_config(loaded: Loaded, console: Console, /) -> None:
    """Print one table per section; whatever is not the default stands out. Values are printed as they would be read."""
    console.print(f"Settings file: {loaded.file or 'none'}", markup=False, highlight=False, soft_wrap=True)
    tables: dict[str, Table] = {}
    for setting in SETTINGS.values():
        section, _, name = setting.name.partition(".")
        if section not in tables:
            tables[section] = _table()
        value = setting.kind.show(getattr(getattr(loaded.config, section), name))
        source = loaded.sources[setting.name]
        style = "" if source == "default" else "bold"
        # Text, not str: a value with [brackets] in it is no markup. Folded, not cut: a path is of use only as a whole.
        tables[section].add_row(
            Text(name, style=style),
            Text(value or "(not set)", style=style if value else "dim", overflow="fold"),
            Text(source, style=style or "dim", overflow="fold"),
            Text(setting.about, style="dim"),
        )
    for section, table in tables.items():
        console.print()
        console.print(Text(f"[{section}]", style="bold cyan"))
        console.print(table)
    for warning in loaded.warnings:
        console.print()
        console.print(Text(f"Warning: {warning}", style="yellow"))


def _table() -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(min_width=28, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_column()
    return table
