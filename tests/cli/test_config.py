"""`amtrio config` shows everything and betrays nothing."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from amtrio.cli.config import print_config
from amtrio.config import SETTINGS, load


def printed(environ: dict[str, str], cwd: Path, *, width: int = 250) -> str:
    out = io.StringIO()
    print_config(load({}, environ, cwd), Console(file=out, width=width))
    return out.getvalue()


def test_every_setting_with_its_source(tmp_path: Path) -> None:
    """
    Each setting has its line, and the line says where the value came from.
    """
    shown = printed({"PORT": "9000"}, tmp_path)
    for name in SETTINGS:
        assert f"\n{name.partition('.')[2]} " in shown
    (port,) = (line for line in shown.splitlines() if line.startswith("port "))
    assert port.split()[:4] == ["port", "9000", "environment", "PORT"]
    assert "Settings file: none" in shown


def test_secrets_are_masked(tmp_path: Path) -> None:
    """
    Neither a configured nor a generated secret is on the screen, nor its length.
    """
    configured = "correct-horse-battery-staple-0123456789"
    shown = printed({"JWT_SECRET": configured, "VAPID_PRIVATE_KEY": configured}, tmp_path)
    generated = load({}, {"JWT_SECRET": configured}, tmp_path).config.secrets.agent.reveal()
    assert configured not in shown
    assert generated not in shown
    assert len([line for line in shown.splitlines() if " *** " in line]) == 4


def test_brackets_are_no_markup_and_nothing_is_cut(tmp_path: Path) -> None:
    """
    A value is shown as it is, on a narrow terminal on several lines.
    """
    name = "[bold]" + "x" * 100
    shown = printed({"AMTRIO_OTEL_SERVICE_NAME": name}, tmp_path, width=80)
    assert "[bold]" in shown
    assert shown.count("x") >= 100


def test_warnings_are_shown(tmp_path: Path) -> None:
    """
    What the loader found odd is told here too.
    """
    assert "Warning: PROFILING_DIR means nothing to this server" in printed({"PROFILING_DIR": "x"}, tmp_path)
