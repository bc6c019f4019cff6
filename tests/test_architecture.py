"""The shape of the code base, held by tests: who may import whom, which test belongs to which file, what is pinned."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "amtrio"
TESTS: Final = ROOT / "tests"

# Libraries that only the named files of the server may import, so that each can be replaced by rewriting those.
CONFINED: Final = {
    "PIL": {"media/images.py"},
    "argon2": {"passwords.py"},
    "bcrypt": {"passwords.py"},
    "h2": {"transports/http_protocols.py"},
    "hypercorn": {"transports/http_protocols.py"},
    "httpcore": {"push/webpush.py"},
    "jwt": {"signing.py", "tokens.py"},
    "opentelemetry": {"tracing.py"},
    "prometheus_client": {"metrics.py"},
    "quart": {"transports/http.py"},
    "quart_trio": {"transports/http.py"},
    "regex": {"text/emoji.py"},
    "werkzeug": {"media/downloads.py", "media/multipart.py", "transports/http.py"},
    "trio_websocket": {"transports/ws.py"},
    "wsproto": {"transports/ws.py", "transports/ws_parser.py"},
}

# Folders of tests that follow a question and not a file.
TESTS_BY_QUESTION: Final = {"bench", "browser", "contract", "faults", "proxies", "scenes", "soak"}

# Tests of what is not a module of amtrio.
TESTS_OF_NO_MODULE: Final = {
    "test_architecture.py",
    "test_conftest.py",
    "deploy/test_dockerfile.py",
    "deploy/test_hatch_build.py",
    "deploy/test_install.py",
    "deploy/test_node.py",
    "deploy/test_webchat.py",
}

# Modules with functions in them and no test file of the same name; each with its reason.
UNTESTED: Final = {
    "store/database.py": "a contract without code; tests/contract/test_database.py holds every adapter against it",
    "__main__.py": "hands over to cli/main.py, which the tests of the command line start as a program",
}


def modules() -> list[Path]:
    return sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


def has_logic(path: Path) -> bool:
    """Any function or method at all; declarations alone need no test."""
    tree = ast.parse((SOURCE / path).read_text())
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) for node in ast.walk(tree))


def own_tests_of(module: Path) -> Path:
    return module.with_name(f"test_{module.name}")


def imported(path: Path) -> Iterator[str]:
    """The top-level names a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_import_contracts() -> None:
    """
    Imports point one way; the contracts stand in pyproject.toml.
    """
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("library", CONFINED)
def test_confined_libraries(library: str) -> None:
    """
    A library that a few files wrap is imported nowhere else in the server.
    """
    found = {
        path.as_posix()
        for path in modules()
        if path.parts[0] not in {"client", "bridges"} and library in imported(SOURCE / path)
    }
    assert found <= CONFINED[library]


def test_sql_stands_with_what_owns_it() -> None:
    """
    In the feature, in what features share, or in the store; nobody else speaks to the database but through those.
    """
    speaks = re.compile(r"\btx\.(one|all|run)\(")
    found = {path.as_posix() for path in modules() if speaks.search((SOURCE / path).read_text())}
    strangers = {path for path in found if path.partition("/")[0] not in {"features", "model", "store"}}
    assert strangers == {"idempotency.py"}, "which has a table of its own"


def test_every_module_has_its_tests() -> None:
    """
    amtrio/store/sqlite.py is tested by tests/store/test_sqlite.py.
    """
    missing = [
        path.as_posix()
        for path in modules()
        if path.as_posix() not in UNTESTED
        and path.name != "__init__.py"
        and has_logic(path)
        and not (TESTS / own_tests_of(path)).exists()
    ]
    assert missing == [], "these need a test file of the same name"
    assert {path for path in UNTESTED if (TESTS / own_tests_of(Path(path))).exists()} == set(), "not exempt any more"


def test_every_test_file_has_its_module() -> None:
    """
    A test file that no module answers to was left behind by a move.
    """
    expected = {own_tests_of(path) for path in modules()}
    found = (path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))
    orphans = [
        path.as_posix()
        for path in found
        if path not in expected and path.parts[0] not in TESTS_BY_QUESTION and path.as_posix() not in TESTS_OF_NO_MODULE
    ]
    assert orphans == []


def test_every_module_says_what_it_may_not_know() -> None:
    """
    The docstring of a module is its licence: a purpose, and for anything with logic the limits of its knowledge.
    """
    silent = [
        path.as_posix()
        for path in modules()
        if has_logic(path) and len((ast.get_docstring(ast.parse((SOURCE / path).read_text())) or "").splitlines()) < 2
    ]
    assert silent == []


LOCKS: Final = ["requirements.lock", "requirements-otel.lock", "requirements-dev.lock", "requirements-webchat.lock"]


def pins(name: str) -> dict[str, str]:
    """Package to version, of one lock file."""
    return dict(re.findall(r"^([a-z0-9\-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_are_whole_and_anonymous(name: str) -> None:
    """
    Every pin has its hashes, and no file names the index that it was made with.
    """
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-[-a-z]", re.sub(r"--hash=sha256:[0-9a-f]{64}", "", text), re.MULTILINE)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(name))
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_lock_files_agree() -> None:
    """
    What is tested is what is run; and what pyproject.toml names is locked.
    """
    run, otel, dev = pins("requirements.lock"), pins("requirements-otel.lock"), pins("requirements-dev.lock")
    assert {name: otel.get(name) for name in run} == run
    assert {name: dev.get(name) for name in otel} == otel
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    for requirements, locked in (
        (project["project"]["dependencies"] + groups["build"], run),
        ([each for extra in project["project"]["optional-dependencies"].values() for each in extra], otel),
        (groups["dev"], dev),
        (groups["webchat"], pins("requirements-webchat.lock")),
    ):
        for requirement in requirements:
            match = re.match(r"([a-z0-9\-]+)(?:==([^ ;]+))?", requirement)
            assert match is not None, requirement
            assert match[1] in locked, f"{requirement}: run make lock"
            assert match[2] in {None, locked[match[1]]}, f"{requirement}: run make lock"
