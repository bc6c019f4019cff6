"""Who `amtrio chat` is: signing in, the token kept between runs, and one device per terminal.

Knows files and REST. Knows no screen: what it has to ask, it asks through functions it is given.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from amtrio.client import Refused, Rest, SignedIn, write_private
from amtrio.clock import Clock

# More terminals of one person on one machine than anybody opens.
_SLOTS = 64
_UNAUTHORIZED = 401  # RFC 9110, 15.5.2


class NoCredential(Exception):
    """There is neither a kept token nor a way to ask for a password, or the person gave up."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept per server."""

    url: str
    username: str
    user_id: str
    token: str


def state_dir(environ: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/amtrio`, by default `~/.local/state/amtrio` (XDG base directory specification 0.8)."""
    base = environ.get("XDG_STATE_HOME", "")
    # Relative paths must be ignored, says the specification.
    root = Path(base) if base.startswith("/") else Path(environ.get("HOME") or Path.home()) / ".local" / "state"
    return root / "amtrio"


def account_file(state: Path, url: str) -> Path:
    """One file per server, named for its host and port."""
    where = urlsplit(url)
    return state / (re.sub(r"[^A-Za-z0-9.-]+", "_", f"{where.netloc}{where.path}").strip("_") + ".json")


def kept_account(file: Path, username: str | None) -> Account | None:
    """The account of the last run, unless somebody else is asked for."""
    try:
        account = msgspec.json.decode(file.read_bytes(), type=Account)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return account if username in (None, account.username) else None


def keep_account(file: Path, account: Account) -> None:
    write_private(file, msgspec.json.encode(account))


Answer = Literal["again", "register", "quit"]


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask the person; in a script `password` answers by itself and `after_refusal` quits."""

    username: Callable[[], str]
    password: Callable[[], str]
    after_refusal: Callable[[str], Answer]


async def sign_in(rest: Rest, questions: Questions, username: str | None, *, register: bool, device_id: str) -> Account:
    """
    Log in or make an account.

    Raises:
        NoCredential: the person gave up. Refused: for another reason than name and password. Unreachable.
    """
    while True:
        name = username or questions.username()
        password = questions.password()
        try:
            signed_in = await _enter(rest, name, password, register=register, device_id=device_id)
        except Refused as exc:
            if exc.retry == "after_ms":
                raise
            match questions.after_refusal(str(exc)):
                case "again":
                    username = None
                case "register":
                    username, register = name, True
                case "quit":
                    raise NoCredential(str(exc)) from exc
        else:
            return Account(url=rest.url, username=name, user_id=signed_in.user_id, token=signed_in.token)


async def _enter(rest: Rest, name: str, password: str, *, register: bool, device_id: str) -> SignedIn:
    if register:
        return await rest.register(name, password)
    return await rest.login(name, password, device_id=device_id)


@contextmanager
def device(state: Path, clock: Clock) -> Iterator[str]:
    """
    A device id that no other terminal of this person uses now, the same in the next run.

    Each terminal takes the first free slot; a lock on its file, which the kernel drops with the process, says which
    are free. Two terminals are two devices: both see everything, neither replaces the other.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder = state / "devices"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in range(1, _SLOTS + 1):
        with (folder / str(number)).open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            file.seek(0)
            name = file.read().strip()
            if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name):
                name = clock.new_id("terminal")
                file.truncate(0)
                file.write(name)
                file.flush()
            yield name
            return
    raise OSError(f"all {_SLOTS} terminal slots in {folder} are taken")
