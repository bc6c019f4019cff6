"""A login session that a browser keeps in a cookie."""

from __future__ import annotations

import pytest

from amtrio.context import Answer, Context, Request
from amtrio.errors import Forbidden
from amtrio.model.browser_session import (
    account_of_cookie,
    check_own_page,
    go_on_in_browser,
    is_kept_in_browser,
    keep_in_browser,
)
from amtrio.model.people import SignedIn, open_session
from amtrio.store.database import Tx
from tests.features.conftest import Cast, cast, scene
from tests.harness import Scene

__all__ = ["cast", "scene"]


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({}, True),
        ({"Host": "chat.example", "Origin": "https://chat.example", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Host": "Chat.Example", "Origin": "http://chat.EXAMPLE"}, True),
        ({"Host": "backend", "Origin": "https://named.example"}, True),
        ({"Host": "chat.example", "Sec-Fetch-Site": "none"}, True),
        ({"Host": "chat.example", "Origin": "https://chat.example:8443"}, False),
        ({"Host": "chat.example", "Origin": "https://chat.example", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Host": "", "Origin": "null"}, False),
        ({"Host": "", "Origin": "https://"}, False),
    ],
)
async def test_which_pages_are_our_own(scene: Scene, headers: dict[str, str], *, is_own: bool) -> None:
    """Programs say nothing of a page; what a proxy calls us counts as well, where its word does."""
    ctx = Context(scene.running.services, origin="https://named.example", request=Request(header=headers.get))
    if is_own:
        check_own_page(ctx)
    else:
        with pytest.raises(Forbidden):
            check_own_page(ctx)


async def test_a_session_keeps_its_secret_until_it_ends(scene: Scene, cast: Cast) -> None:
    services = scene.running.services
    ctx = Context(services)

    def enter(tx: Tx) -> Answer[SignedIn]:
        return keep_in_browser(tx, ctx, open_session(tx, ctx, cast.alice.id))

    answer = await services.store.write(enter)
    secret = answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    session, now_us = answer.body.session_id, services.clock.now_us()
    assert await services.store.read(is_kept_in_browser, session)
    assert await services.store.read(account_of_cookie, secret, now_us) == f"u:{cast.alice.id}"
    again = await services.store.write(go_on_in_browser, ctx, secret)
    assert again is not None
    assert (again.body.session_id, again.headers) == (session, answer.headers)
    ninety_days_us = 90 * 86_400_000_000
    assert await services.store.read(account_of_cookie, secret, now_us + ninety_days_us - 60_000_000)
    assert await services.store.read(account_of_cookie, secret, now_us + ninety_days_us + 60_000_000) is None
    assert await services.store.write(go_on_in_browser, ctx, "guessed") is None
