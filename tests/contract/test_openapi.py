"""docs/openapi.json, held against the server: it is current, it is valid, and the live server keeps every word of it.

python tests/contract/test_openapi.py      writes the document anew
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import trio
from openapi_spec_validator import validate

import amtrio.features  # noqa: F401 - registers every route
from amtrio.feature import registry
from amtrio.transports.openapi import describe
from tests.harness import ADMIN_SECRET, PASSWORD, open_scene

HERE: Final = Path(__file__).parent
DOCUMENT: Final = HERE.parents[1] / "docs" / "openapi.json"


def current() -> str:
    return json.dumps(describe(registry.routes), indent=1, ensure_ascii=False) + "\n"


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text() == current(), f"run: python {Path(__file__).relative_to(HERE.parents[1])}"


def test_the_document_is_valid() -> None:
    validate(json.loads(current()))


async def test_the_server_shows_it_to_programs_and_people(tmp_path: Path) -> None:
    """Without any credential; the page runs nothing."""
    async with open_scene(tmp_path) as scene:
        answer = await scene.http.get("/openapi.json")
        assert answer.json() == json.loads(current())
        page = await scene.http.get("/docs")
        assert page.headers["Content-Type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


# What may end the session that asks: asked last, or everything after it would be refused for that alone.
ENDINGS: Final = re.compile(r"^/(account|auth/(logout|sessions|change-password)|admin/users/\{user_id\})")


def as_one(schemes: tuple[str, ...], *, is_leaving: bool) -> dict[str, Any]:
    """The document for somebody who proves himself in one way: no request then carries a made-up proof of another."""
    document: dict[str, Any] = json.loads(current())
    for path, operations in document["paths"].items():
        for method, operation in list(operations.items()):
            allowed = [each for each in operation["security"] if set(each) <= set(schemes)]
            if (operation["security"] and not allowed) or bool(ENDINGS.match(path)) is not is_leaving:
                del operations[method]
            operation["security"] = allowed
    document["paths"] = {path: operations for path, operations in document["paths"].items() if operations}
    return document


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["person", "agent", "leaving"])
async def test_the_server_keeps_every_word_of_it(tmp_path: Path, kind: str) -> None:
    """
    Thousands of requests made from the document, well-formed and not: none is answered in another way than it says.

    What is exempt, and why, stands in schemathesis.toml.
    """
    async with open_scene(tmp_path / "data") as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(helper) as agent:
            await agent.send(talk, "hello")
        browser = {"username": "alice", "password": PASSWORD, "cookie": True}
        kept = (await scene.http.post("/auth/login", json=browser)).headers["Set-Cookie"]
        if kind == "agent":
            headers, schemes = helper.headers, ("agentId", "agentSecret")
        else:
            headers, schemes = alice.headers | {"X-Admin-Secret": ADMIN_SECRET}, ("token", "adminSecret")
        headers["Cookie"] = kept.partition(";")[0]
        (tmp_path / "openapi.json").write_text(json.dumps(as_one(schemes, is_leaving=kind == "leaving")))
        done = await trio.run_process(
            [
                str(Path(sys.executable).with_name("st")),
                f"--config-file={HERE / 'schemathesis.toml'}",
                "run",
                str(tmp_path / "openapi.json"),
                f"--url=http://127.0.0.1:{scene.running.port}",
                *(f"--header={name}: {value}" for name, value in headers.items()),
            ],
            cwd=tmp_path,
            capture_stdout=True,
            check=False,
        )
        said = done.stdout.decode()
        assert done.returncode == 0, said
        if kind != "leaving":
            # Whoever is no longer known is refused everywhere, and nothing has been tried.
            assert "Authentication failed" not in said, said
        assert (await scene.http.get("/health")).status_code == httpx.codes.OK


if __name__ == "__main__":
    DOCUMENT.write_text(current())
