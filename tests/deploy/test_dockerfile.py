"""The build of the container image as far as it can be followed without Docker: what goes in, and the web chat."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.web_client import builds, make_sources

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"


def stages() -> dict[str, list[list[str]]]:
    """The words of each instruction, by the name of its stage; the last stage has none."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
    found: dict[str, list[list[str]]] = {}
    name = "before"
    for line in text.splitlines():
        words = line.split()
        if words and words[0] == "FROM":
            name = words[-1] if words[-2] == "AS" else ""
        if words and not words[0].startswith("#"):
            found.setdefault(name, []).append(words)
    return found


def copied(name: str) -> list[tuple[str, str]]:
    """What a stage takes from the checkout, and where it puts it, relative to its folder of work."""
    pairs: list[tuple[str, str]] = []
    for words in stages()[name]:
        if words[0] == "COPY" and not words[1].startswith("--from"):
            target = words[-1]
            pairs += [
                (source, f"{target}{Path(source).name}" if target.endswith("/") else target) for source in words[1:-1]
            ]
    return pairs


def is_sent(path: str) -> bool:
    """Whether Docker is handed a file: of the patterns that match it or a folder above it, the last counts."""
    sent = True
    places = [path, *(parent.as_posix() for parent in Path(path).parents if parent != Path())]
    for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
            if any(re.fullmatch(pattern, place) for place in places):
                sent = line.startswith("!")
    return sent


def test_every_stage_is_given_what_it_copies() -> None:
    """It is in the checkout, and Docker is handed it; what else is in there stays out."""
    for name in ("webchat", "build"):
        for source, _ in copied(name):
            assert (ROOT / source).exists(), source
            assert is_sent(source), source
    for path in ("webchat/package-lock.json", "webchat/src/app/main.ts", "webchat/sdk/src/client.ts", "amtrio/app.py"):
        assert is_sent(path), path
    for path in (
        "data/amtrio.db",
        ".git/config",
        "deploy/.env",
        "amtrio/webchat/index.html",
        "amtrio/__pycache__/app.pyc",
        "webchat/node_modules/x/index.js",
        "webchat/sdk/node_modules/x/index.js",
        "webchat/sdk/dist/index.js",
        "webchat/dist/index.html",
    ):
        assert not is_sent(path), path


@pytest.mark.parametrize(("switch", "files"), [("1", {"index.html", ".stamp", "assets"}), ("0", set())])
def test_the_stage_of_the_web_chat_makes_it_from_what_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str, files: set[str]
) -> None:
    """Or leaves an empty folder, which the next stage copies as well."""
    checkout, work = tmp_path / "checkout", tmp_path / "src"
    checkout.mkdir()
    shutil.copytree(DEPLOY, checkout / "deploy")
    shutil.copy(ROOT / "requirements-webchat.lock", checkout)
    make_sources(checkout)
    for source, target in copied("webchat"):
        place = work / target
        place.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (checkout / source).is_dir() else shutil.copy)(checkout / source, place)
    (step,) = [" ".join(words[1:]) for words in stages()["webchat"] if words[0] == "RUN"]
    done = subprocess.run(
        ["sh", "-c", step.replace("python3", f'"{sys.executable}"')],
        cwd=work,
        env=os.environ
        | {"AMTRIO_WEBCHAT": switch, "BUILDS": str(tmp_path / "builds"), "npm_config_cache": str(tmp_path / "npm")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (work / "amtrio" / "webchat").iterdir()} == files
    assert builds(tmp_path) == int(switch)
    took = [words for words in stages()["build"] if words[1:2] == ["--from=webchat"]]
    assert took == [["COPY", "--from=webchat", "/src/amtrio/webchat", "./amtrio/webchat"]]
