"""The file of generated secrets: made once, agreed upon, never readable by others."""

from __future__ import annotations

import itertools
import os
import stat
import threading
from pathlib import Path

import pytest

from amtrio.config import secret_file
from amtrio.config.secret_file import SecretFileError


def test_missing_secrets_are_made_once(tmp_path: Path) -> None:
    """
    The second start reads what the first one wrote, and adds only what is new.
    """
    folder = tmp_path / "a" / "data"
    count = itertools.count()

    first, made = secret_file.read_or_make(folder, ["jwt", "agent"], lambda: f"secret-{next(count)}")
    assert (first, made) == ({"jwt": "secret-0", "agent": "secret-1"}, ["jwt", "agent"])

    second, made = secret_file.read_or_make(folder, ["jwt", "admin"], lambda: f"secret-{next(count)}")
    assert (second, made) == (first | {"admin": "secret-2"}, ["admin"])
    assert secret_file.read(folder) == second
    assert stat.S_IMODE((folder / secret_file.FILE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [each.name for each in folder.iterdir()] == [secret_file.FILE_NAME], "nothing is left behind"


def test_starts_at_the_same_moment_agree(tmp_path: Path) -> None:
    """
    However many begin at once, one makes the secrets and all others read them.
    """
    starters = 16
    gate = threading.Barrier(starters)
    found: list[dict[str, str]] = []

    def start() -> None:
        gate.wait()
        found.append(secret_file.read_or_make(tmp_path, ["jwt"], lambda: os.urandom(16).hex())[0])

    threads = [threading.Thread(target=start) for _ in range(starters)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(found) == starters
    assert all(each == found[0] for each in found)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """
    A secret that others may have read is none; the message says what to do.
    """
    secret_file.read_or_make(tmp_path, ["jwt"], lambda: "secret")
    path = tmp_path / secret_file.FILE_NAME
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        with pytest.raises(SecretFileError, match="chmod 600"):
            secret_file.read(tmp_path)


@pytest.mark.parametrize("content", [b"jwt = ", b"jwt = 5\n", b"\xff", b"[jwt]\n"])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """
    It is not overwritten: whoever edited it may want it back.
    """
    path = tmp_path / secret_file.FILE_NAME
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SecretFileError, match=r"secrets\.toml"):
        secret_file.read_or_make(tmp_path, ["jwt"], lambda: "secret")
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """
    A file where the data directory should be gives a message, not a traceback.
    """
    (tmp_path / "data").write_text("")
    with pytest.raises(SecretFileError, match="cannot be"):
        secret_file.read_or_make(tmp_path / "data", ["jwt"], lambda: "secret")


def test_what_somebody_wrote_by_hand_survives(tmp_path: Path) -> None:
    """
    Quotes, backslashes and odd characters are escaped when the file is written anew.
    """
    path = tmp_path / secret_file.FILE_NAME
    path.write_text('jwt = \'a"b\\c\'\nagent = "tab\\tbell\\u0007"\n')
    path.chmod(0o600)
    found, _ = secret_file.read_or_make(tmp_path, ["admin"], lambda: "secret")
    assert found == {"jwt": 'a"b\\c', "agent": "tab\tbell\a", "admin": "secret"}
    assert secret_file.read(tmp_path) == found


def test_no_file_is_no_secret(tmp_path: Path) -> None:
    """
    Reading makes nothing.
    """
    assert secret_file.read(tmp_path / "nowhere") == {}
    assert list(tmp_path.iterdir()) == []
