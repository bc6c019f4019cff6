"""What a person wants of a run, handed to its agent and told to the person's devices."""

from __future__ import annotations

from pathlib import Path

from amtrio.model.open_runs import OpenRuns
from amtrio.model.run_controls import Control, ask, ask_again
from tests.harness import open_scene
from tests.runs import Answer

RUN = "run-of-the-tests-01"


async def test_a_wish_is_told_again_until_it_is_acknowledged(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper, scene.device(alice, "phone") as phone:
            await Answer(helper, RUN).start(talk)
            (run,) = scene.running.services.own(OpenRuns)
            heard, unheard = Control("ctl_1", "stop", 1.0), Control("ctl_2", "steer", 1.0, "hm", "msg_1")
            for wish in (heard, unheard):
                ask(scene.running.services, run, wish)
                assert (await phone.next("run_control_state", control_id=wish.id))["state"] == "sent"
            heard.state = "acknowledged"
            ask_again(scene.running.services, run)
            await helper.caught_up()
            told = [frame["data"] for frame in helper.ephemeral if frame["type"] == "run_control"]
            assert [each["control_id"] for each in told] == ["ctl_1", "ctl_2", "ctl_2"]
            assert (told[1]["text"], told[1]["message_id"]) == ("hm", "msg_1")
            assert unheard.state == "sent"
            assert (unheard.first_asked_at, unheard.asked_at > 1.0) == (1.0, True), (
                "the time to stop does not begin anew"
            )
