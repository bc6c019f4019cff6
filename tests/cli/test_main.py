"""`amtrio` as a program: help, version, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from amtrio import __version__


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "amtrio", *arguments],
        cwd=cwd, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_it_says_its_version(tmp_path: Path) -> None:
    done = run("version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"amtrio {__version__}\n")


def test_help_names_every_command(tmp_path: Path) -> None:
    """Bare `amtrio` shows it as well, as the answer to wrong arguments."""
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("serve", "chat", "demo-agent", "user", "agent", "invite", "audit", "config", "version"):
        assert command in done.stdout
    assert run(cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("arguments", [["dance"], ["serve", "--port", "x"], ["user"], ["user", "add"], ["--no-such"]])
def test_wrong_arguments_are_2(tmp_path: Path, arguments: list[str]) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_bad_setting_is_1_and_names_it(tmp_path: Path) -> None:
    """Name and rule, never a traceback."""
    done = run("serve", cwd=tmp_path, PORT="many")
    assert done.returncode == 1
    assert "PORT" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing was made"


def test_looking_at_the_settings_makes_nothing(tmp_path: Path) -> None:
    done = run("config", cwd=tmp_path, JWT_SECRET="a secret that must not be shown, ever")
    assert done.returncode == 0, done.stderr
    assert "must not be shown" not in done.stdout
    assert list(tmp_path.iterdir()) == []
