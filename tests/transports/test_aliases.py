"""The older server's verbs answer like the resources that they stand for."""

from __future__ import annotations

import re
from pathlib import Path

import amtrio.features  # noqa: F401 - registers every route
from amtrio.feature import registry
from amtrio.transports.aliases import ALIASES, aliases_of
from tests.harness import open_scene


def test_every_alias_has_its_route() -> None:
    """And hides none: what an alias is called, no route is called."""
    assert [alias for alias, _ in aliases_of(registry.routes)] == list(ALIASES)
    assert set(ALIASES) & {(route.method, route.path) for route in registry.routes} == set()


def test_what_stands_in_the_path_of_a_resource_is_a_field_of_its_struct() -> None:
    """So an alias can carry it in body or query."""
    for alias, route in aliases_of(registry.routes):
        assert set(re.findall(r"<(\w+)>", route.path)) <= set(route.shape.__struct_fields__), alias


async def test_both_spellings_answer_alike(tmp_path: Path) -> None:
    """Say, edit, read and delete, once under each name."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        http, headers = scene.http, alice.headers
        async with scene.device(helper) as agent:
            await agent.send(talk, "hello")
        ids = []
        for text in ("one", "two"):
            said = await http.post(f"/conversations/{talk}/messages", json={"content": text}, headers=headers)
            ids.append(said.json()["message_id"])
        old, new = ids
        for path, query in (("/conversations/list", {}), ("/conversations/messages", {"conversation_id": talk})):
            real = "/conversations" if path.endswith("list") else f"/conversations/{talk}/messages"
            assert await scene.get(path, alice, **query) == await scene.get(real, alice)
        assert await scene.get("/presence", alice) == await scene.get("/agents", alice)
        answers = (
            await http.post("/messages/edit", data={"message_id": old, "content": "x"}, headers=headers),
            await http.patch(f"/messages/{new}", json={"content": "x"}, headers=headers),
            await http.post("/messages/delete", data={"message_id": old}, headers=headers),
            await http.delete(f"/messages/{new}", headers=headers),
        )
        assert [answer.status_code for answer in answers] == [200] * 4
        assert [set(answer.json()) for answer in answers[::2]] == [set(answer.json()) for answer in answers[1::2]]
        read = await http.post("/conversations/mark-read", data={"conversation_id": talk}, headers=headers)
        assert (read.json()["status"], read.json()["count"]) == ("marked_read", 1)
        gone = await http.delete("/conversations/delete", params={"conversation_id": talk}, headers=headers)
        assert gone.json() == {"status": "deleted", "conversation_id": talk}
        missing = await http.post("/messages/edit", data={"content": "x"}, headers=headers)
        assert missing.status_code == 400
        assert "message_id" in missing.json()["error"]
