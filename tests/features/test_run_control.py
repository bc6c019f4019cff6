"""Stopping a run, saying something into it, and agents that do not listen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from amtrio.model.open_runs import OpenRuns
from amtrio.model.run_controls import MAX_UNHEARD
from tests.features.conftest import Cast, page, post
from tests.harness import Device, Scene, open_scene
from tests.runs import Answer, set_card

RUN = "run-of-the-tests-01"
STOP: dict[str, Any] = {"run_id": RUN, "action": "stop"}


@asynccontextmanager
async def answering(scene: Scene, cast: Cast, *supports: str) -> AsyncIterator[tuple[Device, Device, Answer]]:
    """alice's phone, the agent, and its run."""
    await set_card(scene, "helper", *supports)
    async with scene.device(cast.helper) as helper, scene.device(cast.alice, "phone") as phone:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.say("so far")
        await phone.next("run_delta")
        yield phone, helper, answer


async def test_a_stop_reaches_the_agent_which_ends_with_what_it_said(scene: Scene, cast: Cast) -> None:
    """Every device of the person knows where it stands."""
    async with answering(scene, cast, "stop") as (phone, helper, answer), scene.device(cast.alice, "laptop") as laptop:
        reply = (await phone.ask("run_control", **STOP))["data"]
        assert reply["status"] == "sent"
        asked = await helper.next("run_control", run_id=RUN)
        assert (asked["action"], asked["control_id"], asked["conversation_id"]) == (
            "stop",
            reply["control_id"],
            cast.talk,
        )
        assert (await laptop.next("run_control_state"))["state"] == "sent"
        await helper.say("run_control_ack", run_id=RUN, control_id=asked["control_id"])
        for device in (phone, laptop):
            assert (await device.next("run_control_state", state="acknowledged"))["control_id"] == asked["control_id"]
        finished = await answer.finish("stopped")
        message = await phone.next("message", message_id=finished["message_id"])
        assert (message["content"], message["run"]["outcome"]) == ("so far", "stopped")


async def test_asked_twice_it_is_one_stop(scene: Scene, cast: Cast) -> None:
    """From two devices, or by somebody who taps in a hurry."""
    async with answering(scene, cast, "stop") as (phone, helper, _):
        first = (await phone.ask("run_control", **STOP))["data"]
        second = await post(scene, cast.alice, f"/runs/{RUN}/control", action="stop")
        assert second.json() == first
        await helper.caught_up()
        assert len([frame for frame in helper.ephemeral if frame["type"] == "run_control"]) == 1


async def test_an_agent_that_does_not_answer_is_said_not_to_and_is_stopped_by_the_server(tmp_path: Path) -> None:
    """What it says afterwards is refused as run_closed."""
    async with open_scene(tmp_path, runs={"control_answer_s": 0.1, "stop_within_s": 0.3}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        cast = Cast(alice, alice, agent, await scene.conversation(alice, agent), "")
        async with answering(scene, cast, "stop") as (phone, helper, answer):
            wish = (await phone.ask("run_control", **STOP))["data"]["control_id"]
            assert (await phone.next("run_control_state", state="unresponsive"))["control_id"] == wish
            message = await phone.next("message")
            assert (message["content"], message["run"]["outcome"]) == ("so far", "stopped")
            assert (await phone.next("run_control_state", state="closed"))["control_id"] == wish
            refused = await helper.ask("run_append", run_id=RUN, part=0, offset=6, text="!")
            assert refused["data"]["code"] == "run_closed"
            assert (await answer.finish())["message_id"] == message["message_id"], "the end that there was"
        assert await page(scene, alice, cast.talk) == ["so far"]


@pytest.mark.parametrize("why", ["it is away", "its card does not say that it can"])
async def test_where_nobody_can_stop_it_the_server_does_at_once(scene: Scene, cast: Cast, why: str) -> None:
    is_away = why == "it is away"
    if is_away:
        await set_card(scene, "helper", "stop")
    async with scene.device(cast.alice, "phone") as phone:
        async with scene.device(cast.helper) as helper:
            answer = Answer(helper, RUN)
            await answer.start(cast.talk)
            await answer.say("so far")
            await phone.next("run_delta")
            if not is_away:
                assert (await phone.ask("run_control", **STOP))["data"]["status"] == "closed"
                assert not [frame for frame in helper.ephemeral if frame["type"] == "run_control"]
        if is_away:
            await phone.next("presence_update", online=False)
            assert (await phone.ask("run_control", **STOP))["data"]["status"] == "closed"
        assert (await phone.next("message"))["run"]["outcome"] == "stopped"
        again = await phone.ask("run_control", **STOP)
        assert again["data"]["code"] == "run_closed"
        assert again["data"]["details"]["message_id"]


async def test_what_is_said_into_a_run_is_a_message_and_reaches_the_agent_at_once(scene: Scene, cast: Cast) -> None:
    """Sent again under the same client_id it is said once."""
    async with answering(scene, cast, "steer", "queue") as (phone, helper, answer):
        steer = {"run_id": RUN, "action": "steer", "text": "in French", "client_id": "steering-by-alice-1"}
        reply = (await phone.ask("run_control", **steer))["data"]
        asked = await helper.next("run_control")
        assert (asked["text"], asked["message_id"]) == ("in French", reply["message_id"])
        message = await phone.next("message")
        assert (message["content"], message["steers"], message["message_id"]) == ("in French", RUN, reply["message_id"])
        assert "queued" not in message, "it is not for later"
        assert (await phone.ask("run_control", **steer))["data"] == reply
        await answer.finish()
        await helper.caught_up()
        assert len([frame for frame in helper.ephemeral if frame["type"] == "run_control"]) == 1
    assert await page(scene, cast.alice, cast.talk) == ["in French", "so far"]


async def test_what_was_said_into_a_run_in_time_is_said_also_if_the_answer_got_lost(scene: Scene, cast: Cast) -> None:
    """Sent again when the run has ended it is answered as the first time; what is new is refused, and not stored."""
    async with answering(scene, cast, "steer") as (phone, helper, answer):
        steer = {"run_id": RUN, "action": "steer", "text": "in French", "client_id": "steering-by-alice-1"}
        first = (await phone.ask("run_control", **steer))["data"]
        await answer.finish()
        again = await phone.ask("run_control", **steer)
        assert again["data"] == first | {"control_id": None}
        over_rest = await post(scene, cast.alice, f"/runs/{RUN}/control", **{**steer, "run_id": None})
        assert over_rest.json() == again["data"]
        for client_id in ("steering-by-alice-2", None):
            refused = await phone.ask("run_control", **steer | {"client_id": client_id})
            assert refused["data"]["code"] == "run_closed"
            assert refused["data"]["details"]["message_id"]
        other = await phone.ask("run_control", **steer | {"text": "in Latin"})
        assert other["data"]["code"] == "client_id_reused"
        stranger = await post(scene, cast.bob, f"/runs/{RUN}/control", **steer)
        assert stranger.json()["code"] == "not_found"
        await helper.caught_up()
        assert len([frame for frame in helper.ephemeral if frame["type"] == "run_control"]) == 1
    assert await page(scene, cast.alice, cast.talk) == ["in French", "so far"]


async def test_an_agent_that_does_not_listen_is_told_only_so_much(scene: Scene, cast: Cast) -> None:
    """What is too much is refused for a while, and not stored; what it has heard makes room and is not kept."""
    async with answering(scene, cast, "steer") as (phone, helper, _):
        steer: dict[str, Any] = {"run_id": RUN, "action": "steer"}
        for number in range(MAX_UNHEARD):
            last = steer | {"text": str(number), "client_id": f"steering-by-alice-{number}"}
            wish = (await phone.ask("run_control", **last))["data"]
        more = steer | {"text": "more", "client_id": "steering-by-alice-more"}
        refused = (await phone.ask("run_control", **more))["data"]
        assert (refused["code"], refused["retry"]) == ("rate_limited", "after_ms")
        assert (await phone.ask("run_control", **last))["data"] == wish, "that one is there"
        await helper.say("run_control_ack", run_id=RUN, control_id=wish["control_id"])
        await phone.next("run_control_state", state="acknowledged")
        (run,) = scene.running.services.own(OpenRuns)
        assert run.controls[wish["control_id"]].text is None
        assert (await phone.ask("run_control", **more))["data"]["conversation_seq"] == MAX_UNHEARD + 1


async def test_who_cannot_be_steered_is_not(scene: Scene, cast: Cast) -> None:
    """And nothing is stored."""
    async with answering(scene, cast, "stop") as (phone, _, _answer):
        refused = await phone.ask("run_control", run_id=RUN, action="steer", text="in French")
        assert refused["data"]["code"] == "unsupported"
        refused = await phone.ask("run_control", run_id=RUN, action="steer")
        assert refused["data"]["code"] == "malformed"
    assert await page(scene, cast.alice, cast.talk) == []


async def test_a_stop_that_the_agent_missed_is_told_again_when_it_comes_back(scene: Scene, cast: Cast) -> None:
    await set_card(scene, "helper", "stop")
    async with scene.device(cast.alice, "phone") as phone:
        async with scene.device(cast.helper) as helper:
            await Answer(helper, RUN).start(cast.talk)
            wish = (await phone.ask("run_control", **STOP))["data"]["control_id"]
        async with scene.device(cast.helper) as helper:
            await Answer(helper, RUN).resume()
            assert (await helper.next("run_control"))["control_id"] == wish


async def test_while_an_agent_is_busy_messages_wait_for_it_or_count_as_taken(scene: Scene, cast: Cast) -> None:
    """It depends on what its card says; a run begun with one takes it."""
    async with answering(scene, cast, "queue") as (phone, helper, answer):
        sent = await phone.send(cast.talk, "and then?")
        assert (await helper.next("message", message_id=sent["message_id"]))["queued"] is True
        await answer.finish()
        await Answer(helper, "run-of-the-tests-02").start(cast.talk, reply_to=sent["message_id"])
        assert (await phone.next("message_taken"))["message_id"] == sent["message_id"]
        late = await phone.ask("message_withdraw", message_id=sent["message_id"])
        assert late["data"]["code"] == "taken"
        other = await phone.send(cast.talk, "never mind")
        withdrawn = await phone.ask("message_withdraw", message_id=other["message_id"])
        assert withdrawn["data"]["status"] == "withdrawn"
        refused = await helper.ask(
            "run_start", run_id="run-of-the-tests-03", conversation_id=cast.talk, reply_to=other["message_id"]
        )
        assert refused["data"]["code"] == "withdrawn"
    await set_card(scene, "helper")
    async with scene.device(cast.helper) as helper, scene.device(cast.bob, "phone") as phone:
        await Answer(helper, "run-of-the-tests-04").start(cast.other)
        sent = await phone.send(cast.other, "plain")
        assert "queued" not in await helper.next("message", message_id=sent["message_id"])


async def test_steering_costs_as_much_as_a_message(tmp_path: Path) -> None:
    """Else it would be a way past that budget; sent again it costs nothing."""
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 2}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        cast = Cast(alice, alice, agent, await scene.conversation(alice, agent), "")
        async with answering(scene, cast, "steer") as (phone, _, _answer):
            steer = {"run_id": RUN, "action": "steer", "text": "on"}
            for client_id in ("steering-by-alice-1", "steering-by-alice-1", "steering-by-alice-2"):
                assert (await phone.ask("run_control", client_id=client_id, **steer))["type"] == "done"
            refused = await phone.ask("run_control", client_id="steering-by-alice-3", **steer)
            assert (refused["data"]["code"], refused["data"]["retry"]) == ("rate_limited", "after_ms")


async def test_a_stop_outlives_a_restart_of_the_server(tmp_path: Path) -> None:
    """The agent is asked again when it comes back, and if it does not listen then, the server ends the run."""
    runs = {"stop_within_s": 0.5}
    async with open_scene(tmp_path) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        cast = Cast(alice, alice, agent, await scene.conversation(alice, agent), "")
        async with answering(scene, cast, "stop") as (phone, _, _answer):
            assert (await phone.ask("run_control", **STOP))["data"]["status"] == "sent"
    async with (
        open_scene(tmp_path, runs=runs) as scene,
        scene.device(alice, "phone") as phone,
        scene.device(agent) as helper,
    ):
        assert (await Answer(helper, RUN).resume())["state"] == "open"
        assert (await helper.next("run_control"))["action"] == "stop"
        assert (await phone.next("message"))["run"]["outcome"] == "stopped"
