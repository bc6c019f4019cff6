"""An agent's live answer: said piece by piece, shown at once, and one message in the end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import trio

from amtrio.model.open_runs import OpenRuns
from amtrio.store.database import ReadTx
from tests.features.conftest import Cast, page, post
from tests.harness import Device, Scene, open_scene
from tests.runs import Answer, Shown

RUN = "run-of-the-tests-01"


async def show_until(device: Device, shown: Shown, text: str, run_id: str = RUN) -> None:
    """Take frames until the device shows this text."""
    while run_id not in shown.runs or shown.text(run_id) != text:
        shown.hear(await device.take())


async def test_what_an_agent_says_is_shown_while_it_says_it_and_is_one_message_in_the_end(
    scene: Scene, cast: Cast
) -> None:
    async with (
        scene.device(cast.helper) as helper,
        scene.device(cast.alice, "phone") as phone,
        scene.device(cast.alice, "laptop") as laptop,
        scene.device(cast.bob, "bobs-phone") as bobs,
    ):
        screens = {phone: Shown(), laptop: Shown()}
        answer = Answer(helper, RUN)
        state = await answer.start(cast.talk)
        assert (state["state"], state["parts"], state["repeated"]) == ("open", [], False)
        await answer.say("Hello")
        await answer.say(", wörld 👋🏽")
        for device, shown in screens.items():
            await show_until(device, shown, "Hello, wörld 👋🏽")
        await answer.say("!")
        finished = await answer.finish(usage={"tokens": 7})
        for device, shown in screens.items():
            message = await device.next("message", message_id=finished["message_id"])
            assert message["content"] == "Hello, wörld 👋🏽!"
            assert (message["sender_id"], message["conversation_seq"]) == ("helper", 1)
            run = message["run"]
            assert (run["run_id"], run["outcome"], run["usage"]) == (RUN, "done", {"tokens": 7})
            assert run["parts"] == [{"part": 0, "kind": "text", "length": 16}]
            assert not shown.holes
        own = await helper.next("message", message_id=finished["message_id"])
        assert own["run"]["run_id"] == RUN
        await bobs.caught_up()
        assert not [frame for frame in bobs.events + bobs.ephemeral if "run" in frame["type"]]
    assert await page(scene, cast.alice, cast.talk) == ["Hello, wörld 👋🏽!"]
    (view,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert view["run"]["parts"] == [{"part": 0, "kind": "text", "length": 16}]


async def test_all_kinds_of_parts_are_shown_and_kept(scene: Scene, cast: Cast) -> None:
    """Texts become the content; the status line was about the moment."""
    async with scene.device(cast.helper) as helper, scene.device(cast.alice, "phone") as phone:
        answer, shown = Answer(helper, RUN), Shown()
        await answer.start(cast.talk)
        await answer.part(0, "status", text="looking")
        await answer.part(1, "reasoning", title="Weather")
        await answer.say("It may rain.", part=1)
        await answer.part(2, "tool", name="shell", arguments={"cmd": "ls"}, state="running")
        await answer.say("a.txt\n", part=2)
        await answer.part(2, "tool", name="shell", arguments={"cmd": "ls"}, state="done", result={"code": 0})
        await answer.part(3, "plan", items=[{"text": "look", "state": "done"}, {"text": "act", "state": "pending"}])
        await answer.say("Done.", part=4)
        await answer.part(5, "text")
        await answer.say("Twice.", part=5)
        await show_until(phone, shown, "Done.\n\nTwice.")
        parts = shown.runs[RUN]["parts"]
        assert [part["kind"] for part in parts] == ["status", "reasoning", "tool", "plan", "text", "text"]
        assert (parts[2]["text"], parts[2]["meta"]["state"]) == ("a.txt\n", "done")
        finished = await answer.finish()
        message = await phone.next("message", message_id=finished["message_id"])
    assert message["content"] == "Done.\n\nTwice."
    kept = {part["part"]: part for part in message["run"]["parts"]}
    assert sorted(kept) == [1, 2, 3, 4, 5], "no status"
    assert kept[1] == {"part": 1, "kind": "reasoning", "meta": {"title": "Weather"}, "text": "It may rain."}
    assert kept[2]["meta"]["result"] == {"code": 0}
    assert (kept[4]["length"], kept[5]["length"]) == (5, 6)


async def test_a_device_that_comes_late_sees_what_was_said_and_goes_on_from_there(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as helper:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.say("One ")
        await answer.say("two ")
        await helper.caught_up()
        async with scene.device(cast.alice, "phone") as phone:
            shown = Shown()
            snapshot = await phone.take()
            assert snapshot["type"] == "run_snapshot"
            shown.hear(snapshot)
            assert shown.text(RUN) == "One two "
            await answer.say("three")
            await show_until(phone, shown, "One two three")
            assert not shown.holes


async def test_the_same_run_begun_again_is_answered_with_where_it_stands(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as helper:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.say("héllo")
        state = await answer.start(cast.talk)
        assert (state["state"], state["repeated"]) == ("open", True)
        assert state["parts"] == [{"part": 0, "kind": "text", "offset": 5}]
        first = await answer.finish()
        assert await answer.finish("failed", error="no") == first, "the first end counts"
        state = await answer.start(cast.talk)
        assert (state["state"], state["outcome"], state["message_id"]) == ("ended", "done", first["message_id"])


async def test_repeats_change_nothing_and_gaps_are_refused_with_the_offset(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as helper, scene.device(cast.alice, "phone") as phone:
        answer, shown = Answer(helper, RUN), Shown()
        await answer.start(cast.talk)
        for offset, text in ((0, "abc"), (0, "abc"), (1, "bcd"), (4, "e")):
            await helper.say("run_append", run_id=RUN, part=0, offset=offset, text=text)
        refused = await helper.ask("run_append", run_id=RUN, part=0, offset=9, text="z")
        assert refused["data"]["code"] == "run_gap"
        assert refused["data"]["details"] == {"run_id": RUN, "part": 0, "expected_offset": 5}
        await show_until(phone, shown, "abcde")
        refused = await helper.ask("run_append", run_id=RUN, part=3, offset=0, text="z")
        assert refused["data"]["code"] == "conflict"
        refused = await helper.ask("run_part", run_id=RUN, part=0, kind="tool", meta={"name": "x", "state": "done"})
        assert refused["data"]["code"] == "conflict"
        refused = await helper.ask("run_part", run_id=RUN, part=1, kind="tool", meta={"name": "x"})
        assert refused["data"]["code"] == "malformed"
        assert "state" in refused["data"]["error"]


async def test_nothing_can_be_said_after_the_end(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as helper:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.say("x")
        await answer.finish()
        for word, data in (
            ("run_append", {"part": 0, "offset": 1, "text": "y"}),
            ("run_part", {"part": 1, "kind": "text"}),
        ):
            refused = await helper.ask(word, run_id=RUN, **data)
            about = {"run_id": RUN, "part": data["part"]}
            assert (refused["data"]["code"], refused["data"]["details"]) == ("run_closed", about)
    assert await page(scene, cast.alice, cast.talk) == ["x"]


@pytest.mark.parametrize("outcome", ["done", "stopped"])
async def test_a_run_without_anything_to_keep_leaves_no_message(scene: Scene, cast: Cast, outcome: str) -> None:
    """Devices are told by the log that it has ended."""
    async with scene.device(cast.helper) as helper, scene.device(cast.alice, "phone") as phone:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.part(0, "status", text="thinking")
        finished = await answer.finish(outcome)
        assert (finished["message_id"], finished["conversation_seq"]) == (None, None)
        ended = await phone.next("run_ended", run_id=RUN)
        assert (ended["outcome"], ended["conversation_id"]) == (outcome, cast.talk)
        since, epoch = phone.greeting["data"]["seq"], phone.greeting["data"]["epoch"]
    assert await page(scene, cast.alice, cast.talk) == []
    async with scene.device(cast.alice, "phone", since=since, epoch=epoch) as phone:
        assert (await phone.next("run_ended"))["run_id"] == RUN, "a device that was away hears it, too"


async def test_a_failure_says_why(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as helper, scene.device(cast.alice, "phone") as phone:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        finished = await answer.finish("failed", error="the model is away")
        message = await phone.next("message", message_id=finished["message_id"])
        assert (message["content"], message["run"]["error"]) == ("the model is away", "the model is away")


async def test_strangers_cannot_say_anything_in_a_run(scene: Scene, cast: Cast) -> None:
    """One answer for a run that is not there and for one of somebody else."""
    rival = await scene.register_agent("rival")
    async with scene.device(cast.helper) as helper, scene.device(rival) as other, scene.device(cast.bob) as bobs:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.say("mine")

        async def code(device: Device, word: str, **data: object) -> str:
            return str((await device.ask(word, **data))["data"]["code"])

        assert await code(other, "run_append", run_id=RUN, part=0, offset=4, text="!") == "run_closed"
        assert await code(other, "run_finish", run_id=RUN, outcome="done") == "conflict"
        assert await code(other, "run_start", run_id="another-run-000001", conversation_id=cast.talk) == "not_found"
        assert await code(bobs, "run_append", run_id=RUN, part=0, offset=4, text="!") == "forbidden"
        assert await code(bobs, "run_attach", run_id=RUN) == "not_found"
        assert await code(bobs, "run_control", run_id=RUN, action="stop") == "not_found"
        assert (await post(scene, cast.bob, f"/runs/{RUN}/control", action="stop")).status_code == 404
        assert (await answer.finish())["message_id"]
    assert await page(scene, cast.alice, cast.talk) == ["mine"]


async def test_older_clients_get_the_finished_message_alone(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as helper, scene.old_device(cast.alice) as old:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.say("old and ")
        await answer.say("new")
        await answer.finish()
        assert (await old.next("message"))["content"] == "old and new"
        assert not [frame for frame in old.seen if frame["type"].startswith("run")]


async def test_limits_of_size_and_number(scene: Scene, cast: Cast) -> None:
    """What is too much is refused; what was said stays and can be ended."""
    config = scene.running.services.config.runs
    async with scene.device(cast.helper) as helper:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        piece = "x" * 60_000
        fits = config.max_bytes // len(piece)
        for _ in range(fits):
            await answer.say(piece)
        refused = await helper.ask("run_append", run_id=RUN, part=0, offset=fits * len(piece), text=piece)
        assert refused["data"]["code"] == "too_large"
        assert (await answer.finish())["message_id"]
    (content,) = await page(scene, cast.alice, cast.talk)
    assert len(content) == fits * len(piece)


async def test_an_agent_has_only_so_many_runs_open(scene: Scene, cast: Cast) -> None:
    """More are refused for a while; one that ends makes room."""
    async with scene.device(cast.helper) as helper:
        most = scene.running.services.config.runs.open_per_agent
        for number in range(most):
            await Answer(helper, f"run-of-the-tests-{number:04d}").start(cast.talk)
        refused = await helper.ask("run_start", run_id=RUN, conversation_id=cast.talk)
        assert (refused["data"]["code"], refused["data"]["retry"]) == ("rate_limited", "after_ms")
        await Answer(helper, "run-of-the-tests-0000").finish()
        assert (await Answer(helper, RUN).start(cast.talk))["state"] == "open"


async def test_a_deleted_answer_leaves_nothing_of_what_was_said(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as helper:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.part(0, "reasoning")
        await answer.say("a secret thought", part=0)
        await answer.say("words", part=1)
        message_id = (await answer.finish())["message_id"]
        deleted = await helper.ask("delete", message_id=message_id)
        assert deleted["data"]["status"] == "deleted"
    (view,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    assert "run" not in view

    def kept(tx: ReadTx) -> object:
        return tx.one("SELECT body, error, usage FROM run WHERE id = :id", id=RUN)

    assert await scene.running.services.store.read(kept) == (None, None, None)


async def test_the_last_words_are_shown_before_the_message_that_ends_it(tmp_path: Path) -> None:
    """Whoever watches sees no jump, however long pieces wait for each other."""
    async with open_scene(tmp_path, runs={"merge_ms": 1000}) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper, scene.device(alice, "phone") as phone:
            answer, shown = Answer(helper, RUN), Shown()
            await answer.start(talk)
            for word in ("one ", "two ", "three"):
                await answer.say(word)
                await helper.caught_up()
            await answer.finish()
            last = ""
            while not shown.ended:
                frame = await phone.take()
                last = shown.text(RUN) if RUN in shown.runs else last
                shown.hear(frame)
            assert last == "one two three"


async def test_operators_see_how_many_answers_are_going_on(scene: Scene, cast: Cast) -> None:
    async with scene.device(cast.helper) as helper, scene.device(cast.alice, "phone") as phone:
        await Answer(helper, RUN).start(cast.talk)
        await Answer(helper, RUN).say("x")
        await phone.next("run_delta")
        lines = (await scene.http.get("/metrics")).text.splitlines()
        found = dict(line.split() for line in lines if line[0] != "#")
        assert float(found["agent_messenger_open_runs"]) == 1
        assert float(found["agent_messenger_run_deltas_total"]) == 1


async def test_what_an_agent_says_ends_nobodys_connection_however_deep_it_nests(scene: Scene, cast: Cast) -> None:
    """Whatever is let in can be told to everybody it concerns: live, at the end and over REST."""
    async with scene.device(cast.helper) as helper, scene.device(cast.alice, "phone") as phone:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.say("hm")
        for levels in (50, *range(850, 1000)):
            deep = "[" * levels + "]" * levels
            await helper.socket.send_message(
                f'{{"type":"run_part","data":{{"run_id":"{RUN}","part":1,"kind":"reasoning","meta":{{"x":{deep}}}}}}}'
            )
        await answer.say("!", part=2)
        while not any(change["part"] == 2 for change in (await phone.next("run_delta"))["parts"]):
            pass
        finished = await answer.finish()
        assert (await phone.next("message", message_id=finished["message_id"]))["content"] == "hm\n\n!"
        await helper.caught_up()
    assert await page(scene, cast.alice, cast.talk) == ["hm\n\n!"]


@pytest.mark.parametrize("end", ["it is stopped", "its conversation is deleted", "its conversation is deleted at once"])
async def test_a_run_that_ends_while_it_is_begun_does_not_come_back(scene: Scene, cast: Cast, end: str) -> None:
    """Both in one commit: its agent hears how it ended, and nobody is shown it any more."""
    services, is_busy, gate = scene.running.services, threading.Event(), threading.Event()

    def keep_busy(_: object) -> None:
        is_busy.set()
        gate.wait(10)

    async with scene.device(cast.alice, "phone") as phone, trio.open_nursery() as nursery:
        if end != "its conversation is deleted at once":
            async with scene.device(cast.helper) as helper:
                answer = Answer(helper, RUN)
                await answer.start(cast.talk)
                await answer.say("so far")
                await helper.caught_up()
        async with scene.device(cast.helper) as helper:
            # What comes while the writer is busy is one transaction.
            nursery.start_soon(services.store.write, keep_busy)
            while not is_busy.is_set():
                await phone.caught_up()
            await helper.say("run_start", ref="begin", run_id=RUN, conversation_id=cast.talk)
            while services.gauges().waiting_units < 1:
                await phone.caught_up()
            if end == "it is stopped":
                await phone.say("run_control", ref="end", run_id=RUN, action="stop")
            else:
                await phone.say("delete_conversation", ref="end", conversation_id=cast.talk)
            while services.gauges().waiting_units < 2:
                await scene.http.get("/health")
            gate.set()
            while "begin" not in helper.replies:
                await helper.take()
            while "end" not in phone.replies:
                await phone.take()
            begun = helper.replies["begin"]["data"]
            if end == "it is stopped":
                assert (begun["state"], begun["outcome"], begun["message_id"] is not None) == ("ended", "stopped", True)
            else:
                assert begun["code"] == "not_found"
            assert len(services.own(OpenRuns)) == 0
            refused = await helper.ask("run_append", run_id=RUN, part=0, offset=0, text="again")
            assert refused["data"]["code"] == "run_closed"
