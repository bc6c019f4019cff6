"""The end of a run: once, whoever brings it about, and with what can still be had."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from amtrio.errors import NotFound
from amtrio.model.open_runs import OpenRun, OpenRuns
from amtrio.model.run_body import Body
from amtrio.model.run_end import RunFinished, end_run, forget
from tests.features.conftest import page
from tests.harness import Scene, open_scene
from tests.runs import Answer

RUN = "run-of-the-tests-01"


async def test_two_ends_at_once_are_one_message(tmp_path: Path) -> None:
    """The agent finishes while the server stops it: the first counts, both hear the same."""
    async with open_scene(tmp_path) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        async with scene.device(agent) as helper:
            answer = Answer(helper, RUN)
            await answer.start(talk)
            await answer.say("words")
            await helper.caught_up()
            (run,) = scene.running.services.own(OpenRuns)
            heard: list[RunFinished] = []

            async def end(outcome: str) -> None:
                heard.append(await end_run(scene.running.services, run, outcome))  # type: ignore[arg-type]  # it is one

            async with trio.open_nursery() as nursery:
                for outcome in ("stopped", "interrupted"):
                    nursery.start_soon(end, outcome)
            assert heard[0] == heard[1]
            assert len(scene.running.services.own(OpenRuns)) == 0
        assert await page(scene, alice, talk) == ["words"]


async def test_files_among_the_parts_become_the_messages_if_they_are_still_there(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        alice, agent = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, agent)
        ids = []
        for name in ("kept.txt", "gone.txt"):
            headers = agent.headers | {"Content-Type": "text/plain"}
            answer = await scene.http.post("/attachments", params={"filename": name}, content=b"x", headers=headers)
            assert answer.status_code in {200, 201}, answer.text
            ids.append(answer.json()["attachment_id"])
        async with scene.device(agent) as helper:
            run = Answer(helper, RUN)
            await run.start(talk)
            for number, attachment_id in enumerate(ids):
                await run.part(number, "artifact", attachment_id=attachment_id)
            await helper.caught_up()
            assert (await scene.http.delete(f"/attachments/{ids[1]}", headers=agent.headers)).status_code == 200
            finished = await run.finish()
            message = await helper.next("message", message_id=finished["message_id"])
            assert [each["attachment_id"] for each in message["attachments"]] == ids[:1]
        assert (await scene.http.get(f"/attachments/{ids[0]}", headers=alice.headers)).status_code == 200


async def test_the_end_of_a_run_whose_conversation_is_gone_is_refused_and_forgotten(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        services = scene.running.services
        gone = lost(scene)
        services.own(OpenRuns).add(gone)
        with pytest.raises(NotFound):
            await end_run(services, gone, "done")
        assert len(services.own(OpenRuns)) == 0
        forget(services, RUN)


def lost(scene: Scene) -> OpenRun:
    """A run that memory knows and the database does not."""
    return OpenRun(
        RUN,
        agent="a:helper",
        conversation_id="conv_gone",
        watchers=(),
        body=Body(max_bytes=1000),
        fanout=scene.running.services.fanout,
        started_us=0,
    )
