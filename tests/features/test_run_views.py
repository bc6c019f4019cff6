"""Looking at a run once more, and without a socket."""

from __future__ import annotations

from tests.features.conftest import Cast
from tests.harness import Scene
from tests.runs import Answer

RUN = "run-of-the-tests-01"


async def test_a_run_can_be_looked_at_over_rest_and_over_the_socket(scene: Scene, cast: Cast) -> None:
    """By both members; one answer for a run that is not there and for one of others."""
    async with scene.device(cast.helper) as helper, scene.device(cast.alice, "phone") as phone:
        answer = Answer(helper, RUN)
        await answer.start(cast.talk)
        await answer.say("so far")
        await helper.caught_up()
        over_rest = await scene.get(f"/runs/{RUN}", cast.alice)
        assert [(part["kind"], part["text"]) for part in over_rest["parts"]] == [("text", "so far")]
        assert (over_rest["agent_id"], over_rest["conversation_id"], over_rest["rev"]) == ("helper", cast.talk, 1)
        over_socket = await phone.ask("run_attach", run_id=RUN)
        assert (over_socket["type"], over_socket["data"]) == ("run_snapshot", over_rest)
        assert await scene.get(f"/conversations/{cast.talk}/runs", cast.alice) == [over_rest]
        assert (await helper.ask("run_attach", run_id=RUN))["data"] == over_rest
        for path in (f"/runs/{RUN}", f"/conversations/{cast.talk}/runs"):
            assert (await scene.http.get(path, headers=cast.bob.headers)).status_code == 404
        finished = await answer.finish()
        assert await scene.get(f"/conversations/{cast.talk}/runs", cast.alice) == []
        ended = await scene.http.get(f"/runs/{RUN}", headers=cast.alice.headers)
        assert (ended.status_code, ended.json()["code"]) == (409, "run_closed")
        assert ended.json()["details"] == {"run_id": RUN, "message_id": finished["message_id"]}


async def test_a_page_of_runs_is_bounded_and_says_that_there_are_more(scene: Scene, cast: Cast) -> None:
    """Two hundred of half a megabyte would be a hundred megabytes."""
    async with scene.device(cast.helper) as helper:
        for number in range(10):
            answer = Answer(helper, f"run-of-the-tests-{number:02d}")
            await answer.start(cast.talk)
            for _ in range(8):
                await answer.say("x" * 60_000)
        await helper.caught_up()
        page = await scene.http.get(f"/conversations/{cast.talk}/runs", headers=cast.alice.headers)
        assert page.headers["X-Amtrio-Has-More"] == "true"
        assert [each["run_id"] for each in page.json()] == [f"run-of-the-tests-{number:02d}" for number in range(8)]
