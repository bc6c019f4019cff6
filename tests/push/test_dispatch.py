"""Who is woken and when, seen from the push services: a real server, real devices, real HTTP."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from amtrio.config import Secret
from amtrio.features import accounts
from amtrio.features.accounts import RemoveUser
from amtrio.model.attention import Attention
from amtrio.push import dispatch
from amtrio.push.provider import CannotPush
from tests.conftest import Journal
from tests.features.conftest import Cast, post, send
from tests.harness import Agent, Person, Scene, open_scene
from tests.push.services import VAPID_KEY, Browser, Google, Service, open_service

SOON = 0.05


def push_settings(**fields: Any) -> dict[str, Any]:
    return {
        "grace_s": 0.0,
        "vapid_private_key": Secret(VAPID_KEY),
        "private_networks": (ipaddress.ip_network("127.0.0.0/8"),),
    } | fields


class Stage(Cast):
    """
    alice, bob and their agent; a push service.

    Attributes:
        phone: a browser of alice's that is not connected.
    """

    scene: Scene
    service: Service
    phone: Browser

    @property
    def pushes(self) -> dispatch.Dispatcher:
        return self.scene.running.pushes

    async def register(self, browser: Browser, who: Person | None = None, **fields: Any) -> str:
        answer = await post(self.scene, who or self.alice, "/push/devices", **browser.subscription, **fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def says(self, text: str, talk: str | None = None) -> str:
        """The agent writes to alice."""
        return str((await send(self.scene, self.helper, talk or self.talk, text))["message_id"])

    async def settled(self) -> None:
        """Nothing waits, and nothing is on its way."""
        await until(lambda: self.pushes.waiting == 0)

    def count(self, result: str, provider: str = "webpush") -> int:
        return self.scene.running.services.metrics.pushes.get((provider, result), 0)


async def until(is_so: Callable[[], Any]) -> None:
    """Look again and again."""
    with trio.fail_after(10):
        while not is_so():  # noqa: ASYNC110 - nobody tells of it
            await trio.sleep(0.005)


@asynccontextmanager
async def open_stage(directory: Path, service: Service, **settings: Any) -> AsyncIterator[Stage]:
    async with open_scene(directory, push=push_settings(**settings)) as scene:
        alice, bob = await scene.register("alice"), await scene.register("bob")
        helper = await scene.register_agent("helper")
        stage = Stage(
            alice, bob, helper, await scene.conversation(alice, helper), await scene.conversation(bob, helper)
        )
        stage.scene, stage.service, stage.phone = scene, service, Browser(service, "phone")
        yield stage


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with open_service(Service()) as service:
        yield service


@pytest.fixture
async def stage(tmp_path: Path, service: Service) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, service) as stage:
        yield stage


async def test_a_sleeping_phone_is_woken(stage: Stage) -> None:
    """With who wrote and what, where it belongs and how much is unread; nobody else is."""
    await stage.register(stage.phone)
    await stage.register(Browser(stage.service, "bobs"), stage.bob)
    message_id = await stage.says("Build finished ✓\n\nwith  2 warnings")
    shown = await stage.phone.next()
    assert shown == {
        "title": "helper",
        "body": "Build finished ✓ with 2 warnings",
        "tag": f"conversation-{stage.talk}",
        "conversation_id": stage.talk,
        "message_id": message_id,
        "url": f"./?conversation={stage.talk}",
        "unread": 1,
    }
    await stage.says("and 2 more")
    assert (await stage.phone.next())["unread"] == 2
    await stage.settled()
    assert stage.service.nothing_more()
    assert stage.count("sent") == 2


async def test_an_agents_socket_and_an_open_app_suppress_nothing(stage: Stage) -> None:
    """A socket says nothing about whether anybody looks: it may be a frozen tab."""
    await stage.register(stage.phone)
    async with stage.scene.device(stage.helper) as agent, stage.scene.old_device(stage.alice, "laptop"):
        await agent.send(stage.talk, "hello")
        assert (await stage.phone.next())["body"] == "hello"


async def test_nobody_is_woken_by_oneself(stage: Stage) -> None:
    """Not by one's own messages, and no agent is woken at all."""
    await stage.register(stage.phone)
    await send(stage.scene, stage.alice, stage.talk, "mine")
    assert stage.pushes.waiting == 0


async def test_reading_in_time_wakes_nobody(tmp_path: Path, service: Service) -> None:
    """Anywhere; and a message that was taken back wakes nobody either."""
    async with open_stage(tmp_path, service, grace_s=SOON * 4) as stage:
        await stage.register(stage.phone)
        laptop_login = await stage.scene.login("alice")
        async with stage.scene.device(laptop_login, "laptop") as laptop, stage.scene.device(stage.helper) as agent:
            await stage.says("read at once")
            await laptop.ask("read", conversation_id=stage.talk)
            sent = await agent.send(stage.talk, "taken back")
            await agent.ask("delete", message_id=sent["message_id"])
            assert stage.pushes.waiting == 1
            await stage.settled()
        assert stage.count("sent") == 0
        assert stage.service.asked == []


async def test_many_messages_wake_once(tmp_path: Path, service: Service) -> None:
    """What is shown is the newest; the time runs from the first."""
    async with open_stage(tmp_path, service, grace_s=SOON * 4) as stage:
        await stage.register(stage.phone)
        for number in range(5):
            await stage.says(f"number {number}")
        shown = await stage.phone.next()
        assert (shown["body"], shown["unread"]) == ("number 4", 5)
        await stage.settled()
        assert len(stage.service.asked) == 1


async def test_what_was_read_elsewhere_is_taken_back(stage: Stage) -> None:
    """By devices that know how; once; a message that is deleted or whose conversation goes is taken back, too."""
    tablet = Browser(stage.service, "tablet")
    await stage.register(stage.phone)
    await stage.register(tablet, can_withdraw=True)

    async def shown_on_both(text: str) -> str:
        message_id = await stage.says(text)
        paths = {(await stage.service.next()).path for _ in range(2)}
        assert paths == {"/push/phone", "/push/tablet"}
        await stage.settled()
        return message_id

    async def withdrawn() -> None:
        told = await tablet.next()
        assert (told["withdraw"], told["tag"], told["unread"]) == (True, f"conversation-{stage.talk}", 0)
        await stage.settled()
        assert stage.service.nothing_more()

    await shown_on_both("first")
    for _ in range(2):
        await post(stage.scene, stage.alice, f"/conversations/{stage.talk}/read")
    await withdrawn()
    message_id = await shown_on_both("second")
    await stage.scene.http.delete(f"/messages/{message_id}", headers=stage.helper.headers)
    await withdrawn()
    await shown_on_both("third")
    await stage.scene.http.delete(f"/conversations/{stage.talk}", headers=stage.alice.headers)
    await withdrawn()


async def test_what_is_read_while_it_is_on_its_way_is_taken_back(stage: Stage) -> None:
    """It is not on the screen yet when it is read, and would stay there."""
    await stage.register(stage.phone, can_withdraw=True)
    stage.service.hold = trio.Event()
    await stage.says("hello")
    await stage.service.next()
    await post(stage.scene, stage.alice, f"/conversations/{stage.talk}/read")
    stage.service.hold.set()
    assert (await stage.phone.next())["withdraw"]


async def test_whoever_looks_is_not_woken_until_nobody_looks(stage: Stage) -> None:
    """What is still unread then is news."""
    await stage.register(stage.phone)
    laptop_login = await stage.scene.login("alice")
    async with stage.scene.device(laptop_login, "laptop") as laptop:
        await laptop.say("visible", visible=True)
        await laptop.caught_up()
        await stage.says("in front of you")
        await until(lambda: stage.pushes.deferred == 1)
        await stage.says("and another one")
        await trio.testing.wait_all_tasks_blocked(0.02)
        assert stage.service.asked == []
        await laptop.say("visible", visible=False)
        shown = await stage.phone.next()
        assert (shown["body"], shown["unread"]) == ("and another one", 2)


async def test_a_socket_that_ends_looks_no_more(stage: Stage) -> None:
    """The last one of the account; what waited for it is told at once."""
    await stage.register(stage.phone)
    async with stage.scene.device(stage.alice, "laptop") as laptop:
        await laptop.say("visible", visible=True)
        await laptop.caught_up()
        await stage.says("in front of you")
        await until(lambda: stage.pushes.deferred == 1)
    assert (await stage.phone.next())["body"] == "in front of you"


@pytest.mark.parametrize("what", ["conversation", "everything"])
async def test_what_is_muted_wakes_nobody(stage: Stage, what: str) -> None:
    """And again when it is not."""
    path = f"/conversations/{stage.talk}/notifications" if what == "conversation" else "/notifications/preferences"
    await stage.register(stage.phone)
    await stage.scene.http.put(path, json={"muted": True}, headers=stage.alice.headers)
    await stage.says("psst")
    await stage.settled()
    assert stage.service.asked == []
    await stage.scene.http.put(path, json={"muted": False}, headers=stage.alice.headers)
    await stage.says("hello")
    assert (await stage.phone.next())["body"] == "hello"


async def test_ciphertext_is_never_shown(stage: Stage) -> None:
    """Only that there is something."""
    await stage.register(stage.phone)
    fields = {"ciphertext": "3q2-7wECAwQ", "iv": "AAECAwQFBgcICQoL", "algorithm": "aes-256-gcm"}
    answer = await post(stage.scene, stage.helper, f"/conversations/{stage.talk}/messages/encrypted", **fields)
    assert answer.status_code == 200, answer.text
    shown = await stage.phone.next()
    assert (shown["title"], shown["body"]) == ("helper", "New encrypted message")


async def test_texts_may_be_kept_back(tmp_path: Path, service: Service) -> None:
    """Then nothing says who wrote or what."""
    async with open_stage(tmp_path, service, show_text=False) as stage:
        await stage.register(stage.phone)
        await stage.says("the secret")
        shown = await stage.phone.next()
        assert (shown["title"], shown["body"]) == ("New message", "Open the app to read it")
        assert "helper" not in str(shown)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_dead_endpoint_is_forgotten(stage: Stage, status: int) -> None:
    """It is asked once."""
    await stage.register(stage.phone)
    stage.service.answer(status)
    await stage.says("anybody there?")
    await stage.service.next()
    await stage.settled()
    assert await stage.scene.get("/push/devices", stage.alice) == []
    await stage.says("hello?")
    await stage.settled()
    assert len(stage.service.asked) == 1
    assert stage.count("gone") == 1


async def test_a_service_in_trouble_is_asked_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that it names or after our own; only the device that was not told; at last it is given up."""
    monkeypatch.setattr(dispatch, "BACK_OFF_SECONDS", (SOON, SOON))
    tablet = Browser(stage.service, "tablet")
    await stage.register(stage.phone)
    await stage.says("first")
    await stage.service.next()
    await stage.settled()
    await stage.register(tablet)
    stage.service.usual = (503, {"retry-after": "0"}, b"")
    began = len(stage.service.asked)
    await stage.says("second")
    await stage.settled()
    # Both devices, three times each.
    assert sorted(asked.path for asked in stage.service.asked[began:]) == ["/push/phone"] * 3 + ["/push/tablet"] * 3
    assert (stage.count("again"), stage.count("failed")) == (4, 2)
    stage.service.usual = (201, {}, b"")
    stage.service.answer(429, retry_after="0")
    await stage.says("third")
    await stage.settled()
    paths = [asked.path for asked in stage.service.asked[began + 6 :]]
    assert sorted(paths[:2]) == ["/push/phone", "/push/tablet"]
    assert len(paths) == 3
    assert stage.count("sent") == 3


async def test_what_is_read_before_the_second_try_wakes_nobody(stage: Stage) -> None:
    """Each try asks for today's truth."""
    await stage.register(stage.phone)
    stage.service.answer(503, retry_after="1")
    await stage.says("late")
    await stage.service.next()
    await post(stage.scene, stage.alice, f"/conversations/{stage.talk}/read")
    await stage.settled()
    assert len(stage.service.asked) == 1


async def test_a_push_that_is_refused_disturbs_no_other(stage: Stage, journal: Journal) -> None:
    """It is logged without the endpoint, the text or anything secret."""
    tablet = Browser(stage.service, "tablet")
    await stage.register(stage.phone)
    await stage.register(tablet)
    stage.service.answer(413)
    await stage.says("the secret")
    await stage.settled()
    assert (stage.count("sent"), stage.count("failed")) == (1, 1)
    assert "push_not_taken" in [entry["event"] for entry in journal.entries]
    ours = [entry for entry in journal.entries if not str(entry.get("logger", "")).startswith(("http", "hpack"))]
    for secret in ("the secret", "/push/phone", "/push/tablet", stage.phone.keys["auth"], "eyJ"):
        assert secret not in str(ours)


async def test_a_restart_forgets_nothing_that_is_news(tmp_path: Path, service: Service) -> None:
    """What waited is told after it, what was told is not told again, what was read meanwhile is taken back."""
    async with open_stage(tmp_path, service) as stage:
        phone = stage.phone
        await stage.register(phone, can_withdraw=True)
        await stage.says("before")
        assert (await phone.next())["body"] == "before"
        await stage.settled()
        other = await post(stage.scene, stage.alice, "/conversations", agent_id="helper", title="Other")
        other_id = other.json()["conversation_id"]
    async with open_scene(tmp_path, push=push_settings(grace_s=600.0)) as scene:
        assert service.nothing_more()
        # One of them was told of, and is found to be nothing new.
        await send(scene, Agent("helper"), other_id, "in between")
        await until(lambda: scene.running.pushes.waiting == 2)
    async with open_scene(tmp_path, push=push_settings()) as scene:
        shown = await phone.next()
        assert (shown["body"], shown["conversation_id"]) == ("in between", other_id)
        await until(lambda: scene.running.pushes.waiting == 0)
        assert service.nothing_more()
        alice = await scene.login("alice")
        await post(scene, alice, f"/conversations/{other_id}/read")
        assert (await phone.next())["withdraw"]


async def test_a_stop_waits_for_what_is_on_its_way(tmp_path: Path, service: Service) -> None:
    """And begins nothing more: that is found again after the restart; what got there is not sent again."""
    async with open_stage(tmp_path, service, grace_s=0.6) as stage:
        await stage.register(stage.phone)
        second = (await post(stage.scene, stage.alice, "/conversations", agent_id="helper", title="Second")).json()
        service.hold = trio.Event()
        await stage.says("on its way")
        await service.next()
        await stage.says("due too late", second["conversation_id"])

        async def let_it_through() -> None:
            await until(lambda: stage.pushes._is_stopping)
            assert stage.pushes.waiting == 2
            await until(lambda: stage.pushes.waiting == 1)
            assert service.hold is not None
            service.hold.set()

        stage.scene.nursery.start_soon(let_it_through)
    assert stage.count("sent") == 1
    assert service.nothing_more()
    async with open_scene(tmp_path, push=push_settings()) as scene:
        assert (await stage.phone.next())["body"] == "due too late"
        await until(lambda: scene.running.pushes.waiting == 0)
        assert len(service.asked) == 2


async def test_a_stop_does_not_wait_for_ever(tmp_path: Path, service: Service) -> None:
    """Its share of the budget, then the push is cut off; it is sent after the restart."""
    service.hold = trio.Event()
    async with open_scene(tmp_path, server={"drain_s": 1.0}, push=push_settings()) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk, phone = await scene.conversation(alice, helper), Browser(service, "phone")
        await post(scene, alice, "/push/devices", **phone.subscription)
        await send(scene, helper, talk, "stuck")
        await service.next()
    service.hold.set()
    service.hold = None
    async with open_scene(tmp_path, push=push_settings()):
        assert (await phone.next())["body"] == "stuck"


@pytest.mark.parametrize("how", ["logout", "session", "password", "account"])
async def test_a_device_goes_with_its_login(stage: Stage, how: str) -> None:
    """From that moment on it is woken no more; other logins' devices are."""
    other = await stage.scene.login("alice")
    tablet = Browser(stage.service, "tablet")
    await stage.register(stage.phone)
    await stage.register(tablet, other)
    if how == "logout":
        await post(stage.scene, stage.alice, "/auth/logout")
    elif how == "session":
        (mine,) = [
            each for each in (await stage.scene.get("/auth/sessions", stage.alice))["sessions"] if each["current"]
        ]
        await stage.scene.http.delete(f"/auth/sessions/{mine['session_id']}", headers=other.headers)
    elif how == "password":
        passwords = {"old_password": "correct horse battery", "new_password": "another horse battery"}
        assert (await post(stage.scene, other, "/auth/change-password", **passwords)).status_code == 200
    else:
        await accounts.operation_remove_user(stage.scene.running.services, RemoveUser(username="alice"))
        await stage.settled()
        assert stage.pushes.waiting == 0
        rows = await stage.scene.running.services.store.read(lambda tx: tx.all("SELECT * FROM push_device"))
        assert rows == []
        return
    await stage.says("hello")
    assert (await tablet.next())["body"] == "hello"
    await stage.settled()
    assert stage.service.nothing_more()


async def test_without_devices_nothing_waits(stage: Stage) -> None:
    """Whoever cannot be woken costs nothing, and whoever can no longer be costs one look."""
    await stage.says("hello")
    assert stage.pushes.waiting == 0
    id_ = await stage.register(stage.phone)
    await stage.scene.http.delete(f"/push/devices/{id_}", headers=stage.alice.headers)
    await stage.says("hello again")
    await stage.settled()
    assert stage.service.asked == []


async def test_more_than_can_wait_is_dropped(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    """It is delivered all the same, and said once."""
    monkeypatch.setattr(dispatch, "MAX_WAITING", 1)
    async with open_stage(tmp_path, service, grace_s=600.0) as stage:
        await stage.register(stage.phone)
        second = await post(stage.scene, stage.alice, "/conversations", agent_id="helper", title="Second")
        await stage.says("first")
        for _ in range(2):
            await stage.says("second", second.json()["conversation_id"])
        assert stage.pushes.waiting == 1
        assert [entry["event"] for entry in journal.entries].count("push_queue_full") == 1
        assert stage.count("dropped", "any") == 2


@pytest.mark.expects_error_log("push_failed")
async def test_a_bug_of_ours_ends_one_push(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker goes on after a pause."""
    monkeypatch.setattr(dispatch, "FIRST_PAUSE_SECONDS", SOON)
    await stage.register(stage.phone)
    (device,) = (await stage.scene.get("/push/devices", stage.alice),)[0]
    store = stage.scene.running.services.store
    await store.write(lambda tx: tx.run("UPDATE push_device SET p256dh = 'AAAA' WHERE id = :id", id=device["id"]))
    await stage.says("broken")
    await stage.settled()
    await stage.register(stage.phone)
    await stage.says("mended")
    assert (await stage.phone.next())["body"] == "mended"


async def test_android_phones_are_woken_through_google(tmp_path: Path) -> None:
    """Beside browsers, each by its own service; the older route registers them."""
    async with open_service(Google()) as google:
        assert isinstance(google, Google)
        account = google.write_account(tmp_path)
        settings = {"fcm_enabled": True, "fcm_credentials_path": account, "fcm_url": google.url}
        async with open_stage(tmp_path, google, **settings) as stage:
            body = {"device_token": "fcm:token-1", "platform": "android"}
            assert (await post(stage.scene, stage.alice, "/push/register", **body)).json() == {"status": "ok"}
            await stage.says("hello")
            assert (await google.next()).path == "/token"
            message = (await google.next()).json["message"]
            assert message["token"] == "fcm:token-1"
            assert message["data"]["body"] == "hello"
            await stage.settled()
            assert stage.count("sent", "fcm") == 1


async def test_a_service_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    """Rather than losing pushes in silence."""
    for fields in ({"apns_enabled": True}, {"fcm_enabled": True}, {"vapid_private_key": Secret("none of it")}):
        with pytest.RaisesGroup(CannotPush, flatten_subgroups=True):
            async with open_scene(tmp_path, push=push_settings(**fields)):
                pass


async def test_attention_is_made_once(stage: Stage) -> None:
    """What registers devices and what wakes them speak of the same."""
    await stage.register(stage.phone)
    assert stage.scene.running.services.own(Attention).reachable == {f"u:{stage.alice.id}"}
