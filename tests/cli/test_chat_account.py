"""Signing in, the kept token, and one device per terminal."""

from __future__ import annotations

import stat
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from amtrio.cli.chat_account import (
    Account,
    Answer,
    NoCredential,
    Questions,
    account_file,
    device,
    keep_account,
    kept_account,
    sign_in,
    state_dir,
)
from amtrio.client import Refused, Rest
from amtrio.clock import SystemClock

ALICE = Account(url="http://server", username="alice", user_id="u1", token="t")


def test_state_follows_the_xdg_specification() -> None:
    """
    An absolute XDG_STATE_HOME counts, a relative one is ignored.
    """
    assert state_dir({"XDG_STATE_HOME": "/state"}) == Path("/state/amtrio")
    assert state_dir({"XDG_STATE_HOME": "state", "HOME": "/home/a"}) == Path("/home/a/.local/state/amtrio")


def test_a_token_is_kept_per_server_for_its_owner_only(tmp_path: Path) -> None:
    """
    Mode 0600; another name, a damaged file or another server finds nothing.
    """
    file = account_file(tmp_path, "http://127.0.0.1:8080/chat")
    assert file.name == "127.0.0.1_8080_chat.json"
    assert kept_account(file, None) is None
    keep_account(file, ALICE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept_account(file, None) == kept_account(file, "alice") == ALICE
    assert kept_account(file, "bob") is None
    file.write_text("{")
    assert kept_account(file, None) is None


def test_two_terminals_are_two_devices_and_keep_their_names(tmp_path: Path) -> None:
    """
    The next run of the first terminal is the first device again.
    """
    with ExitStack() as first:
        one = first.enter_context(device(tmp_path, SystemClock()))
        with device(tmp_path, SystemClock()) as two:
            assert one != two
        first.close()
        with device(tmp_path, SystemClock()) as again:
            assert again == one


def rest() -> Rest:
    """alice's password is "right", everybody may register."""

    def answer(request: httpx.Request) -> httpx.Response:
        name = "bob" if b"bob" in request.content else "alice"
        if request.url.path == "/auth/register" or b'"right"' in request.content:
            return httpx.Response(200, json={"token": f"{name}-token", "user_id": name, "username": name})
        return httpx.Response(401, json={"error": "wrong name or password", "code": "unauthorized"})

    return Rest("http://server", http=httpx.AsyncClient(transport=httpx.MockTransport(answer)))


def questions(names: list[str], passwords: list[str], answers: list[Answer]) -> Questions:
    return Questions(
        username=lambda: names.pop(0), password=lambda: passwords.pop(0), after_refusal=lambda _why: answers.pop(0)
    )


async def test_a_wrong_password_may_be_tried_again() -> None:
    """
    Name and password are asked for anew.
    """
    ask = questions(["alice", "alice"], ["wrong", "right"], ["again"])
    assert (await sign_in(rest(), ask, None, register=False, device_id="d")).token == "alice-token"


async def test_an_unknown_name_may_be_registered() -> None:
    """
    With the name as it was given.
    """
    ask = questions([], ["x", "x"], ["register"])
    assert (await sign_in(rest(), ask, "bob", register=False, device_id="d")).user_id == "bob"


async def test_giving_up_says_why() -> None:
    """
    In the server's words.
    """
    with pytest.raises(NoCredential, match="wrong name or password"):
        await sign_in(rest(), questions(["alice"], ["wrong"], ["quit"]), None, register=False, device_id="d")


async def test_too_many_tries_end_it() -> None:
    """
    A rate limit is no wrong password: asking again would make it worse.
    """
    limited = httpx.MockTransport(lambda _: httpx.Response(429, json={"error": "slow"}, headers={"Retry-After": "60"}))
    with pytest.raises(Refused, match="slow"):
        await sign_in(
            Rest("http://server", http=httpx.AsyncClient(transport=limited)),
            questions(["alice"], ["right"], []),
            None,
            register=False,
            device_id="d",
        )
