"""The tree itself: the defaults obey their own rules, and the older names are all there."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from amtrio.config import FLAGS, SETTINGS, Config, Server
from amtrio.config.tree import SECTIONS

# What the reference reads, and what its documents mention although it never does.
REFERENCE_VARIABLES = """
    PORT DB_DRIVER DATABASE_DRIVER DB_PATH DATABASE_PATH JWT_SECRET AGENT_SECRET ADMIN_SECRET ADMIN_API_KEY LOG_LEVEL
    CORS_ALLOWED_ORIGINS AUTH_RATE_LIMIT IP_RATE_LIMIT MAX_UPLOAD_SIZE MAX_WS_MESSAGE_SIZE AGENT_HEARTBEAT_ENABLED
    AGENT_HEARTBEAT_INTERVAL AGENT_HEARTBEAT_TIMEOUT WEBCHAT_ENABLED WEBCHAT_DIR MESSAGE_RATE_USER MESSAGE_RATE_AGENT
    EPHEMERAL_RATE AGENT_SELF_REGISTRATION APNS_ENABLED APNS_CERT_PATH APNS_CERT_PASSWORD APNS_KEY_ID APNS_TEAM_ID
    APNS_KEY_PATH APNS_BUNDLE_ID APNS_ENVIRONMENT FCM_ENABLED FCM_CREDENTIALS_PATH FCM_SERVICE_ACCOUNT VAPID_PUBLIC_KEY
    VAPID_PRIVATE_KEY OTEL_ENABLED OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_HTTP_ENDPOINT
    OTEL_EXPORTER_OTLP_PROTOCOL OTEL_SERVICE_NAME OTEL_SAMPLING_RATE
""".split()


def test_every_default_obeys_its_own_rule() -> None:
    """
    Whatever `amtrio config` prints as a default could be written into a file.
    """
    config = Config()
    for name, setting in SETTINGS.items():
        section, _, key = name.partition(".")
        default = getattr(getattr(config, section), key)
        shown = setting.kind.show(default)
        if setting.kind.is_secret or default is None:
            assert shown == ""
        else:
            assert setting.kind.read(shown, Path()) == default, name


def test_no_two_settings_share_a_name() -> None:
    """
    A variable or a flag means one thing.
    """
    names = Counter(name for setting in SETTINGS.values() for name in setting.variables)
    assert [name for name, times in names.items() if times > 1] == []
    flags = [setting.flag for setting in SETTINGS.values() if setting.flag]
    assert sorted(flags) == sorted(FLAGS)


def test_the_names_of_the_reference_are_known() -> None:
    """
    An installation of the reference brings its environment along.
    """
    known = {name for setting in SETTINGS.values() for name in setting.variables}
    assert set(REFERENCE_VARIABLES) - known == set()


def test_every_setting_has_its_own_variable_and_a_line_for_people() -> None:
    """
    `section.name` is AMTRIO_SECTION_NAME, first of all.
    """
    for name, setting in SETTINGS.items():
        assert setting.variables[0] == f"AMTRIO_{name.replace('.', '_').upper()}"
        assert setting.about
    assert set(SECTIONS) == {each.name for each in dataclasses.fields(Config)}


def test_the_tree_is_frozen() -> None:
    """
    Nobody changes a setting under the feet of others.
    """
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().server.port = 1  # type: ignore[misc]
    assert Config(server=Server(port=0)).server.port == 0
