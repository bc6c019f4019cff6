"""Reading the settings: defaults < TOML file < environment < flags, every problem found at once.

Every setting `section.name` is also `[section] name` in the file and `AMTRIO_<SECTION>_<NAME>` in the environment,
which wins over the older names that tree.py lists with it. Empty text in the environment counts as absent.

Knows where text comes from. Which settings exist and what they may be stands in tree.py and kinds.py.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from amtrio.clock import Clock, SystemClock
from amtrio.config import secret_file
from amtrio.config.kinds import BadValue, home_expanded
from amtrio.config.tree import FLAGS, SECTIONS, SETTINGS, Config, Secrets, Setting

# COMPAT: variables of the reference that mean nothing here; named so that their absence is no riddle.
_WITHOUT_MEANING: Final = (
    "DB_MAX_OPEN_CONNS", "DB_MAX_IDLE_CONNS", "DB_CONN_MAX_LIFETIME", "DB_CONN_MAX_IDLE_TIME", "PROFILING_DIR",
)  # fmt: skip


class Problem(NamedTuple):
    """One value that cannot be used: where it stands, what it looks like (may be empty), what it should be."""

    where: str
    shape: str
    rule: str

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}" + (f"; got {self.shape}" if self.shape else "")


class ConfigError(Exception):
    """The server cannot start with these settings; names every problem at once and repeats no secret."""

    def __init__(self, problems: list[Problem], /) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """
    The tree, and how it came about.

    Attributes:
        sources: dotted name to text for people: `default`, `environment PORT`, `/etc/amtrio.toml`, `flag --port`.
        warnings: what was understood but deserves a look; to be logged once logging is set up.
        file: the TOML file that was read, if any.
    """

    config: Config
    sources: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    file: Path | None = None


_SYSTEM_CLOCK: Final = SystemClock()

# Names in the secret file, and the settings they are: what is made if nobody configured it.
_MADE: Final[Mapping[str, str]] = MappingProxyType(
    {each.name: f"secrets.{each.name}" for each in dataclasses.fields(Secrets)}
    | {"vapid_private_key": "push.vapid_private_key"}
)


def load(
    args: Mapping[str, str],
    environ: Mapping[str, str],
    cwd: Path,
    *,
    make_secrets: bool = True,
    clock: Clock = _SYSTEM_CLOCK,
) -> Loaded:
    """
    Read every source, check every value and make the secrets that are missing.

    Args:
        args: flags that were given, without dashes (`{"port": "9000", "config": "x.toml"}`) or by dotted name.
        environ: the environment; unknown variables are none of our business unless they begin like our own.
        cwd: what relative paths of flags and environment start from; those in the file start from the file's folder.
        make_secrets: False leaves the data directory alone; secrets not made yet are then empty.
        clock: where new secrets come from.

    Raises:
        ConfigError: with all problems, not just the first.
    """
    reading = _Reading(cwd)
    environ = {name: value for name, value in environ.items() if value}
    reading.take_file(_find_file(args, environ, cwd, reading))
    reading.take_environment(environ)
    reading.take_flags(args)
    reading.settle(environ)
    reading.take_secrets(clock if make_secrets else None)
    if reading.problems:
        raise ConfigError(reading.problems)
    return Loaded(
        config=reading.tree(),
        sources=MappingProxyType({name: reading.sources.get(name, "default") for name in SETTINGS}),
        warnings=tuple(reading.warnings),
        file=reading.file,
    )


def _find_file(args: Mapping[str, str], environ: Mapping[str, str], cwd: Path, reading: _Reading) -> Path | None:
    """The file that is named, which must exist, else the first of the usual places that does."""
    for where, named in (
        ("flag --config", args.get("config")),
        ("environment AMTRIO_CONFIG", environ.get("AMTRIO_CONFIG")),
    ):
        if named:
            try:
                path = cwd / home_expanded(named)
            except BadValue as error:
                reading.problems.append(Problem(where, "", str(error)))
                return None
            if path.is_file():
                return path
            reading.problems.append(Problem(where, "", f"there is no file {path}"))
            return None
    # The file may stand in the data directory, so that one volume holds all; only flags and environment can move that.
    early = _Reading(cwd)
    early.take_environment({name: value for name, value in environ.items() if name in _PLACES})
    early.take_flags({name: value for name, value in args.items() if name in _PLACES})
    early.settle_places()
    for path in (cwd / "amtrio.toml", early.value("storage.data_dir") / "amtrio.toml"):
        if path.is_file():
            return cast("Path", path)
    return None


_PLACES: Final = frozenset(
    name
    for place in (SETTINGS["storage.data_dir"], SETTINGS["storage.db_path"])
    for name in (place.name, place.flag, *place.variables)
)


class _Reading:
    """Values, sources and problems while the sources are gone through, weakest first."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.file: Path | None = None
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.warnings: list[str] = []

    def value(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        section, _, key = name.partition(".")
        return getattr(SECTIONS[section](), key)

    def _take(self, setting: Setting, given: object, source: str, base: Path, where: str = "") -> None:
        try:
            self.values[setting.name] = setting.kind.read(given, base)
            self.sources[setting.name] = source
        except BadValue as error:
            self.problems.append(Problem(where or source, setting.kind.shape(given), str(error)))

    def take_file(self, path: Path | None) -> None:
        if path is None:
            return
        self.file = path
        try:
            with path.open("rb") as file:
                tables = tomllib.load(file)
        except OSError as error:
            self.problems.append(Problem(str(path), "", f"cannot be read: {error.strerror}"))
            return
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.problems.append(Problem(str(path), "", f"is not valid TOML: {error}"))
            return
        for section, table in tables.items():
            if section not in SECTIONS:
                self._unknown(path, section, SECTIONS)
            elif not isinstance(table, dict):
                self.problems.append(Problem(f"{path}: {section}", "", f"must be a table: [{section}]"))
            else:
                for key, given in table.items():
                    name = f"{section}.{key}"
                    if name in SETTINGS:
                        self._take(SETTINGS[name], given, str(path), path.parent, f"{path}: {name}")
                    else:
                        self._unknown(path, name, SETTINGS)
        if path.stat().st_mode & 0o077 and any(SETTINGS[name].kind.is_secret for name in self.values):
            self.warnings.append(f"{path} holds secrets and may be read by others: chmod 600 {path}")

    def _unknown(self, path: Path, name: str, known: Mapping[str, object]) -> None:
        self.problems.append(Problem(f"{path}: {name}", "", f"there is no such setting{_nearest(name, known)}"))

    def take_environment(self, environ: Mapping[str, str]) -> None:
        ours: set[str] = set()
        for setting in SETTINGS.values():
            given = [name for name in setting.variables if name in environ]
            ours.update(given)
            if not given:
                continue
            self._take(setting, environ[given[0]], f"environment {given[0]}", self.cwd)
            self.warnings.extend(
                f"{other} differs from {given[0]}, which wins"
                for other in given[1:]
                if environ[other] != environ[given[0]]
            )
        # A warning and no error: orchestrators put variables of their own under the name of a service.
        prefixes = tuple(f"AMTRIO_{section.upper()}_" for section in SECTIONS)
        known = {name: None for setting in SETTINGS.values() for name in setting.variables}
        self.warnings.extend(
            f"the environment has {name}, which is no setting{_nearest(name, known)}"
            for name in sorted(environ)
            if name.startswith(prefixes) and name not in ours
        )
        self.warnings.extend(f"{name} means nothing to this server" for name in _WITHOUT_MEANING if name in environ)

    def take_flags(self, args: Mapping[str, str]) -> None:
        for name, given in args.items():
            if name in FLAGS:
                self._take(FLAGS[name], given, f"flag --{name}", self.cwd)
            elif name in SETTINGS:
                self._take(SETTINGS[name], given, f"flag --set {name}", self.cwd)
            elif name != "config":
                known = {each if "." in each else f"--{each}": None for each in (*FLAGS, *SETTINGS)}
                rule = f"there is no such setting{_nearest(name if '.' in name else f'--{name}', known)}"
                self.problems.append(Problem(f"flag --{name}", "", rule))

    def settle(self, environ: Mapping[str, str]) -> None:
        """The rules between settings."""
        self.settle_places()
        if "DATABASE_URL" in environ:
            if self.sources.get("storage.driver"):
                self.warnings.append("DATABASE_URL is ignored: the database is the file at storage.db_path")
            else:
                rule = (
                    "PostgreSQL is not supported by this version; unset it, or set DB_DRIVER=sqlite3 to have it ignored"
                )
                self.problems.append(Problem("environment DATABASE_URL", "", rule))
        self._settle_tls()
        interval, timeout = "sessions.agent_heartbeat_interval_s", "sessions.agent_heartbeat_timeout_s"
        least = 2 * self.value(interval)
        if self.value(timeout) < least:  # as the reference does it
            self.warnings.append(f"{timeout} is raised to {least:g} s, twice the interval")
            self.values[timeout] = least
            self.sources[timeout] = f"twice {interval}"
        if self.value("sessions.dead_after_s") <= self.value("sessions.ping_every_s"):
            self._clash("sessions.dead_after_s", "must be longer than sessions.ping_every_s")

    def settle_places(self) -> None:
        """Everything lies in the data directory, and that is where the database is, unless said otherwise."""
        if "storage.data_dir" not in self.values:
            if "storage.db_path" in self.values:
                self.values["storage.data_dir"] = self.values["storage.db_path"].parent
                self.sources["storage.data_dir"] = "folder of storage.db_path"
            else:
                self.values["storage.data_dir"] = self.cwd / "data"
        data_dir = self.values["storage.data_dir"]
        for name, file_name in (("storage.db_path", "amtrio.db"), ("storage.upload_dir", "uploads")):
            if name not in self.values:
                self.values[name] = data_dir / file_name
                if "storage.data_dir" in self.sources:
                    self.sources[name] = "in storage.data_dir"

    def _settle_tls(self) -> None:
        cert, key = self.value("server.tls_cert"), self.value("server.tls_key")
        if (cert is None) != (key is None):
            given, missing = (
                ("server.tls_cert", "server.tls_key") if key is None else ("server.tls_key", "server.tls_cert")
            )
            self._clash(given, f"needs {missing} as well")
        for name in ("server.tls_cert", "server.tls_key"):
            path = self.value(name)
            if path is not None and not path.is_file():
                self._clash(name, f"there is no file {path}")

    def _clash(self, name: str, rule: str) -> None:
        source = self.sources.get(name, "default")
        self.problems.append(Problem(f"{name} ({source})", "", rule))

    def take_secrets(self, clock: Clock | None) -> None:
        """What nobody configured comes from the data directory, and is made there if need be."""
        names = [name for name, setting in _MADE.items() if setting not in self.values]
        # With a problem already found nothing will start: leave the disk as it is.
        clock = None if self.problems else clock
        if not names:
            return
        data_dir = self.value("storage.data_dir")
        made: list[str] = []
        try:
            if clock is None:
                found = secret_file.read(data_dir)
            else:
                found, made = secret_file.read_or_make(data_dir, names, clock.new_secret)
        except secret_file.SecretFileError as error:
            self.problems.append(Problem("secrets", "", str(error)))
            return
        path = data_dir / secret_file.FILE_NAME
        for name in names:
            if name in found:
                source = f"made now, kept in {path}" if name in made else str(path)
                self._take(SETTINGS[_MADE[name]], found[name], source, data_dir, f"{path}: {name}")
            else:
                self.sources[_MADE[name]] = "not made yet"

    def tree(self) -> Config:
        sections = {
            section: kind(**{key.name: self.value(f"{section}.{key.name}") for key in dataclasses.fields(kind)})
            for section, kind in SECTIONS.items()
        }
        return Config(**sections)


def _nearest(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
