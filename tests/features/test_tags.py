"""Labels that a member puts on conversations."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from amtrio.features import accounts
from amtrio.features.accounts import RemoveUser
from amtrio.model.own_state import MAX_TAGS_PER_ACCOUNT, MAX_TAGS_PER_CONVERSATION
from tests.features.conftest import Cast, post
from tests.harness import Agent, Person, Scene


async def tags(scene: Scene, who: Person | Agent, talk: str) -> list[str]:
    return [each["tag"] for each in await scene.get(f"/conversations/{talk}/tags", who)]


async def test_labels_are_ones_own(scene: Scene, cast: Cast) -> None:
    """Put on and taken off over REST, repeated without harm; the other side sees its own and hears nothing."""
    async with scene.device(cast.alice, "phone") as phone, scene.device(cast.helper) as agent:
        for _ in range(2):
            answer = await scene.http.put(f"/conversations/{cast.talk}/tags/work", headers=cast.alice.headers)
            assert (answer.json()["status"], answer.json()["tag"]["tag"]) == ("tag_added", "work")
        told = await phone.next("conversation_state")
        assert told == {
            "conversation_id": cast.talk, "pinned": False, "archived": False, "muted_until": None, "tags": ["work"],
        }  # fmt: skip
        await agent.ask("tag", conversation_id=cast.talk, tag="client", on=True)
        assert await tags(scene, cast.alice, cast.talk) == ["work"]
        assert await tags(scene, cast.helper, cast.talk) == ["client"]
        for _ in range(2):
            answer = await scene.http.delete(f"/conversations/{cast.talk}/tags/work", headers=cast.alice.headers)
            assert answer.json() == {"status": "tag_removed", "conversation_id": cast.talk, "tag": "work"}
        await phone.next("conversation_state", tags=[])
        await agent.next("conversation_state", tags=["client"])
        for device, count in ((phone, 2), (agent, 1)):
            await device.caught_up()
            assert [each["type"] for each in device.events].count("conversation_state") == count


async def test_the_command_answers_with_what_is_kept(scene: Scene, cast: Cast) -> None:
    """All labels by name; under one client_id done once."""
    async with scene.device(cast.alice) as phone:
        for tag in ("work", "home"):
            answer = await phone.ask("tag", conversation_id=cast.talk, tag=tag, on=True, client_id=scene.client_id())
        assert answer["data"]["tags"] == ["home", "work"]
        client_id = scene.client_id()
        for _ in range(2):
            answer = await phone.ask("tag", conversation_id=cast.talk, tag="home", on=False, client_id=client_id)
            assert answer["data"]["tags"] == ["work"]


async def test_older_clients_add_and_remove(scene: Scene, cast: Cast) -> None:
    """Their routes refuse what is there already or not there, in their words."""
    form = {"conversation_id": cast.talk, "tag": "w"}
    steps = [("add", 200), ("add", 409), ("remove", 200), ("remove", 404), ("add", 200)]
    for word, status in steps:
        answer = await scene.http.post(f"/conversations/tags/{word}", data=form, headers=cast.alice.headers)
        assert answer.status_code == status
        if status == 409:
            assert answer.json()["error"] == "tag already exists"
        if (word, status) == ("add", 200):
            added = answer.json()
            assert added["status"] == "tag_added"
        if (word, status) == ("remove", 200):
            assert (answer.json()["status"], answer.json()["tag"]) == ("tag_removed", "w")
    listed = await scene.get("/conversations/tags", cast.alice, conversation_id=cast.talk)
    assert listed == [added["tag"]]
    assert set(added["tag"]) == {"id", "tag", "created_at"}
    for path in ("/conversations/tags/add", "/conversations/tags/remove"):
        answer = await post(scene, cast.alice, path, conversation_id=cast.talk)
        assert (answer.status_code, "missing field `tag`" in answer.json()["error"]) == (400, True)
    answer = await scene.http.get("/conversations/tags", headers=cast.alice.headers)
    assert (answer.status_code, "missing field `conversation_id`" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("tag", "stored"),
    [
        ("x", "x"),
        ("  two words ", "two words"),
        ("e\u0301te\u0301", "été"),
        ("日" * 50, "日" * 50),
        ("a&b?c#d%", "a&b?c#d%"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("x" * 51, None),
        ("   ", None),
        ("a\nb", None),
        ("a\x00b", None),
        ("a\u2028b", None),
    ],
)
async def test_a_label_is_one_line(scene: Scene, cast: Cast, tag: str, stored: str | None) -> None:
    """Trimmed and composed, so that what looks the same is the same; on every way."""
    path = f"/conversations/{cast.talk}/tags/{quote(tag, safe='')}"
    answers = [
        await scene.http.put(path, headers=cast.alice.headers),
        await scene.http.patch(f"/conversations/{cast.talk}", json={"tags": [tag]}, headers=cast.alice.headers),
    ]
    assert [each.status_code for each in answers] == [200 if stored is not None else 400] * 2
    assert await tags(scene, cast.alice, cast.talk) == ([stored] if stored is not None else [])
    if stored is not None:
        assert (await scene.http.delete(path, headers=cast.alice.headers)).status_code == 200
        assert await tags(scene, cast.alice, cast.talk) == []


async def test_a_label_with_a_slash_goes_in_a_body(scene: Scene, cast: Cast) -> None:
    """A path cannot carry it, and says so instead of storing half of it."""
    answer = await scene.http.put(f"/conversations/{cast.talk}/tags/a%2Fb", headers=cast.alice.headers)
    assert answer.status_code == 404
    assert (await post(scene, cast.alice, "/conversations/tags/add", conversation_id=cast.talk, tag="a/b")).is_success
    assert await tags(scene, cast.alice, cast.talk) == ["a/b"]


async def test_there_are_bounds(scene: Scene, cast: Cast) -> None:
    """For a conversation and for the account; the labels that are there can be given again."""
    async with scene.device(cast.alice) as phone:
        full = [f"t{number:02d}" for number in range(MAX_TAGS_PER_CONVERSATION)]
        answer = await phone.ask("update_conversation", conversation_id=cast.talk, tags=full)
        assert answer["data"]["tags"] == full
        refused = await phone.ask("tag", conversation_id=cast.talk, tag="more", on=True)
        assert refused["data"]["code"] == "conflict"
        assert (await phone.ask("tag", conversation_id=cast.talk, tag="t00", on=True))["type"] == "done"
        others = [f"u{number:02d}" for number in range(MAX_TAGS_PER_CONVERSATION)]
        answer = await phone.ask("update_conversation", conversation_id=cast.talk, tags=others)
        assert answer["data"]["tags"] == others, "a full one is labelled anew"
        refused = await phone.ask("update_conversation", conversation_id=cast.talk, tags=[*full, "more"])
        assert refused["data"]["code"] == "conflict"
        assert await tags(scene, cast.alice, cast.talk) == others
        for number in range(1, MAX_TAGS_PER_ACCOUNT // MAX_TAGS_PER_CONVERSATION):
            made = (await phone.ask("create_conversation", agent_id="helper", title="x"))["data"]["conversation_id"]
            many = [f"{number}-{place}" for place in range(MAX_TAGS_PER_CONVERSATION)]
            await phone.ask("update_conversation", conversation_id=made, tags=many)
        made = (await phone.ask("create_conversation", agent_id="helper", title="x"))["data"]["conversation_id"]
        refused = await phone.ask("tag", conversation_id=made, tag="one too many", on=True)
        assert refused["data"]["code"] == "conflict"
        assert (await phone.ask("tag", conversation_id=made, tag="u00", on=True))["type"] == "done"


async def test_all_labels_with_their_counts(scene: Scene, cast: Cast) -> None:
    other = (await post(scene, cast.alice, "/conversations", agent_id="helper", title="x")).json()["conversation_id"]
    for talk, names in ((cast.talk, ["a", "b"]), (other, ["b"])):
        await scene.http.patch(f"/conversations/{talk}", json={"tags": names}, headers=cast.alice.headers)
    assert await scene.get("/tags", cast.alice) == [{"tag": "a", "count": 1}, {"tag": "b", "count": 2}]
    assert await scene.get("/tags", cast.bob) == []
    assert await scene.get("/conversations", cast.alice, tag="a") == [
        await scene.get(f"/conversations/{cast.talk}", cast.alice)
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/conversations/{id}/tags"),
        ("PUT", "/conversations/{id}/tags/x"),
        ("DELETE", "/conversations/{id}/tags/x"),
        ("GET", "/conversations/tags?conversation_id={id}"),
        ("POST", "/conversations/tags/add?conversation_id={id}&tag=x"),
        ("POST", "/conversations/tags/remove?conversation_id={id}&tag=x"),
    ],
)
async def test_anothers_conversation_is_not_there(scene: Scene, cast: Cast, method: str, path: str) -> None:
    """The same answer, word for word, as for one that never was."""

    async def asked(id_: str) -> tuple[int, str]:
        answer = await scene.http.request(method, path.replace("{id}", id_), headers=cast.alice.headers)
        return answer.status_code, answer.text.replace(id_, "ID")

    there, missing = await asked(cast.other), await asked("conv_" + "0" * 32)
    assert there == missing
    assert there[0] == 404


async def test_a_removed_person_leaves_none(scene: Scene, cast: Cast) -> None:
    await scene.http.put(f"/conversations/{cast.talk}/tags/x", headers=cast.alice.headers)
    await scene.http.put(f"/conversations/{cast.talk}/tags/y", headers=cast.helper.headers)
    await accounts.operation_remove_user(scene.running.services, RemoveUser(username="alice"))
    assert await scene.running.services.store.read(lambda tx: tx.all("SELECT id FROM conversation_tag")) == []
