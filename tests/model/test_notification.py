"""Whether an event may wake a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import amtrio.features  # noqa: F401 - registers every capability
from amtrio.app import open_services
from amtrio.context import Services
from amtrio.features.agents import AddAgent, operation_add
from amtrio.model.conversation import FOREVER_US, find_or_create
from amtrio.model.notification import MINUTES_PER_DAY, find_zone, is_between, is_silent, minute_of_day
from amtrio.model.own_state import mute
from amtrio.model.people import create_user
from amtrio.store.database import ReadTx, Row, Tx, Value
from tests.harness import config_for

BERLIN = ZoneInfo("Europe/Berlin")


def us(text: str, zone: ZoneInfo | None = None, *, fold: int = 0) -> int:
    """Microseconds since 1970 of a moment; with a zone, of what the wall there shows."""
    moment = datetime.fromisoformat(text)
    if zone is not None:
        moment = moment.replace(tzinfo=zone, fold=fold)
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass
class Stage:
    """alice and the agent `helper`, and their conversation."""

    services: Services
    alice: str
    talk: str

    async def prefer(
        self, *, muted_until: int | None = None, quiet: tuple[int, int] | None = None, zone: str = "UTC"
    ) -> None:
        def put(tx: Tx) -> None:
            tx.run("DELETE FROM notification_preference")
            tx.run(
                "INSERT INTO notification_preference VALUES (:account, :until, :start, :end, :zone, 0)",
                account=self.alice,
                until=muted_until,
                start=quiet[0] if quiet else None,
                end=quiet[1] if quiet else None,
                zone=zone,
            )

        await self.services.store.write(put)

    async def silent(self, at_us: int, *, account: str | None = None, talk: str | None = None) -> str | None:
        return await self.services.store.read(is_silent, account or self.alice, talk or self.talk, at_us)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_services(config_for(tmp_path)) as (services, _):
        await operation_add(services, AddAgent(agent_id="helper"))
        alice = "u:" + await services.store.write(create_user, services, "alice", "hash")
        talk = await services.store.write(find_or_create, services.clock, alice, "a:helper")
        yield Stage(services, alice, talk)


async def test_who_asked_for_nothing_is_woken(stage: Stage) -> None:
    """So is who is unknown, and news of a conversation that is none of theirs has no state to obey."""
    for account, talk in ((None, None), ("u:nobody", None), (None, "conv_missing"), ("a:helper", None)):
        assert await stage.silent(0, account=account, talk=talk) is None


async def test_muted_ends_at_its_moment(stage: Stage) -> None:
    """Everything, or one conversation; the wider reason is named."""
    await stage.prefer(muted_until=1000)
    assert [await stage.silent(at) for at in (999, 1000)] == ["muted", None]
    await stage.services.store.write(mute, stage.alice, stage.talk, 2000)
    assert [await stage.silent(at) for at in (999, 1000, 1999, 2000)] == [
        "muted", "conversation muted", "conversation muted", None,
    ]  # fmt: skip
    assert await stage.silent(1500, talk="another") is None
    assert await stage.silent(1500, account="a:helper") is None, "the other side has not muted it"
    await stage.services.store.write(mute, stage.alice, stage.talk, FOREVER_US)
    assert await stage.silent(us("2999-01-01T00:00:00+00:00")) == "conversation muted"


async def test_quiet_hours_are_the_walls(stage: Stage) -> None:
    """In the person's own time zone, over midnight, the end not included."""
    await stage.prefer(quiet=(22 * 60, 7 * 60 + 30), zone="Europe/Berlin")
    for text, is_quiet in (
        ("2026-01-10T21:59:59.999999", False),
        ("2026-01-10T22:00", True),
        ("2026-01-11T00:00", True),
        ("2026-01-11T07:29:59.999999", True),
        ("2026-01-11T07:30", False),
        ("2026-07-10T21:59", False),
        ("2026-07-10T22:00", True),
    ):
        assert await stage.silent(us(text, BERLIN)) == ("quiet hours" if is_quiet else None), text
    await stage.prefer(quiet=(22 * 60, 7 * 60 + 30), zone="Asia/Kolkata")
    assert await stage.silent(us("2026-01-10T16:30:00+00:00")) == "quiet hours"
    assert await stage.silent(us("2026-01-10T16:29:59+00:00")) is None


@pytest.mark.parametrize(
    ("quiet", "moment", "fold", "is_quiet"),
    [
        # In the night of 29 March 2026 the wall jumps from 02:00 to 03:00.
        ((150, 300), "2026-03-29T01:59", 0, False),
        ((150, 300), "2026-03-29T03:00", 0, True),
        ((60, 150), "2026-03-29T01:59", 0, True),
        ((60, 150), "2026-03-29T03:00", 0, False),
        # In that of 25 October it shows 02:00 to 03:00 twice.
        ((120, 150), "2026-10-25T02:10", 0, True),
        ((120, 150), "2026-10-25T02:40", 0, False),
        ((120, 150), "2026-10-25T02:10", 1, True),
        ((120, 150), "2026-10-25T02:40", 1, False),
    ],
)
async def test_a_change_of_the_clocks_needs_no_rule(
    stage: Stage, quiet: tuple[int, int], moment: str, fold: int, *, is_quiet: bool
) -> None:
    """What the wall shows decides, also in an hour that comes twice or not at all."""
    await stage.prefer(quiet=quiet, zone="Europe/Berlin")
    assert await stage.silent(us(moment, BERLIN, fold=fold)) == ("quiet hours" if is_quiet else None)


async def test_a_lost_time_zone_wakes(stage: Stage) -> None:
    """News at night is a lesser harm than none at all; nothing fails over it."""
    await stage.prefer(quiet=(0, MINUTES_PER_DAY - 1), zone="Europe/Atlantis")
    assert await stage.silent(us("2026-01-10T12:00:00+00:00")) is None


async def test_one_look_at_the_database_is_enough(stage: Stage) -> None:
    """Push asks this for every message of everybody."""
    asked: list[str] = []

    class Counting:
        def __init__(self, tx: ReadTx) -> None:
            self.tx = tx

        def one(self, sql: str, /, **params: Value) -> Row | None:
            asked.append(sql)
            return self.tx.one(sql, **params)

        def all(self, sql: str, /, **params: Value) -> list[Row]:
            asked.append(sql)
            return self.tx.all(sql, **params)

    await stage.prefer(quiet=(0, 60))
    assert (
        await stage.services.store.read(
            lambda tx: is_silent(Counting(tx), stage.alice, stage.talk, us("2026-01-10T00:30:00+00:00"))
        )
        == "quiet hours"
    )
    assert len(asked) == 1


@given(st.integers(0, MINUTES_PER_DAY - 1), st.integers(0, MINUTES_PER_DAY - 1), st.integers(0, MINUTES_PER_DAY - 1))
def test_the_day_is_divided_between_two_spans(minute: int, start: int, end: int) -> None:
    """Every minute lies in one of them, never in both."""
    if start != end:
        assert is_between(minute, start, end) != is_between(minute, end, start)
        assert is_between(start, start, end)
        assert not is_between(end, start, end)


@given(
    st.integers(0, us("2100-01-01T00:00:00+00:00")),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_the_wall_shows_what_the_library_says(at_us: int, name: str) -> None:
    zone = find_zone(name)
    assert zone is not None
    shown = datetime.fromtimestamp(at_us // 1_000_000, tz=zone)
    assert minute_of_day(at_us, zone) == shown.hour * 60 + shown.minute


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/", "/etc/passwd", "../../etc/passwd", "Europe", "Europe/", "x" * 5000, "a\x00b", "Ü", "+1"],
)
def test_a_name_that_is_no_time_zone(name: str) -> None:
    """Names are file names to the library: none of these opens one or fails."""
    assert find_zone(name) is None
