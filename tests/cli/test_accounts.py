"""`amtrio user ...` and `amtrio agent ...`: with a server running, and without."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import trio
from typer.testing import CliRunner, Result

from amtrio.cli.main import app
from tests.harness import PASSWORD, Agent, Scene, open_scene


def amtrio(directory: Path, *arguments: str, typed: str = "") -> Result:
    """The command line in this process; the server, if one runs, is reached over its socket all the same."""
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(directory)], input=typed)


async def beside(directory: Path, *arguments: str, typed: str = "") -> Result:
    """The same on a thread, while the server runs."""
    return await trio.to_thread.run_sync(partial(amtrio, directory, *arguments, typed=typed))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the machine."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    for name in ("DB_PATH", "DATABASE_PATH", "AMTRIO_STORAGE_DB_PATH", "AMTRIO_STORAGE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_people_without_a_server(tmp_path: Path) -> None:
    """Added, listed, given a new password, removed; each command says what it did."""
    data = tmp_path / "data"
    added = amtrio(data, "user", "add", "alice", "--password-stdin", typed=PASSWORD + "\n")
    assert added.exit_code == 0, added.output
    assert "user alice added" in added.output
    (row,) = json.loads(amtrio(data, "user", "list", "--json").stdout)
    assert (row["username"], row["connections"]) == ("alice", 0)
    assert "alice" in amtrio(data, "user", "list").stdout
    assert amtrio(data, "user", "passwd", "alice", "--password-stdin", typed="another password\n").exit_code == 0
    assert amtrio(data, "user", "remove", "alice", "--yes").exit_code == 0
    assert json.loads(amtrio(data, "user", "list", "--json").stdout) == []


def test_agents_without_a_server(tmp_path: Path) -> None:
    """The token alone goes to standard output, so that a script can keep it."""
    data = tmp_path / "data"
    added = amtrio(data, "agent", "add", "helper", "--name", "Helper", "--specialty", "tests")
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("agt_")
    assert added.stdout.count("\n") == 1
    assert "shown this once" in added.stderr
    rotated = amtrio(data, "agent", "rotate", "helper")
    assert rotated.stdout.startswith("agt_")
    assert rotated.stdout != added.stdout
    (row,) = json.loads(amtrio(data, "agent", "list", "--json").stdout)
    assert (row["agent_id"], row["name"], row["credential"], row["status"]) == ("helper", "Helper", "own", "offline")
    assert amtrio(data, "agent", "revoke", "helper").exit_code == 0
    (row,) = json.loads(amtrio(data, "agent", "list", "--json").stdout)
    assert row["credential"] == "revoked"
    assert amtrio(data, "agent", "remove", "helper", "--yes").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "passwd", "nobody", "--password-stdin"],
        ["user", "remove", "nobody", "--yes"],
        ["user", "add", "a b", "--password-stdin"],
        ["user", "promote", "nobody"],
        ["user", "demote", "nobody"],
        ["user", "tier", "nobody", "pro"],
        ["invite", "--uses", "0"],
        ["invite", "--tier", "gold"],
        ["audit"],
        ["agent", "rotate", "nobody"],
        ["agent", "revoke", "nobody"],
        ["agent", "remove", "nobody", "--yes"],
        ["agent", "add", "a b"],
    ],
)
def test_what_is_refused_is_1_with_one_line(tmp_path: Path, arguments: list[str]) -> None:
    refused = amtrio(tmp_path / "data", *arguments, typed=PASSWORD + "\n")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("amtrio: ")
    assert refused.stderr.count("\n") == 1
    assert refused.stdout == ""


def test_a_name_that_is_taken_and_a_password_that_is_short(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert amtrio(data, "user", "add", "alice", "--password-stdin", typed="short\n").exit_code == 1
    assert amtrio(data, "user", "add", "alice", "--password-stdin", typed=PASSWORD + "\n").exit_code == 0
    again = amtrio(data, "user", "add", "alice", "--password-stdin", typed=PASSWORD + "\n")
    assert (again.exit_code, "exists" in again.stderr) == (1, True)


def test_removing_asks_first(tmp_path: Path) -> None:
    """Whoever does not say yes keeps everything."""
    data = tmp_path / "data"
    amtrio(data, "user", "add", "alice", "--password-stdin", typed=PASSWORD + "\n")
    amtrio(data, "agent", "add", "helper")
    assert amtrio(data, "user", "remove", "alice", typed="n\n").exit_code == 1
    assert amtrio(data, "agent", "remove", "helper", typed="\n").exit_code == 1
    assert len(json.loads(amtrio(data, "user", "list", "--json").stdout)) == 1
    assert amtrio(data, "user", "remove", "alice", typed="y\n").exit_code == 0


def test_a_password_is_asked_for_twice(tmp_path: Path) -> None:
    """And not shown."""
    typed = f"{PASSWORD}\nanother one\n{PASSWORD}\n{PASSWORD}\n"
    added = amtrio(tmp_path / "data", "user", "add", "alice", typed=typed)
    assert added.exit_code == 0
    assert PASSWORD not in added.output


async def test_people_while_a_server_runs(tmp_path: Path) -> None:
    """At once: the new one may sign in, a new password ends sessions, a removed one is gone."""
    async with open_scene(tmp_path) as scene:
        added = await beside(tmp_path, "user", "add", "alice", "--password-stdin", typed=PASSWORD + "\n")
        assert added.exit_code == 0, added.output
        alice = await scene.login("alice")
        async with scene.device(alice) as phone:
            (row,) = json.loads((await beside(tmp_path, "user", "list", "--json")).stdout)
            assert row["connections"] == 1
            typed = "another password\n"
            assert (await beside(tmp_path, "user", "passwd", "alice", "--password-stdin", typed=typed)).exit_code == 0
            assert (await phone.closed())[0] == 4401
        refused = await beside(tmp_path, "user", "add", "alice", "--password-stdin", typed=PASSWORD + "\n")
        assert (refused.exit_code, "exists" in refused.stderr) == (1, True)
        assert (await beside(tmp_path, "user", "remove", "alice", "--yes")).exit_code == 0
        answer = await scene.http.post("/auth/login", json={"username": "alice", "password": "another password"})
        assert answer.status_code == 401


async def test_agents_while_a_server_runs(tmp_path: Path) -> None:
    """The token opens the door at once; rotating or revoking it closes the socket."""
    async with open_scene(tmp_path) as scene:
        token = (await beside(tmp_path, "agent", "add", "helper")).stdout.strip()
        for word in ("rotate", "revoke"):
            async with scene.device(Agent("helper", token)) as agent:
                (row,) = json.loads((await beside(tmp_path, "agent", "list", "--json")).stdout)
                assert (row["online"], row["connections"]) == (True, 1)
                done = await beside(tmp_path, "agent", word, "helper")
                assert done.exit_code == 0
                assert (await agent.closed())[0] == 4401
                token = done.stdout.strip()
        assert await _status(scene) == 401
        assert (await beside(tmp_path, "agent", "remove", "helper", "--yes")).exit_code == 0
        assert json.loads((await beside(tmp_path, "agent", "list", "--json")).stdout) == []


async def _status(scene: Scene) -> int:
    headers = {"X-Agent-ID": "helper", "X-Agent-Secret": scene.config.secrets.agent.reveal()}
    return (await scene.http.get("/conversations", headers=headers)).status_code


@pytest.mark.parametrize("words", [("user", "list"), ("agent", "list"), ("agent", "rotate", "x")])
def test_a_mistyped_folder_is_no_new_server(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Only adding begins a database; anything else says that there is none, and leaves nothing behind."""
    data = tmp_path / "mistyped"
    result = amtrio(data, *words)
    assert result.exit_code == 1
    assert "no database at" in result.stderr
    assert not data.exists()


async def test_rights_and_tiers_while_a_server_runs(tmp_path: Path) -> None:
    """They count at once, also the end of the last administrator's."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        for words, status in (
            (("promote", "alice"), 200),
            (("tier", "alice", "pro"), 200),
            (("demote", "alice"), 403),
        ):
            done = await beside(tmp_path, "user", *words)
            assert done.exit_code == 0, done.output
            assert "alice" in done.stdout
            answer = await scene.http.get("/admin/users", headers=alice.headers)
            assert answer.status_code == status
        (row,) = json.loads((await beside(tmp_path, "user", "list", "--json")).stdout)
        assert (row["tier"], row["is_admin"]) == ("pro", False)
        assert scene.running.services.limits.tier(f"u:{alice.id}") == "pro"


def test_an_invitation_before_the_first_start(tmp_path: Path) -> None:
    """The link alone goes to standard output; the record names no token."""
    data = tmp_path / "data"
    made = amtrio(data, "invite", "--admin", "--uses", "2", "--note", "for alice", "--origin", "https://chat.example")
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("https://chat.example/#/join/inv_")
    assert made.stdout.count("\n") == 1
    assert amtrio(data, "invite").stdout.startswith("/#/join/inv_")
    amtrio(data, "user", "add", "alice", "--password-stdin", typed=PASSWORD + "\n")
    told = amtrio(data, "audit", "--json")
    entries = json.loads(told.stdout)
    assert [each["action"] for each in entries] == ["user.added", "invitation.made", "invitation.made"]
    assert entries[2]["details"] == {"tier": "free", "is_admin": True, "uses": 2}
    assert "inv_" + made.stdout.strip().rpartition("inv_")[2] not in told.stdout
    (entry,) = json.loads(amtrio(data, "audit", "--action", "user.added", "--actor", "cli", "--json").stdout)
    assert entry["actor"] == "cli"
    assert "user.added" in amtrio(data, "audit", "--limit", "1").stdout


def test_what_goes_into_a_pipe_is_whole(tmp_path: Path) -> None:
    """Nothing is cut at the width of a terminal that is not there."""
    data = tmp_path / "data"
    amtrio(data, "user", "add", "alice", "--password-stdin", typed=PASSWORD + "\n")
    amtrio(data, "invite", "--note", "for a friend")
    (user,) = json.loads(amtrio(data, "user", "list", "--json").stdout)
    table = amtrio(data, "user", "list").stdout
    assert user["user_id"] in table
    assert user["created_at"] in table
    audit = amtrio(data, "audit").stdout
    assert "invitation.made" in audit
    assert '"tier": "free"' in audit
    assert "…" not in table + audit
