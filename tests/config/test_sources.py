"""Where settings come from, which source wins, and how every mistake is reported at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.config import SETTINGS, ConfigError, load

GOOD = "correct-horse-battery-staple-0123456789"
SECRETS = {"JWT_SECRET": GOOD, "AGENT_SECRET": GOOD, "ADMIN_SECRET": GOOD}


def problems(args: dict[str, str], environ: dict[str, str], cwd: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(args, environ, cwd)
    return [str(each) for each in caught.value.problems]


def test_nothing_given_is_a_working_server(tmp_path: Path) -> None:
    """
    Defaults start; secrets are made in the data directory, once.
    """
    first = load({}, {}, tmp_path)
    assert first.config.server.port == 8080
    assert first.config.storage.db_path == tmp_path / "data" / "amtrio.db"
    assert first.config.storage.upload_dir == tmp_path / "data" / "uploads"
    assert first.sources["server.port"] == "default"
    assert first.sources["secrets.jwt"] == f"made now, kept in {tmp_path}/data/secrets.toml"
    # As is the key of Web Push, which is of no other section's form.
    assert first.sources["push.vapid_private_key"] == f"made now, kept in {tmp_path}/data/secrets.toml"
    assert len(first.config.push.vapid_private_key.reveal()) == 43
    assert first.warnings == ()

    second = load({}, {}, tmp_path)
    assert second.config == first.config
    assert second.sources["secrets.jwt"] == f"{tmp_path}/data/secrets.toml"
    assert len({each.reveal() for each in (second.config.secrets.jwt, second.config.secrets.agent)}) == 2


def test_flags_beat_environment_beats_file_beats_default(tmp_path: Path) -> None:
    """
    Four sources, four winners, each named.
    """
    file = tmp_path / "amtrio.toml"
    file.write_text('[server]\nport = 1\nhost = "a"\n[log]\nlevel = "debug"\n')
    loaded = load({"port": "3"}, {"PORT": "2", "AMTRIO_SERVER_HOST": "b", **SECRETS}, tmp_path)
    assert (loaded.config.server.port, loaded.sources["server.port"]) == (3, "flag --port")
    assert (loaded.config.server.host, loaded.sources["server.host"]) == ("b", "environment AMTRIO_SERVER_HOST")
    assert (loaded.config.log.level, loaded.sources["log.level"]) == ("debug", str(file))
    assert (loaded.config.log.format, loaded.sources["log.format"]) == ("auto", "default")
    assert loaded.file == file


def test_our_own_name_beats_the_older_one(tmp_path: Path) -> None:
    """
    Two names for one setting that differ are worth a warning; equal ones are not.
    """
    loaded = load({}, {"PORT": "1", "AMTRIO_SERVER_PORT": "2", "DB_PATH": "x.db", "DATABASE_PATH": "x.db"}, tmp_path)
    assert loaded.config.server.port == 2
    assert loaded.warnings == ("PORT differs from AMTRIO_SERVER_PORT, which wins",)


def test_dotted_names_reach_every_setting(tmp_path: Path) -> None:
    """
    What has no flag of its own can still be given on the command line.
    """
    loaded = load({"sessions.stall_s": "5s", "secrets.jwt": GOOD}, {}, tmp_path)
    assert loaded.config.sessions.stall_s == 5.0
    assert loaded.sources["sessions.stall_s"] == "flag --set sessions.stall_s"
    assert loaded.config.secrets.jwt.reveal() == GOOD


def test_empty_variables_are_absent(tmp_path: Path) -> None:
    """
    Compose files write PORT= for "not set".
    """
    assert load({}, {"PORT": "", "DATABASE_URL": "", "JWT_SECRET": ""}, tmp_path).config.server.port == 8080


def test_all_problems_at_once_and_no_value_in_them(tmp_path: Path) -> None:
    """
    Each line has the name, the shape and the rule; nothing is made on disk.
    """
    (tmp_path / "amtrio.toml").write_text('[server]\nprot = 1\nport = "http"\n[storrage]\nx = 1\n[log]\nlevel = 5\n')
    found = problems(
        {"host": "a b", "potr": "1", "sessions.stal_s": "1"},
        {"MAX_UPLOAD_SIZE": "100M", "JWT_SECRET": "hunter2", "ADMIN_SECRET": "admin-dev-secret"},
        tmp_path,
    )
    file = tmp_path / "amtrio.toml"
    shown_as = "characters; every letter shown as a, every digit as 9"
    assert found == [
        f"{file}: server.prot: there is no such setting; did you mean server.port?",
        f"{file}: server.port: must be a whole number from 0 to 65535; got 'aaaa' (4 {shown_as})",
        f"{file}: storrage: there is no such setting; did you mean storage?",
        f"{file}: log.level: must be one of debug, info, warning, error; got a whole number",
        (
            "environment JWT_SECRET: must be at least 32 bytes long and of at least 6 different characters; got text "
            "of 7 bytes"
        ),
        (
            "environment ADMIN_SECRET: is a published example, known to everybody; make one of your own, or leave it "
            "out; got text of 16 bytes"
        ),
        (
            "environment MAX_UPLOAD_SIZE: must be a size from 1 to 1TB: bytes, or a number with B, KB, MB, GB or TB; "
            f"got '999a' (4 {shown_as})"
        ),
        f"flag --host: must be a host name or address; got 'a a' (3 {shown_as})",
        "flag --potr: there is no such setting; did you mean --port?",
        "flag --sessions.stal_s: there is no such setting; did you mean sessions.stall_s?",
    ]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("content", ["[server", "port = 1", '[server]\nport = "\ud800"'])
def test_a_file_of_another_shape_is_a_problem(tmp_path: Path, content: str) -> None:
    """
    Bad TOML, a bare key and bad UTF-8 are each told with the file's name.
    """
    path = tmp_path / "amtrio.toml"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert [each.startswith(str(path)) for each in problems({}, {}, tmp_path)] == [True]


def test_which_file_is_read(tmp_path: Path) -> None:
    """
    The named one, which must exist; else the one here; else the one in the data directory.
    """
    data = tmp_path / "elsewhere"
    data.mkdir()
    named, here, there = tmp_path / "x.toml", tmp_path / "amtrio.toml", data / "amtrio.toml"
    environ = {"AMTRIO_STORAGE_DATA_DIR": "elsewhere"}

    there.write_text("[server]\nport = 1\n")
    assert load({}, environ, tmp_path).file == there
    assert load({}, {"DB_PATH": "elsewhere/old.db"}, tmp_path).file == there
    here.write_text("[server]\nport = 2\n")
    assert load({}, environ, tmp_path).file == here
    named.write_text("[server]\nport = 3\n")
    assert load({}, environ | {"AMTRIO_CONFIG": "x.toml"}, tmp_path).config.server.port == 3
    assert load({"config": str(named)}, environ | {"AMTRIO_CONFIG": "y.toml"}, tmp_path).config.server.port == 3

    assert problems({"config": "y.toml"}, {}, tmp_path) == [f"flag --config: there is no file {tmp_path}/y.toml"]
    assert problems({}, {"AMTRIO_CONFIG": "y.toml"}, tmp_path) == [
        f"environment AMTRIO_CONFIG: there is no file {tmp_path}/y.toml"
    ]


def test_paths_start_from_their_source(tmp_path: Path) -> None:
    """
    In a file from the file's folder, elsewhere from the folder we were started in.
    """
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "a.toml").write_text('[storage]\ndata_dir = "d"\nupload_dir = "u"\n')
    loaded = load({"config": "etc/a.toml", "data-dir": "f"}, {}, tmp_path)
    assert loaded.config.storage.data_dir == tmp_path / "f"
    assert loaded.config.storage.upload_dir == folder / "u"


def test_the_database_names_the_data_directory(tmp_path: Path) -> None:
    """
    An installation of the reference says DB_PATH and nothing else.
    """
    loaded = load({}, {"DB_PATH": "srv/x.db"}, tmp_path)
    assert loaded.config.storage.data_dir == tmp_path / "srv"
    assert loaded.config.storage.upload_dir == tmp_path / "srv" / "uploads"
    assert loaded.sources["storage.data_dir"] == "folder of storage.db_path"

    both = load({"data-dir": "d", "db": "e/x.db"}, {}, tmp_path).config.storage
    assert (both.data_dir, both.db_path) == (tmp_path / "d", tmp_path / "e" / "x.db")


def test_postgresql_is_refused_by_name(tmp_path: Path) -> None:
    """
    DATABASE_URL stops the start, unless DB_DRIVER=sqlite3 says that it may be ignored.
    """
    url = {"DATABASE_URL": "postgres://user:hunter2@db/x"}
    (found,) = problems({}, url, tmp_path)
    assert found.startswith("environment DATABASE_URL: PostgreSQL is not supported")
    assert "hunter2" not in found

    found = problems({}, {"DB_DRIVER": "postgres"}, tmp_path)[0]
    assert found.startswith("environment DB_DRIVER: must be sqlite3, the only database of this version; got 'aaaaaaaa'")

    loaded = load({}, url | {"DB_DRIVER": "sqlite3"}, tmp_path)
    assert loaded.warnings == ("DATABASE_URL is ignored: the database is the file at storage.db_path",)


def test_the_heartbeat_timeout_is_at_least_twice_the_interval(tmp_path: Path) -> None:
    """
    As the reference raises it, in Go's notation; here with a warning.
    """
    loaded = load({}, {"AGENT_HEARTBEAT_INTERVAL": "1m30s", "AGENT_HEARTBEAT_TIMEOUT": "2m"}, tmp_path)
    assert loaded.config.sessions.agent_heartbeat_timeout_s == 180.0
    assert loaded.warnings == ("sessions.agent_heartbeat_timeout_s is raised to 180 s, twice the interval",)
    assert load({}, {"AGENT_HEARTBEAT_TIMEOUT": "60s"}, tmp_path).config.sessions.agent_heartbeat_timeout_s == 60.0


def test_rules_between_settings(tmp_path: Path) -> None:
    """
    A certificate needs its key, both must exist, and a socket must be pinged before it is given up.
    """
    (tmp_path / "cert.pem").write_text("")
    found = problems({"tls-cert": "cert.pem"}, {"AMTRIO_SESSIONS_DEAD_AFTER_S": "20"}, tmp_path)
    assert found == [
        "server.tls_cert (flag --tls-cert): needs server.tls_key as well",
        "sessions.dead_after_s (environment AMTRIO_SESSIONS_DEAD_AFTER_S): must be longer than sessions.ping_every_s",
    ]
    found = problems({"tls-cert": "cert.pem", "tls-key": "key.pem"}, {}, tmp_path)
    assert found == [f"server.tls_key (flag --tls-key): there is no file {tmp_path}/key.pem"]


def test_what_is_ignored_is_said(tmp_path: Path) -> None:
    """
    A misspelt variable of ours, and those of the reference that mean nothing here, are warned of.
    """
    environ = {"AMTRIO_SERVER_PROT": "1", "DB_MAX_OPEN_CONNS": "5", "AMTRIO_URL": "x", "AMTRIO_PORT": "tcp://x"}
    assert load({}, environ, tmp_path).warnings == (
        "the environment has AMTRIO_SERVER_PROT, which is no setting; did you mean AMTRIO_SERVER_PORT?",
        "DB_MAX_OPEN_CONNS means nothing to this server",
    )


def test_configured_secrets_leave_the_disk_alone(tmp_path: Path) -> None:
    """
    Only what is missing is made; with everything configured there is no file.
    """
    loaded = load({}, SECRETS | {"VAPID_PRIVATE_KEY": "a key"}, tmp_path)
    assert loaded.config.secrets.jwt.reveal() == GOOD
    assert not (tmp_path / "data").exists()

    load({}, {"JWT_SECRET": GOOD}, tmp_path)
    assert "jwt" not in (tmp_path / "data" / "secrets.toml").read_text()


def test_looking_makes_nothing(tmp_path: Path) -> None:
    """
    `amtrio config` before the first start leaves no trace.
    """
    loaded = load({}, {}, tmp_path, make_secrets=False)
    assert not loaded.config.secrets.jwt
    assert loaded.sources["secrets.jwt"] == "not made yet"
    assert list(tmp_path.iterdir()) == []


def test_a_spoilt_secret_file_stops_the_start(tmp_path: Path) -> None:
    """
    Readable by others, or edited into something too short.
    """
    load({}, {}, tmp_path)
    path = tmp_path / "data" / "secrets.toml"
    path.chmod(0o644)
    (found,) = problems({}, {}, tmp_path)
    assert "chmod 600" in found
    path.chmod(0o600)
    path.write_text(f'jwt = "short"\nagent = "{GOOD}"\nadmin = "{GOOD}"\n')
    (found,) = problems({}, {}, tmp_path)
    assert found.startswith(f"{path}: jwt: must be at least 32 bytes long")
    assert "short" not in found


def test_secrets_in_a_file_that_others_can_read_are_warned_of(tmp_path: Path) -> None:
    """
    The settings file may be public; with secrets in it, it should not be.
    """
    path = tmp_path / "amtrio.toml"
    path.write_text(f'[secrets]\njwt = "{GOOD}"\n')
    path.chmod(0o644)
    assert load({}, {}, tmp_path).warnings == (f"{path} holds secrets and may be read by others: chmod 600 {path}",)


@given(
    st.dictionaries(st.sampled_from([setting.variables[-1] for setting in SETTINGS.values()]), st.text(), max_size=5)
)
def test_no_environment_breaks_the_loader(tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]) -> None:
    """
    Any text in any variable is either understood or a ConfigError.
    """
    try:
        load(
            {}, {name: value.replace("\0", "") for name, value in environ.items()}, Path("/nowhere"), make_secrets=False
        )
    except ConfigError as error:
        assert error.problems


@pytest.mark.parametrize("environ", [{"AMTRIO_CONFIG": "~nobody-of-that-name/a.toml"}, {"DB_PATH": "~0"}])
def test_the_home_of_nobody_is_a_mistake_and_no_crash(environ: dict[str, str], tmp_path: Path) -> None:
    """
    A `~name` that nobody here has is reported like every other wrong value.
    """
    (problem,) = problems({}, SECRETS | environ, tmp_path)
    assert next(iter(environ)) in problem
    assert "home folder" in problem
