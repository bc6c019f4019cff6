"""The installer behind `make`: quick when there is nothing to do, and plain about what is missing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "install.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder with lock files, the script, and an environment whose Python is ours."""
    for name, content in {
        "requirements.lock": "run\n",
        "requirements-dev.lock": "dev\n",
        "pyproject.toml": "",
        "deploy/install.py": SCRIPT.read_text(),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def loaded(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", root / "deploy" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(root / "deploy" / "install.py"), *args]
    return subprocess.run(program, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("installed", "wanted"), [("run", "run"), ("dev", "dev"), ("dev", "run")])
def test_an_environment_that_fits_is_left_alone(root: Path, installed: str, wanted: str) -> None:
    """
    The second start installs nothing and says nothing; what the tests need includes what a start needs.
    """
    stamp = root / ".venv" / "amtrio-installed"
    stamp.write_text(loaded(root).digest(installed) + "\n")
    done = run(root, wanted)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_another_lock_file_is_another_environment(root: Path) -> None:
    """
    A changed pin or a changed pyproject.toml leads to another digest, and so does the kind.
    """
    seen = [loaded(root).digest("run"), loaded(root).digest("dev")]
    (root / "requirements.lock").write_text("run 2\n")
    seen.append(loaded(root).digest("run"))
    (root / "pyproject.toml").write_text("x = 1\n")
    seen.append(loaded(root).digest("run"))
    assert len(set(seen)) == len(seen)


def test_an_environment_whose_python_is_gone_is_not_usable(root: Path) -> None:
    """
    A removed interpreter leaves a dangling link behind.
    """
    assert loaded(root).is_usable()
    python = root / ".venv" / "bin" / "python"
    python.unlink()
    assert not loaded(root).is_usable()
    python.symlink_to("/nowhere/python")
    assert not loaded(root).is_usable()


def test_wrong_usage_is_told(root: Path) -> None:
    """
    Anything but run or dev is a mistake.
    """
    assert "usage" in run(root).stderr
    assert run(root, "everything").returncode == 1


def test_a_python_without_ensurepip_is_told_what_to_install(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Debian's bare python3 cannot make environments; the message names the package.
    """
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SystemExit, match=r"python3\.\d+-venv"):
        installer_without_ensurepip(root)


def installer_without_ensurepip(root: Path) -> None:
    module = ModuleType("install")
    module.__dict__["__file__"] = str(root / "deploy" / "install.py")
    exec(compile(SCRIPT.read_text(), "install.py", "exec"), module.__dict__)
    module.__dict__["create"]()
