"""The tree of settings: every name, its default, its rule and its older names in the environment.

Names end in their unit: `_s` seconds, `_bytes`, `_per_minute`; 0 means "no limit" where the line says so.

`Config()` is the tree of defaults with no secrets at all, for tests: `Config(server=Server(port=0))`.

Knows nothing of files, flags or the environment; sources.py does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from amtrio.config.kinds import (
    BOOLEAN,
    FOREIGN_SECRET,
    NETWORKS,
    NO_SECRET,
    OPTIONAL_PATH,
    ORIGINS,
    PATH,
    Kind,
    Network,
    Secret,
    choice,
    duration,
    number,
    secret,
    setting,
    size,
    text,
    whole,
)

_KIB: Final = 1 << 10
_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_MAX_RATE: Final = 10_000_000
_HTTPS_URL: Final = text("http://... or https://...", pattern=r"(https?://\S+)?")


class Setting(NamedTuple):
    """
    What is known of one setting beside its value.

    Attributes:
        name: dotted, `server.port`.
        variables: of the environment, the strongest first.
        flag: without dashes, or empty.
        about: one line for people.
    """

    name: str
    kind: Kind[Any]
    variables: tuple[str, ...]
    flag: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The port and what it takes in before anybody has proved anything."""

    # All interfaces, as the reference: containers and phones on the same network reach it. No default secret exists.
    host: str = setting("0.0.0.0", text("a host name or address", pattern=r"\S+"), "address to listen on", flag="host")  # noqa: S104
    port: int = setting(8080, whole(0, 65535), "port to listen on; 0 = any free one", "PORT", flag="port")
    tls_cert: Path | None = setting(None, OPTIONAL_PATH, "certificate chain (PEM), for TLS of our own", flag="tls-cert")
    tls_key: Path | None = setting(None, OPTIONAL_PATH, "private key (PEM) of tls_cert", flag="tls-key")
    # Hypercorn's own default (h11_max_incomplete_size); a token and cookies need a quarter of it.
    max_header_bytes: int = setting(16 * _KIB, size(1 * _KIB, 1 * _MIB), "longest request head")
    max_body_bytes: int = setting(1 * _MIB, size(1 * _KIB, 1 * _GIB), "longest request body that is no upload")
    header_timeout_s: float = setting(10.0, duration(0.1, 3600), "time for a whole request head to arrive")
    body_timeout_s: float = setting(30.0, duration(0.1, 3600), "longest pause inside a request body")
    # Longer than the 60 s for which nginx keeps an idle upstream connection: the side that reuses must time out first.
    keep_alive_s: float = setting(75.0, duration(0.1, 3600), "how long an idle kept-alive connection stays open")
    trusted_proxies: tuple[Network, ...] = setting(
        (), NETWORKS, "whose X-Forwarded-For counts", "TRUSTED_PROXIES", flag="trusted-proxies"
    )
    cors_allowed_origins: tuple[str, ...] = setting(
        (), ORIGINS, "web pages of other hosts that may call the server; * = all", "CORS_ALLOWED_ORIGINS"
    )
    webchat_enabled: bool = setting(True, BOOLEAN, "serve the web chat at /", "WEBCHAT_ENABLED")  # noqa: FBT003
    webchat_dir: Path | None = setting(None, OPTIONAL_PATH, "another built web client than our own", "WEBCHAT_DIR")
    drain_s: float = setting(10.0, duration(0.1, 600), "budget of an orderly stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where the data is and how much of it is kept."""

    driver: str = setting(
        "sqlite3",
        choice("sqlite3", aliases={"sqlite": "sqlite3"}, note="the only database of this version"),
        "kind of database",
        "DB_DRIVER",
        "DATABASE_DRIVER",
        flag="db-driver",
    )
    data_dir: Path = setting(Path("data"), PATH, "folder of everything that lasts", flag="data-dir")
    db_path: Path = setting(
        Path("data/amtrio.db"),
        PATH,
        "database file; its folder is the default of data_dir",
        "DB_PATH",
        "DATABASE_PATH",
        flag="db",
    )
    upload_dir: Path = setting(Path("data/uploads"), PATH, "folder of attachments")
    reader_threads: int = setting(4, whole(1, 64), "threads that read the database")
    log_max_age_days: float = setting(90.0, number(1, 36_500), "how long a device may be away and still catch up")
    log_max_rows_per_account: int = setting(
        100_000, whole(1_000, 100_000_000, "rows"), "events kept per account to catch up from"
    )
    wal_alarm_bytes: int = setting(
        256 * _MIB, size(1 * _MIB, 64 * _GIB), "size of the write-ahead log that is worth a warning"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What is secret of the server itself; whatever is left out is made once and kept in the data directory."""

    # RFC 7518, 3.2: a key for HS256 has at least 256 bits.
    jwt: Secret = setting(NO_SECRET, secret(32), "signs the tokens of people", "JWT_SECRET")
    agent: Secret = setting(NO_SECRET, secret(16), "lets agents register themselves", "AGENT_SECRET")
    admin: Secret = setting(NO_SECRET, secret(16), "opens the admin routes", "ADMIN_SECRET", "ADMIN_API_KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """Who gets in."""

    access_token_hours: float = setting(24.0, number(0.01, 8_760), "life of an access token; older clients expect 24")
    refresh_token_days: float = setting(
        90.0, number(0.01, 3_650), "how long a browser stays signed in that is not used"
    )
    attempts_per_minute: int = setting(
        30,
        whole(0, _MAX_RATE),
        "sign-ins and registrations per address; 0 = no limit",
        "AUTH_RATE_LIMIT",
        "IP_RATE_LIMIT",
    )
    registration: str = setting(
        "open",
        choice("open", "invitation", "closed"),
        "whether people may register themselves; administrators can change it while the server runs",
        "REGISTRATION",
    )
    agent_self_registration: str = setting(
        "open",
        choice("open", "known", "off"),
        "whether AGENT_SECRET lets in any agent, only known ones, or none",
        "AGENT_SELF_REGISTRATION",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one account or address may ask for."""

    max_ws_message_bytes: int = setting(
        64 * _KIB, size(1 * _KIB, 16 * _MIB), "longest frame taken in", "MAX_WS_MESSAGE_SIZE"
    )
    max_upload_bytes: int = setting(50 * _MIB, size(1, 1024 * _GIB), "largest attachment", "MAX_UPLOAD_SIZE")
    upload_quota_bytes: int = setting(
        1 * _GIB, size(0, 1024 * 1024 * _GIB), "attachments of one person or agent together; 0 = no limit"
    )
    user_messages_per_minute: int = setting(120, whole(0, _MAX_RATE), "per person; 0 = no limit", "MESSAGE_RATE_USER")
    agent_messages_per_minute: int = setting(
        6_000, whole(0, _MAX_RATE), "per agent, and as many other commands; 0 = no limit", "MESSAGE_RATE_AGENT"
    )
    ephemeral_per_minute: int = setting(
        600,
        whole(0, _MAX_RATE),
        "typing, status and the like per account, and as many other commands of a person; 0 = no limit",
        "EPHEMERAL_RATE",
    )
    requests_per_minute: int = setting(1_200, whole(0, _MAX_RATE), "REST requests per agent; 0 = no limit")
    # The older server's three tiers and their numbers.
    free_requests_per_minute: int = setting(60, whole(0, _MAX_RATE), "REST requests per person; 0 = no limit")
    pro_requests_per_minute: int = setting(300, whole(0, _MAX_RATE), "the same in tier `pro`; 0 = no limit")
    enterprise_requests_per_minute: int = setting(
        1_500, whole(0, _MAX_RATE), "the same in tier `enterprise`; 0 = no limit"
    )
    key_bundles_per_minute: int = setting(
        6, whole(0, _MAX_RATE), "key bundles that one account may take of another; 0 = no limit"
    )
    connections_per_account: int = setting(64, whole(0, _MAX_RATE), "open sockets per account; 0 = no limit")
    # Generous: without trusted_proxies everybody behind a reverse proxy shares its address.
    connections_per_address: int = setting(2_000, whole(0, _MAX_RATE), "open connections per address; 0 = no limit")
    connections: int = setting(20_000, whole(0, _MAX_RATE), "open connections in all; 0 = no limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """How a socket lives and dies."""

    ping_every_s: float = setting(25.0, duration(1, 3600), "silence after which the server pings; proxies cut at 60 s")
    dead_after_s: float = setting(60.0, duration(1, 3600), "silence after which a socket is given up")
    hello_timeout_s: float = setting(10.0, duration(0.1, 600), "time for a new socket to say who it is")
    stall_s: float = setting(
        30.0, duration(0.1, 3600), "time without one byte drained after which a slow socket is closed"
    )
    high_water_bytes: int = setting(
        64 * _KIB, size(1 * _KIB, 64 * _MIB), "buffer per socket past which it catches up from the log"
    )
    units_in_flight: int = setting(32, whole(1, 1024), "commands of one socket that may wait for the database at once")
    confirm_after_ms: int = setting(
        250, whole(1, 60_000, "milliseconds"), "older clients: wait before the confirming ping"
    )
    confirm_after_events: int = setting(64, whole(1, 10_000), "older clients: events before the confirming ping")
    max_read_delay_s: float = setting(
        5.0, duration(0, 60), "how long a sender over budget is slowed before it is refused"
    )
    # Shipped clients repeat the sign every 3 s while it goes on; two missed ones end it.
    typing_stop_s: float = setting(6.0, duration(0.1, 600), "after which typing ends by itself")
    agent_heartbeat_enabled: bool = setting(
        False,  # noqa: FBT003
        BOOLEAN,
        "give up agents that show no sign of life",
        "AGENT_HEARTBEAT_ENABLED",
    )
    agent_heartbeat_interval_s: float = setting(
        30.0, duration(1, 86_400), "how often that is looked at", "AGENT_HEARTBEAT_INTERVAL"
    )
    agent_heartbeat_timeout_s: float = setting(
        90.0, duration(1, 86_400), "silence that ends an agent; at least twice the interval", "AGENT_HEARTBEAT_TIMEOUT"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Answers that are shown while they are made."""

    # A screen shows 60 pictures a second and nobody reads more than 30; each merge saves a frame per device.
    merge_ms: int = setting(30, whole(1, 1_000, "milliseconds"), "pieces of an answer within this time go together")
    checkpoint_s: float = setting(1.0, duration(0.1, 60), "how often what was said so far is written to disk")
    agent_grace_s: float = setting(
        30.0, duration(0.1, 3_600), "how long an answer waits for its agent to come back before it ends as it is"
    )
    # It becomes one message, and no frame is longer than 900 KiB.
    max_bytes: int = setting(512 * _KIB, size(1 * _KIB, 512 * _KIB), "longest answer with all its parts")
    max_hours: float = setting(24.0, number(0.001, 720), "after which an answer is ended")
    open_per_agent: int = setting(200, whole(1, 100_000), "answers that one agent may be making at once")
    # A hundred answers at 50 tokens a second each; a frame may hold many tokens.
    frames_per_minute: int = setting(
        300_000, whole(0, _MAX_RATE), "pieces of answers per agent, past which they are read more slowly; 0 = no limit"
    )
    control_answer_s: float = setting(
        3.0, duration(0.1, 600), "time for an agent to confirm a stop before it is said not to answer"
    )
    stop_within_s: float = setting(15.0, duration(0.1, 3_600), "time for an agent to stop before it is stopped for it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Notifications to devices that are not looking."""

    grace_s: float = setting(5.0, duration(0, 600), "how long a message may stay unread before a device is woken")
    show_text: bool = setting(
        True,  # noqa: FBT003
        BOOLEAN,
        "show who wrote and what; Apple and Google read along, push services of browsers do not",
    )
    vapid_public_key: str = setting(
        "", text(), "Web Push; always that of vapid_private_key, whatever is said here", "VAPID_PUBLIC_KEY"
    )
    vapid_private_key: Secret = setting(
        NO_SECRET,
        FOREIGN_SECRET,
        "Web Push; made once and kept in the data directory if it is left out",
        "VAPID_PRIVATE_KEY",
    )
    vapid_subject: str = setting(
        "",
        text("mailto:... or https://...", pattern=r"((mailto:|https://)\S+)?"),
        "Web Push: whom to reach; Apple's push service insists on it",
        "VAPID_SUBJECT",
    )
    private_networks: tuple[Network, ...] = setting(
        (), NETWORKS, "Web Push: where push services of one's own may be, beside public addresses"
    )
    apns_enabled: bool = setting(False, BOOLEAN, "Apple", "APNS_ENABLED")  # noqa: FBT003
    apns_key_path: Path | None = setting(None, OPTIONAL_PATH, "Apple: signing key (.p8)", "APNS_KEY_PATH")
    apns_key_id: str = setting("", text(), "Apple", "APNS_KEY_ID")
    apns_team_id: str = setting("", text(), "Apple", "APNS_TEAM_ID")
    apns_cert_path: Path | None = setting(None, OPTIONAL_PATH, "Apple: certificate (PKCS#12)", "APNS_CERT_PATH")
    apns_cert_password: Secret = setting(NO_SECRET, FOREIGN_SECRET, "Apple", "APNS_CERT_PASSWORD")
    apns_bundle_id: str = setting("com.agentmessenger.ios", text(), "Apple: the app", "APNS_BUNDLE_ID")
    apns_environment: str = setting(
        "development", choice("development", "production"), "Apple: which gate", "APNS_ENVIRONMENT"
    )
    apns_url: str = setting("", _HTTPS_URL, "Apple: instead of that gate, for a relay")
    fcm_enabled: bool = setting(False, BOOLEAN, "Google", "FCM_ENABLED")  # noqa: FBT003
    fcm_credentials_path: Path | None = setting(
        None, OPTIONAL_PATH, "Google: service account (JSON)", "FCM_CREDENTIALS_PATH", "FCM_SERVICE_ACCOUNT"
    )
    fcm_url: str = setting("", _HTTPS_URL, "Google: instead of fcm.googleapis.com, for a relay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What is written to standard error."""

    level: str = setting(
        "info",
        choice("debug", "info", "warning", "error", aliases={"warn": "warning"}),
        "least level",
        "LOG_LEVEL",
        flag="log-level",
    )
    format: str = setting(
        "auto",
        choice("auto", "json", "console"),
        "auto = console on a terminal, else JSON",
        "LOG_FORMAT",
        flag="log-format",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Counters for Prometheus."""

    enabled: bool = setting(True, BOOLEAN, "serve /metrics", "METRICS_ENABLED")  # noqa: FBT003


@dataclass(frozen=True, slots=True, kw_only=True)
class Otel:
    """Traces for OpenTelemetry."""

    enabled: bool = setting(False, BOOLEAN, "send traces", "OTEL_ENABLED")  # noqa: FBT003
    endpoint: str = setting(
        "",
        text(),
        "collector; over HTTP its base, to which `/v1/traces` is added",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HTTP_ENDPOINT",
    )
    traces_endpoint: str = setting(
        "", text(), "collector for traces, wins over `endpoint`; used as it is", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    )
    protocol: str = setting(
        "grpc",
        choice("grpc", "http", aliases={"http/protobuf": "http"}),
        "how to send",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    )
    service_name: str = setting("amtrio", text(), "how we are called there", "OTEL_SERVICE_NAME")
    sampling_rate: float = setting(
        0.1, number(0, 1), "share of requests and frames that are traced", "OTEL_SAMPLING_RATE"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be set."""

    server: Server = field(default_factory=Server)
    storage: Storage = field(default_factory=Storage)
    secrets: Secrets = field(default_factory=Secrets)
    auth: Auth = field(default_factory=Auth)
    limits: Limits = field(default_factory=Limits)
    sessions: Sessions = field(default_factory=Sessions)
    runs: Runs = field(default_factory=Runs)
    push: Push = field(default_factory=Push)
    log: Log = field(default_factory=Log)
    metrics: Metrics = field(default_factory=Metrics)
    otel: Otel = field(default_factory=Otel)


SECTIONS: Final[Mapping[str, type]] = MappingProxyType(
    {each.name: cast("type", each.default_factory) for each in dataclasses.fields(Config)}
)


def _settings() -> Iterator[Setting]:
    for section, kind in SECTIONS.items():
        for each in dataclasses.fields(kind):
            about = each.metadata
            variables = (f"AMTRIO_{section}_{each.name}".upper(), *about["variables"])
            yield Setting(f"{section}.{each.name}", about["kind"], variables, about["flag"], about["about"])


SETTINGS: Final[Mapping[str, Setting]] = MappingProxyType({each.name: each for each in _settings()})
FLAGS: Final[Mapping[str, Setting]] = MappingProxyType({each.flag: each for each in SETTINGS.values() if each.flag})
