"""docs/how-to/add-a-feature.md, done: one file makes a frame, an event, a replay and a route."""

from __future__ import annotations

import re
import types
from pathlib import Path

import pytest

from amtrio.feature import registry
from amtrio.store.database import Tx
from tests.harness import open_scene

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-feature.md"


def fenced(language: str) -> str:
    """The page's one block of this language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(block)


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's feature, registered for the time of the test."""
    for table in ("commands", "replays", "routes"):
        monkeypatch.setattr(registry, table, type(getattr(registry, table))(getattr(registry, table)))
    module = types.ModuleType("pins")
    monkeypatch.setitem(__import__("sys").modules, "pins", module)
    exec(compile(fenced("python"), "add-a-feature.md", "exec", dont_inherit=True), module.__dict__)


@pytest.mark.usefixtures("pins")
async def test_one_feature_file_makes_a_frame_an_event_and_a_route(tmp_path: Path) -> None:
    """The feature of the how-to works over socket and REST, live and after an absence, with no other file changed."""

    def make_table(tx: Tx) -> None:
        tx.run(fenced("sql").strip().rstrip(";"))

    async with open_scene(tmp_path) as scene:
        await scene.running.services.store.write(make_table)
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone:
            sent = await phone.send(talk, "keep this")
            reply = await phone.ask("pin", conversation_id=talk, message_id=sent["message_id"])
            assert reply["type"] == "done"
            assert (await phone.next("message_pinned"))["message_id"] == sent["message_id"]
        async with scene.device(helper) as agent:
            assert (await agent.next("message_pinned"))["conversation_id"] == talk
        assert await scene.get(f"/conversations/{talk}/pins", alice) == [sent["message_id"]]
