"""The server's own secrets, made once on the first start and kept in the data directory.

Knows the file and its lock. Knows nothing of settings; sources.py decides which secrets are wanted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

FILE_NAME = "secrets.toml"
_HEADER = (
    "# Made by amtrio on its first start. Whoever reads this can act as your server: mode 0600, and never in a backup\n"
    "# that others can read. Settings of the same name in the environment or in amtrio.toml win over these.\n"
)


class SecretFileError(Exception):
    """The file cannot be used as it is; str() says what to do."""


def read(data_dir: Path, /) -> dict[str, str]:
    """
    What the file holds; nothing if there is no file.

    Raises:
        SecretFileError: others may read it, or it is not what we wrote.
    """
    path = data_dir / FILE_NAME
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise SecretFileError(
                    f"{path} may be read by others (mode {mode:04o}); its secrets may be known. "
                    f"`chmod 600 {path}`, or remove it to have new ones made (which signs everybody out)"
                )
            found = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SecretFileError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SecretFileError(f"{path} is not valid TOML") from error
    if not all(isinstance(value, str) for value in found.values()):
        raise SecretFileError(f'{path} must hold nothing but lines of the form name = "text"')
    return found


def read_or_make(data_dir: Path, wanted: Iterable[str], make: Callable[[], str], /) -> tuple[dict[str, str], list[str]]:
    """
    Read the wanted secrets, and make and keep those that are missing.

    Processes that start at the same moment agree: they take turns, and the later ones read what the first one wrote.

    Returns:
        Everything the file now holds, and the names that were made just now.

    Raises:
        SecretFileError: also when the data directory cannot be written.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _turn(data_dir):
            found = read(data_dir)
            missing = [name for name in wanted if name not in found]
            if missing:
                found |= {name: make() for name in missing}
                _write(data_dir / FILE_NAME, found)
    except OSError as error:
        raise SecretFileError(f"{data_dir} cannot be written: {error.strerror}") from error
    return found, missing


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Lock the folder itself: no second file to leave behind, and the kernel lets go when we die."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, values: Mapping[str, str]) -> None:
    """All or nothing, and on disk before anybody uses it: a token signed with a secret lost in a crash is worthless."""
    # token_urlsafe text only ever gets here, or what tomllib read: basic strings need these two escapes.
    lines = [f'{name} = "{_escape(value)}"\n' for name, value in sorted(values.items())]
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_HEADER + "".join(lines))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _escape(value: str) -> str:
    plain = value.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in plain)
