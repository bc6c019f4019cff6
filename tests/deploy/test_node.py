"""Checking the web client: by the pinned Node, its packages as the lock file has them, loud about what is left out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web_client import builds, make_sources

ROOT = Path(__file__).resolve().parents[2]
NOTE = "require('fs').appendFileSync(process.env.BUILDS, '{} ' + process.version + '\\n')"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the scripts and a web client whose checks write down that they ran."""
    (tmp_path / "deploy").mkdir()
    for name in ("node.py", "webchat.py"):
        shutil.copy(ROOT / "deploy" / name, tmp_path / "deploy")
    source = make_sources(tmp_path)
    for name in ("lint", "typecheck", "test", "e2e"):
        (source / f"{name}.cjs").write_text(NOTE.format(name))
    package = json.loads((source / "package.json").read_text())
    package["scripts"] = {name: f"node {name}.cjs" for name in ("lint", "typecheck", "test", "e2e")}
    (source / "package.json").write_text(json.dumps(package))
    monkeypatch.setenv("BUILDS", str(tmp_path / "builds"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("CHROMIUM", sys.executable)
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def run(root: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(root / "deploy" / "node.py"), *args]
    return subprocess.run(program, capture_output=True, text=True, check=False, env={**os.environ, **env})


def ran(root: Path) -> list[str]:
    return [line.split()[0] for line in (root / "builds").read_text().splitlines()] if builds(root) else []


def installs(done: subprocess.CompletedProcess[str]) -> bool:
    return "npm ci" in done.stderr


def test_each_word_runs_its_scripts_with_the_pinned_node(root: Path) -> None:
    """Lint before the tests, and the tests in a browser last."""
    assert run(root, "lint").returncode == 0
    assert run(root, "test").returncode == 0
    assert ran(root) == ["lint", "typecheck", "test", "e2e"]
    assert {line.split()[1] for line in (root / "builds").read_text().splitlines()} == {"v24.19.0"}


def test_packages_are_installed_when_the_lock_file_changed_and_not_again(root: Path) -> None:
    assert installs(run(root, "lint"))
    assert not installs(run(root, "lint"))
    lock = root / "webchat" / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    assert installs(run(root, "test"))
    assert not installs(run(root, "test"))


def test_an_installation_that_failed_is_tried_again(root: Path) -> None:
    lock = root / "webchat" / "package-lock.json"
    text = lock.read_text()
    lock.unlink()
    failed = run(root, "lint")
    assert failed.returncode == 1
    assert "`npm ci" in failed.stderr
    lock.write_text(text)
    assert installs(again := run(root, "lint"))
    assert again.returncode == 0


def test_a_check_that_fails_stops_the_rest(root: Path) -> None:
    (root / "webchat" / "test.cjs").write_text("process.exit(3)")
    failed = run(root, "test")
    assert failed.returncode == 1
    assert "`npm run test` failed" in failed.stderr
    assert ran(root) == []


def test_without_a_browser_its_tests_are_skipped_loudly_and_fail_where_all_must_run(root: Path) -> None:
    away = {"CHROMIUM": "/nowhere/chromium"}
    done = run(root, "test", **away)
    assert done.returncode == 0
    assert "THE TESTS IN A BROWSER ARE SKIPPED" in done.stderr
    assert ran(root) == ["test"]
    failed = run(root, "test", CI="true", **away)
    assert failed.returncode == 1
    assert "no Chromium" in failed.stderr


def test_wrong_usage_is_told(root: Path) -> None:
    assert "usage" in run(root).stderr
    assert run(root, "everything").returncode == 1


def test_the_browsers_looked_for_are_those_that_the_tests_start() -> None:
    """Two programs of two languages look for it; they must find the same one."""
    script = (ROOT / "deploy" / "node.py").read_text()
    harness = (ROOT / "webchat" / "e2e" / "harness" / "chromium.ts").read_text()
    names = harness.partition("const NAMES = [")[2].partition("]")[0]
    assert f"BROWSERS = ({names})" in script
