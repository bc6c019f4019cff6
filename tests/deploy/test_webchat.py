"""Building the web client: only from what has changed, never half, and not at all where it cannot be."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.web_client import builds, make_sources

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "webchat.py"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with nothing in it but the script and a web client."""
    (tmp_path / "amtrio").mkdir()
    (tmp_path / "deploy").mkdir()
    shutil.copy(SCRIPT, tmp_path / "deploy")
    make_sources(tmp_path)
    monkeypatch.setenv("BUILDS", str(tmp_path / "builds"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.delenv("AMTRIO_WEBCHAT", raising=False)
    return tmp_path


def loaded(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("webchat", root / "deploy" / "webchat.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(root / "deploy" / "webchat.py"), *args]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def test_it_is_built_once_and_again_after_a_change(root: Path) -> None:
    """By the pinned Node; what tools leave behind and tests are no change, and the checkout stays as it was."""
    before = sorted(path.name for path in (root / "webchat").rglob("*"))
    done = run(root)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    result = root / "amtrio" / "webchat"
    version = loaded(root).NODE.partition("==")[2]
    assert (result / "assets" / "app-1234abcd.js").read_text() == f'console.log("v{version}")'
    assert sorted(path.name for path in (root / "webchat").rglob("*")) == before
    for name in ("node_modules/x/index.js", "test/app.test.ts", "sdk/dist/index.js", ".cache"):
        (root / "webchat" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "webchat" / name).write_text("changed")
    again = run(root)
    assert (again.returncode, again.stdout, again.stderr, builds(root)) == (0, "", "", 1)
    (root / "webchat" / "index.html").write_text("<!doctype html>two")
    assert run(root).returncode == 0
    assert (builds(root), (result / "index.html").read_text()) == (2, "<!doctype html>two")


def test_a_build_that_fails_leaves_the_last_one(root: Path) -> None:
    """It says what failed; whoever can do without goes on."""
    assert run(root).returncode == 0
    (root / "webchat" / "build.mjs").write_text("process.exit(3)")
    failed = run(root)
    assert failed.returncode == 1
    assert "`npm run build` failed" in failed.stderr
    optional = run(root, "--optional")
    assert optional.returncode == 0
    assert "going on without the new one" in optional.stderr
    (root / "webchat" / "build.mjs").write_text("")
    assert "left no dist/index.html" in run(root).stderr
    (root / "webchat" / "package-lock.json").unlink()
    assert "`npm ci --omit=dev" in run(root).stderr
    assert (root / "amtrio" / "webchat" / "index.html").read_text() == "<!doctype html>one"


def test_without_sources_there_is_nothing_to_do(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, an SDK alone, an unpacked sdist, or a build that is switched off: all well, and nothing is fetched."""
    module = loaded(root)
    assert module.stale(root) is not None
    (root / "PKG-INFO").write_text("")
    assert module.stale(root) is None
    (root / "PKG-INFO").unlink()
    monkeypatch.setenv("AMTRIO_WEBCHAT", "0")
    assert module.stale(root) is None
    monkeypatch.delenv("AMTRIO_WEBCHAT")
    (root / "webchat" / "index.html").unlink()
    assert module.stale(root) is None
    shutil.rmtree(root / "webchat")
    assert module.stale(root) is None
    done = run(root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (root / "amtrio" / "webchat").exists()


def test_half_a_copy_is_taken_for_none(root: Path) -> None:
    """The mark of a build is written last."""
    assert run(root).returncode == 0
    (root / "amtrio" / "webchat" / ".stamp").unlink()
    (root / "amtrio" / "webchat" / "index.html").unlink()
    assert run(root).returncode == 0
    assert (builds(root), (root / "amtrio" / "webchat" / "index.html").exists()) == (2, True)


def test_wrong_usage_is_told(root: Path) -> None:
    assert "usage" in run(root, "--maybe").stderr


def test_the_pin_of_node_is_one() -> None:
    """The script has to name it before there is a parser of TOML; it is that of pyproject.toml."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    node = loaded(ROOT).NODE
    assert groups["webchat"] == [node]
    assert [each.partition(" ;")[0] for each in groups["dev"] if each.startswith("nodejs")] == [node]
