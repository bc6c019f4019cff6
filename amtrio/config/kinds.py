"""What one setting may be: the kinds of value, how each is read from text, and the rule to show when it is not.

Knows neither which settings exist (tree.py) nor where their text comes from (sources.py).
"""

from __future__ import annotations

import dataclasses
import hmac
import ipaddress
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# 1024-based and with decimals, as the reference reads MAX_UPLOAD_SIZE: 1.5GB is 1.5 * 2^30 bytes.
_SIZE_UNITS: Final = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?B|)", re.IGNORECASE)

# Go's time.ParseDuration, less the units below a millisecond that no setting needs.
_DURATION_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|[hms])")

_WORDS_FOR_BOOLEANS: Final = {
    "true": True, "yes": True, "on": True, "1": True, "t": True,
    "false": False, "no": False, "off": False, "0": False, "f": False,
}  # fmt: skip

# Secrets that stand in other people's documents and images: whoever reads those can sign in.
_EXAMPLE_SECRETS: Final = frozenset(
    {
        "agent-messenger-dev-secret-change-me",
        "dev-agent-secret-change-me",
        "admin-dev-secret",
    }
)
_EXAMPLE_PHRASES: Final = (
    "changeme", "changethis", "replaceme", "replacewith", "yoursecret", "yourjwtsecret", "youragentsecret",
    "youradminsecret", "yoursupersecret", "secrethere", "supersecret", "mysecret", "devsecret", "testsecret",
    "examplesecret", "insecuresecret", "notasecret", "generatearandom", "opensslrand",
)  # fmt: skip


class Secret:
    """A text that never prints: `repr`, `str`, `format` and whatever logs it say `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str, /) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._text

    def encode(self) -> bytes:
        """The text itself in UTF-8, as keys are used."""
        return self._text.encode()

    def matches(self, offered: str, /) -> bool:
        """Compare in constant time; an empty secret matches nothing."""
        return bool(self._text) and hmac.compare_digest(self._text.encode(), offered.encode())

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> str | tuple[Any, ...]:
        text = "a Secret is not to be copied out of the process"
        raise TypeError(text)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any], /) -> Secret:
        return self


NO_SECRET: Final = Secret("")


class BadValue(ValueError):
    """The text breaks the rule; str() is the rule, never the value."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """
    A kind of value.

    Attributes:
        rule: what a good value is, after "must be".
        parse: text and the folder that relative paths start from to value; raises BadValue or ValueError.
        natives: the types, beside text, that a TOML file may use for it.
        is_secret: neither value nor shape may be shown, only the length.
    """

    rule: str
    parse: Callable[[str, Path], T]
    natives: tuple[type, ...] = ()
    is_secret: bool = False
    show: Callable[[T], str] = str

    def read(self, value: object, base: Path, /) -> T:
        """
        Turn what a source holds (text, or a native TOML value) into the setting's value.

        Raises:
            BadValue: with the rule as its text.
        """
        if isinstance(value, str):
            text = value.strip()
        elif type(value) in self.natives:  # exact: a TOML true is no 1
            text = _as_text(value)
        else:
            raise BadValue(f"must be {self.rule}")
        try:
            return self.parse(text, base)
        except BadValue:
            raise
        except (ValueError, OverflowError) as error:
            raise BadValue(f"must be {self.rule}") from error

    def shape(self, value: object, /) -> str:
        """Describe a value that was refused without repeating it: `99a99 (5 characters)`."""
        if not isinstance(value, str):
            return {bool: "a boolean", int: "a whole number", float: "a number", list: "a list", dict: "a table"}.get(
                type(value), f"a {type(value).__name__}"
            )
        if self.is_secret:
            return f"text of {len(value.encode())} bytes"
        outline = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", value))
        if len(outline) > _MAX_OUTLINE_CHARS:
            outline = outline[:_MAX_OUTLINE_CHARS] + "…"
        return f"{outline!r} ({len(value)} characters; every letter shown as a, every digit as 9)"


_MAX_OUTLINE_CHARS = 32


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        if not all(isinstance(each, str) and "," not in each for each in value):
            raise BadValue("must be a list of texts without commas")
        return ",".join(value)
    return str(value)


def setting(default: T, kind: Kind[T], about: str, *variables: str, flag: str = "") -> T:
    """Declare one field of a section; `variables` are its older names in the environment, the strongest first."""
    return dataclasses.field(
        default=default, metadata={"kind": kind, "variables": variables, "flag": flag, "about": about}
    )


def text(rule: str = "text", *, pattern: str = r".*") -> Kind[str]:
    """Any text on one line, or one that `pattern` matches as a whole."""

    def parse(given: str, _base: Path) -> str:
        if not re.fullmatch(pattern, given):
            raise BadValue(f"must be {rule}")
        return given

    return Kind(rule, parse)


def whole(low: int, high: int, unit: str = "") -> Kind[int]:
    """A whole number within bounds, both included."""
    rule = f"a whole number{f' of {unit}' if unit else ''} from {low} to {high}"

    def parse(given: str, _base: Path) -> int:
        if not re.fullmatch(r"[+-]?\d{1,15}", given, re.ASCII) or not low <= int(given) <= high:
            raise BadValue(f"must be {rule}")
        return int(given)

    return Kind(rule, parse, (int,))


def number(low: float, high: float) -> Kind[float]:
    """A number within bounds, both included."""
    rule = f"a number from {low:g} to {high:g}"

    def parse(given: str, _base: Path) -> float:
        value = float(given)
        if not low <= value <= high:  # refuses NaN as well
            raise BadValue(f"must be {rule}")
        return value

    return Kind(rule, parse, (int, float), show=lambda value: f"{value:g}")


def size(low: int, high: int) -> Kind[int]:
    """Bytes: 65536, 64KB, 1.5GB. `100M` without the B is refused, as by the reference."""
    rule = f"a size from {_size_text(low)} to {_size_text(high)}: bytes, or a number with B, KB, MB, GB or TB"

    def parse(given: str, _base: Path) -> int:
        match = _SIZE.fullmatch(given)
        value = int(float(match[1]) * _SIZE_UNITS[match[2].upper()]) if match else -1
        if not low <= value <= high:
            raise BadValue(f"must be {rule}")
        return value

    return Kind(rule, parse, (int,), show=_size_text)


def _size_text(size_bytes: int) -> str:
    for unit in ("TB", "GB", "MB", "KB"):
        if size_bytes and size_bytes % _SIZE_UNITS[unit] == 0:
            return f"{size_bytes // _SIZE_UNITS[unit]}{unit}"
    return str(size_bytes)


def duration(low_s: float, high_s: float) -> Kind[float]:
    """Seconds: 30, 2.5, or the way Go writes them: 30s, 1m30s, 500ms."""
    rule = f"a duration from {low_s:g} s to {high_s:g} s: seconds, or like 30s, 1m30s, 500ms"

    def parse(given: str, _base: Path) -> float:
        if re.fullmatch(r"\d+(\.\d+)?", given, re.ASCII):
            seconds = float(given)
        else:
            parts = _DURATION_PART.findall(given)
            if not parts or "".join(map("".join, parts)) != given:
                raise BadValue(f"must be {rule}")
            seconds = sum(float(amount) * _DURATION_UNITS[unit] for amount, unit in parts)
        if not low_s <= seconds <= high_s:
            raise BadValue(f"must be {rule}")
        return seconds

    return Kind(rule, parse, (int, float), show=lambda seconds: f"{seconds:g}s")


def _boolean(given: str, _base: Path) -> bool:
    try:
        return _WORDS_FOR_BOOLEANS[given.lower()]
    except KeyError:
        raise BadValue(f"must be {BOOLEAN.rule}") from None


BOOLEAN: Final[Kind[bool]] = Kind(
    "true or false (or yes, no, on, off, 1, 0)", _boolean, (bool,), show=lambda value: str(value).lower()
)


def choice(*words: str, aliases: dict[str, str] | None = None, note: str = "") -> Kind[str]:
    """One of some words, in any case."""
    rule = (f"one of {', '.join(words)}" if len(words) > 1 else words[0]) + (f", {note}" if note else "")

    def parse(given: str, _base: Path) -> str:
        word = given.lower()
        word = (aliases or {}).get(word, word)
        if word not in words:
            raise BadValue(f"must be {rule}")
        return word

    return Kind(rule, parse)


def _path(given: str, base: Path) -> Path:
    if not given or "\0" in given:
        raise BadValue("must be a path")
    return base / home_expanded(given)


def home_expanded(given: str) -> Path:
    """
    `~` and `~name` as the folders they stand for.

    Raises:
        BadValue: nobody has that name here.
    """
    try:
        return Path(given).expanduser()
    except RuntimeError as error:  # pathlib's word for it
        raise BadValue("must be a path; nobody here has the home folder that its ~ names") from error


PATH: Final[Kind[Path]] = Kind("a path", _path)
OPTIONAL_PATH: Final[Kind[Path | None]] = Kind("a path", _path, show=lambda path: "" if path is None else str(path))


def _split(given: str) -> list[str]:
    return [part for part in (each.strip() for each in given.split(",")) if part]


def _origins(given: str, _base: Path) -> tuple[str, ...]:
    origins = []
    for each in _split(given):
        url = urllib.parse.urlsplit(each.rstrip("/"))
        if each != "*" and (not url.scheme or not url.netloc or url.path or url.query or url.fragment):
            raise BadValue(f"must be {ORIGINS.rule}")
        origins.append(each.rstrip("/"))
    return tuple(origins)


ORIGINS: Final[Kind[tuple[str, ...]]] = Kind(
    "a comma-separated list of origins (https://chat.example.org) or *", _origins, (list,), show=",".join
)


def _networks(given: str, _base: Path) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(each) for each in _split(given))


NETWORKS: Final[Kind[tuple[Network, ...]]] = Kind(
    "a comma-separated list of addresses or networks (127.0.0.1, 10.0.0.0/8, ::1)",
    _networks,
    (list,),
    show=lambda networks: ",".join(map(str, networks)),
)


def secret(min_bytes: int) -> Kind[Secret]:
    """A secret of our own, long enough not to be guessed, and not one that others have published."""
    rule = f"at least {min_bytes} bytes long"

    def parse(given: str, _base: Path) -> Secret:
        plain = re.sub(r"[^a-z0-9]", "", given.lower())
        if given in _EXAMPLE_SECRETS or any(phrase in plain for phrase in _EXAMPLE_PHRASES):
            raise BadValue("is a published example, known to everybody; make one of your own, or leave it out")
        if len(given.encode()) < min_bytes or len(set(given)) < _MIN_DIFFERENT_CHARS:
            raise BadValue(f"must be {rule} and of at least {_MIN_DIFFERENT_CHARS} different characters")
        return Secret(given)

    return Kind(rule, parse, is_secret=True, show=lambda value: "***" if value else "")


# "aaaaaaaa…" is long, and guessed at once.
_MIN_DIFFERENT_CHARS = 6

# A secret that others issued (a provider's key): any text will do.
FOREIGN_SECRET: Final[Kind[Secret]] = Kind(
    "text", lambda given, _base: Secret(given), is_secret=True, show=lambda value: "***" if value else ""
)
