"""Questions with buttons: the first valid answer is the answer, whoever gives it and whatever happens meanwhile."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.context import Context, Principal, Services, kind_of
from amtrio.errors import AmtrioError, Answered, Closed, Conflict
from amtrio.features.agents import AddAgent, operation_add
from amtrio.features.messages import DeleteMessage, SendMessage, delete_message, send
from amtrio.features.questions import (
    AnswerQuestion,
    CloseQuestion,
    answer_question,
    close_question,
    expire_questions,
)
from amtrio.model.conversation import find_or_create
from amtrio.model.message import HAS_QUESTION, message_row
from amtrio.model.people import create_user
from amtrio.model.question import AskedQuestion, Chosen, Option, Question
from amtrio.store.database import ReadTx
from tests.features.conftest import Cast, post
from tests.features.conftest import send as say
from tests.features.reading import Reader
from tests.features.server import open_server
from tests.harness import Json, MovableClock, Scene, open_scene

OPTIONS: list[Json] = [
    {"id": "yes", "label": "Yes, do it", "style": "danger", "description": "It cannot be undone."},
    {"id": "no", "label": "No"},
    {"id": "later", "label": "Later"},
]
SECONDS_PER_DAY = 86_400


async def ask(scene: Scene, cast: Cast, content: str = "Delete the branch?", **question: Any) -> str:
    """The helper's question to alice."""
    asked = {"options": OPTIONS} | question
    return str((await say(scene, cast.helper, cast.talk, content, question=asked))["message_id"])


async def answer(scene: Scene, cast: Cast, message_id: str, **fields: Any) -> httpx.Response:
    return await post(scene, cast.alice, f"/messages/{message_id}/answer", **fields)


async def shown(scene: Scene, cast: Cast, message_id: str) -> Json:
    question: Json = (await scene.get(f"/messages/{message_id}", cast.alice))["question"]
    return question


async def test_a_question_is_asked_and_answered_on_every_device(scene: Scene, cast: Cast) -> None:
    """Both sides see it open and then answered; so does whoever asks for the message afterwards."""
    async with (
        scene.device(cast.alice, "phone") as phone,
        scene.device(cast.alice, "tablet") as tablet,
        scene.device(cast.helper) as agent,
    ):
        sent = await agent.send(cast.talk, "Delete the branch?", question={"options": OPTIONS})
        message_id = sent["message_id"]
        opened = {"options": OPTIONS, "multiple": False, "free_text": False, "state": "open"}
        for device in (phone, tablet, agent):
            told = await device.next("message", message_id=message_id)
            assert (told["content"], told["question"]) == ("Delete the branch?", opened)
        reply = await phone.ask("answer", message_id=message_id, option_ids=["no"], client_id=scene.client_id())
        chosen = reply["data"]["question"]["answer"]
        assert (chosen["option_ids"], chosen["answered_by"], "text" in chosen) == (["no"], cast.alice.id, False)
        answered = opened | {"state": "answered", "answer": chosen}
        assert reply["data"] == {
            "status": "answered", "message_id": message_id, "conversation_id": cast.talk, "question": answered
        }  # fmt: skip
        for device in (phone, tablet, agent):
            assert await device.next("question_answered") == {
                "message_id": message_id, "conversation_id": cast.talk, "question": answered
            }  # fmt: skip
        late = (await tablet.ask("answer", message_id=message_id, option_ids=["yes"]))["data"]
        assert (late["code"], late["retry"], late["details"]) == ("answered", "no", {"answer": chosen})
    assert await shown(scene, cast, message_id) == answered


async def test_wherever_a_message_is_shown_its_question_is_too(scene: Scene, cast: Cast) -> None:
    """Pages of REST and of the socket, snapshots, the export, an edited text."""
    message_id = await ask(scene, cast)
    expected = await shown(scene, cast, message_id)
    (paged,) = await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)
    snapshot = await scene.get("/snapshot", cast.alice)
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        page = (await phone.ask("history", conversation_id=cast.talk))["data"]
        await agent.ask("edit", message_id=message_id, content="Really delete it?")
        edited = await phone.next("message_edited")
    archive = zipfile.ZipFile(io.BytesIO((await scene.http.get("/account/export", headers=cast.alice.headers)).content))
    exported = json.loads(archive.read(f"conversations/{cast.talk}/messages.jsonl"))
    found = [paged, snapshot["conversations"][0]["messages"][0], page["messages"][0], edited, exported]
    assert [each["question"] for each in found] == [expected] * 5


async def test_a_message_that_asks_nothing_has_no_question(scene: Scene, cast: Cast) -> None:
    """Neither the field nor anybody to answer it."""
    message_id = (await say(scene, cast.helper, cast.talk, "hello"))["message_id"]
    assert "question" not in await scene.get(f"/messages/{message_id}", cast.alice)
    refused = await answer(scene, cast, message_id, option_ids=["yes"])
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    refused = await post(scene, cast.helper, f"/messages/{message_id}/question/close")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


async def test_older_clients_read_the_text_of_a_question(scene: Scene, cast: Cast) -> None:
    """An ordinary message to them; and they hear nothing of what becomes of it."""
    async with scene.old_device(cast.alice) as old:
        message_id = await ask(scene, cast)
        told = await old.next("message")
        assert told["content"] == "Delete the branch?"
        assert "question" not in told
        await answer(scene, cast, message_id, option_ids=["no"])
        await say(scene, cast.helper, cast.talk, "As you like.")
        frames = [await old.frame()]
        while frames[-1].get("content") != "As you like.":
            frames.append(await old.frame())
    # Each message is two frames to a client of that library.
    assert {each["type"] for each in frames} == {"message", "chat"}
    assert "question" not in str(frames)


# -- what an answer may be


@pytest.mark.parametrize(
    ("question", "chosen", "kept"),
    [
        ({}, {"option_ids": ["no"]}, {"option_ids": ["no"]}),
        ({}, {"option_ids": ["no"], "text": ""}, {"option_ids": ["no"]}),
        ({"multiple": True}, {"option_ids": ["no"]}, {"option_ids": ["no"]}),
        ({"multiple": True}, {"option_ids": ["later", "yes"]}, {"option_ids": ["yes", "later"]}),
        ({"free_text": True}, {"text": "Ask Bob"}, {"option_ids": [], "text": "Ask Bob"}),
        ({"free_text": True}, {"text": "ä" * 4000}, {"option_ids": [], "text": "ä" * 4000}),
        ({"free_text": True}, {"option_ids": ["no"]}, {"option_ids": ["no"]}),
        (
            {"free_text": True},
            {"option_ids": ["no"], "text": "never"},
            {"option_ids": ["no"], "text": "never"},
        ),
    ],
)
async def test_what_answers_a_question(scene: Scene, cast: Cast, question: Json, chosen: Json, kept: Json) -> None:
    """An option, more than one where that is asked, a text where one is; they are kept in the question's order."""
    message_id = await ask(scene, cast, **question)
    assert (await answer(scene, cast, message_id, **chosen)).status_code == 200
    given_ = (await shown(scene, cast, message_id))["answer"]
    assert {name: value for name, value in given_.items() if not name.startswith("answered")} == kept


@pytest.mark.parametrize(
    ("question", "chosen", "field"),
    [
        ({}, {}, "option_ids"),
        ({}, {"option_ids": []}, "option_ids"),
        ({}, {"option_ids": ["maybe"]}, "option_ids"),
        ({}, {"option_ids": ["yes", "no"]}, "option_ids"),
        ({}, {"option_ids": "yes"}, "option_ids"),
        ({}, {"option_ids": ["yes"], "text": "but slowly"}, "text"),
        ({}, {"text": "no"}, "text"),
        ({"multiple": True}, {"option_ids": []}, "option_ids"),
        ({"multiple": True}, {"option_ids": ["yes", "yes"]}, "option_ids"),
        ({"multiple": True}, {"option_ids": ["yes", "maybe"]}, "option_ids"),
        ({"free_text": True}, {"text": " "}, "text"),
        ({"free_text": True}, {"text": "x" * 4001}, "text"),
        ({"free_text": True}, {"option_ids": ["yes", "no"]}, "option_ids"),
    ],
)
async def test_what_does_not_answer_it(scene: Scene, cast: Cast, question: Json, chosen: Json, field: str) -> None:
    """The refusal names the field, and the question stays open for a better answer."""
    message_id = await ask(scene, cast, **question)
    refused = await answer(scene, cast, message_id, **chosen)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
    assert field in refused.json()["error"]
    assert (await shown(scene, cast, message_id))["state"] == "open"
    assert (await answer(scene, cast, message_id, option_ids=["no"])).status_code == 200


def one(**fields: Any) -> Json:
    return {"options": [{"id": "yes", "label": "Yes"} | fields]}


def many(count: int) -> Json:
    return {"options": [{"id": f"o{number}", "label": str(number)} for number in range(count)]}


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({}, "options"),
        (many(0), "question.options"),
        (many(26), "question.options"),
        ({"options": [OPTIONS[0], OPTIONS[0]]}, "question.options"),
        (one(id=""), "question.options"),
        (one(id="x" * 65), "question.options"),
        (one(id="a b"), "question.options"),
        (one(id="yes\n"), "question.options"),
        (one(label=""), "question.options"),
        (one(label="  "), "question.options"),
        (one(label="x" * 101), "question.options"),
        (one(label="two\nlines"), "question.options"),
        (one(label=None), "question.options"),
        (one(description="x" * 301), "question.options"),
        (one(style="green"), "question.options"),
        (one() | {"expires_in_s": 0}, "expires_in_s"),
        (one() | {"expires_in_s": 30 * SECONDS_PER_DAY + 1}, "expires_in_s"),
        (one() | {"expires_in_s": "soon"}, "expires_in_s"),
        (one() | {"multiple": "yes"}, "multiple"),
        (one() | {"free_text": None}, "free_text"),
    ],
)
async def test_what_is_no_question(scene: Scene, cast: Cast, question: Json, field: str) -> None:
    """The refusal names the field, and nothing is said."""
    said = {"content": "Well?", "question": question}
    refused = await post(scene, cast.helper, f"/conversations/{cast.talk}/messages", **said)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
    assert field in refused.json()["error"]
    async with scene.device(cast.helper) as agent:
        over_socket = (await agent.ask("message", conversation_id=cast.talk, **said))["data"]
        assert over_socket["code"] == "malformed"
        assert field in over_socket["error"]
    assert await scene.get(f"/conversations/{cast.talk}/messages", cast.alice) == []


async def test_a_question_may_be_as_large_as_its_limits(scene: Scene, cast: Cast) -> None:
    options = [
        {"id": f"{number:064}", "label": "ä" * 100, "description": "d" * 300, "style": "primary"}
        for number in range(25)
    ]
    message_id = await ask(scene, cast, options=options, expires_in_s=30 * SECONDS_PER_DAY)
    assert (await shown(scene, cast, message_id))["options"] == options
    assert (await answer(scene, cast, message_id, option_ids=[options[-1]["id"]])).status_code == 200


async def test_only_agents_ask_and_only_in_words(scene: Scene, cast: Cast) -> None:
    """A person's question is refused, and so is one without a text for those who see no buttons."""
    for who, said, code in (
        (cast.alice, {"content": "Well?"}, "forbidden"),
        (cast.helper, {}, "malformed"),
    ):
        path = f"/conversations/{cast.talk}/messages"
        assert (await post(scene, who, path, question=one(), **said)).json()["code"] == code
    assert await scene.get(f"/conversations/{cast.talk}/messages", cast.alice) == []


# -- once


async def test_a_resend_with_another_question_is_another_message(scene: Scene, cast: Cast) -> None:
    """The same question again is the same message; without it, or with another one, it is refused."""
    async with scene.device(cast.helper) as agent:
        said = {"conversation_id": cast.talk, "content": "Well?", "client_id": scene.client_id()}
        first = await agent.ask("message", **said, question=one())
        again = await agent.ask("message", **said, question=one(style="default"))
        assert again["data"] == first["data"] | {"repeated": True}
        for question in (None, one(label="Yes!"), one() | {"multiple": True}, one() | {"expires_in_s": 60}):
            refused = await agent.ask("message", **said, question=question)
            assert refused["data"]["code"] == "client_id_reused", question
    assert len(await scene.get(f"/conversations/{cast.talk}/messages", cast.alice)) == 1


async def test_an_answer_that_is_sent_again_is_given_once(scene: Scene, cast: Cast) -> None:
    """Under its client_id it is answered as the first time; without one the second finds the first."""
    message_id = await ask(scene, cast)
    named = {"option_ids": ["no"], "client_id": scene.client_id()}
    first, again = [await answer(scene, cast, message_id, **named) for _ in range(2)]
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    refused = await answer(scene, cast, message_id, **(named | {"option_ids": ["yes"]}))
    assert refused.json()["code"] == "client_id_reused"
    late = await answer(scene, cast, message_id, option_ids=["no"])
    assert (late.status_code, late.json()["code"]) == (409, "answered")
    assert late.json()["details"]["answer"] == first.json()["question"]["answer"]


async def test_of_answers_at_once_one_is_the_answer(scene: Scene, cast: Cast) -> None:
    """Over two sockets and REST; everybody else is told which one it was."""
    message_id = await ask(scene, cast)
    answers: list[Json] = []
    async with scene.device(cast.alice, "phone") as phone, scene.device(cast.alice, "tablet") as tablet:

        async def over_socket(device: Any, option: str) -> None:
            answers.append((await device.ask("answer", message_id=message_id, option_ids=[option]))["data"])

        async def over_rest(option: str) -> None:
            answers.append((await answer(scene, cast, message_id, option_ids=[option])).json())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(over_socket, phone, "yes")
            nursery.start_soon(over_socket, tablet, "no")
            for number in range(10):
                nursery.start_soon(over_rest, ("yes", "no", "later")[number % 3])
    first = [each for each in answers if "question" in each]
    (chosen,) = [each["question"]["answer"] for each in first]
    assert [each["details"]["answer"] for each in answers if each not in first] == [chosen] * 11
    assert (await shown(scene, cast, message_id))["answer"] == chosen


# -- the end without an answer


async def test_an_agent_lets_go_of_its_question(scene: Scene, cast: Cast) -> None:
    """Everybody hears of it once; an answer is too late then, and a second closing changes nothing."""
    message_id = await ask(scene, cast)
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        for _ in range(2):
            reply = await agent.ask("question_close", message_id=message_id)
            assert reply["data"] == {"status": "closed", "message_id": message_id, "conversation_id": cast.talk}
        for device in (phone, agent):
            assert (await device.next("question_closed"))["question"]["state"] == "closed"
            await device.caught_up()
            assert [each["type"] for each in device.events].count("question_closed") == 1
        late = (await phone.ask("answer", message_id=message_id, option_ids=["no"]))["data"]
        assert (late["code"], late["retry"], "details" in late) == ("closed", "no", False)
        answered = await ask(scene, cast)
        await phone.ask("answer", message_id=answered, option_ids=["no"])
        refused = (await agent.ask("question_close", message_id=answered))["data"]
        assert (refused["code"], refused["details"]["answer"]["option_ids"]) == ("answered", ["no"])
    closed = await post(scene, cast.helper, f"/messages/{message_id}/question/close")
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")


async def test_each_side_has_its_own_command(scene: Scene, cast: Cast) -> None:
    """Agents do not answer, people do not close, and a stranger finds nothing."""
    message_id = await ask(scene, cast)
    other = await scene.register_agent("other")
    async with (
        scene.device(cast.alice) as phone,
        scene.device(cast.bob) as stranger,
        scene.device(cast.helper) as agent,
        scene.device(other) as strange_agent,
    ):
        tried = [
            await agent.ask("answer", message_id=message_id, option_ids=["no"]),
            await phone.ask("question_close", message_id=message_id),
            await stranger.ask("answer", message_id=message_id, option_ids=["no"]),
            await strange_agent.ask("question_close", message_id=message_id),
            await stranger.ask("answer", message_id="msg_" + "0" * 32, option_ids=["no"]),
        ]
        assert [each["data"]["code"] for each in tried] == ["forbidden"] * 2 + ["not_found"] * 3
        there, missing = tried[2]["data"]["error"], tried[4]["data"]["error"]
        assert there.replace(message_id, "ID") == missing.replace("msg_" + "0" * 32, "ID")
    assert (await shown(scene, cast, message_id))["state"] == "open"


async def test_a_question_goes_with_its_message(scene: Scene, cast: Cast) -> None:
    """Silently: the deletion says it all. Neither options nor answers are kept, and nobody answers any more."""
    store = scene.running.services.store
    asked, answered = await ask(scene, cast, free_text=True), await ask(scene, cast, free_text=True)
    await answer(scene, cast, answered, text="a secret", client_id=scene.client_id())
    async with scene.device(cast.alice) as phone, scene.device(cast.helper) as agent:
        for message_id in (asked, answered):
            await agent.ask("delete", message_id=message_id)
            assert "question" not in await phone.next("message_deleted", message_id=message_id)
            late = await phone.ask("answer", message_id=message_id, option_ids=["no"])
            assert late["data"]["code"] == "closed"
            assert (await agent.ask("question_close", message_id=message_id))["data"]["code"] == "closed"
        await phone.caught_up()
        assert [each for each in phone.events if each["type"] == "question_closed"] == []

    def left(tx: ReadTx) -> list[Any]:
        row = message_row(tx, asked)
        assert row is not None
        kept = tx.all("SELECT answer FROM command_done WHERE answer LIKE '%secret%'")
        return [row[16] & HAS_QUESTION, *tx.all("SELECT message_id FROM question"), *kept]

    assert await store.read(left) == [0]


async def test_a_question_expires_by_itself(tmp_path: Path) -> None:
    """From its moment on no answer is taken, whether anybody was told yet or not; then everybody is told, once."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        cast = Cast(alice, alice, helper, talk, talk)
        soon, later = [await ask(scene, cast, expires_in_s=seconds) for seconds in (3600, 7200)]
        never = await ask(scene, cast)
        async with scene.device(alice) as phone, scene.device(helper) as agent:
            clock.move(days=3500 / SECONDS_PER_DAY)
            await expire_questions(scene.running.services)
            assert (await shown(scene, cast, soon))["state"] == "open"
            clock.move(days=200 / SECONDS_PER_DAY)
            late = await phone.ask("answer", message_id=soon, option_ids=["no"])
            assert late["data"]["code"] == "closed"
            scene.running.services.wake("expire_questions")
            for device in (phone, agent):
                told = await device.next("question_closed", message_id=soon)
                assert (told["conversation_id"], told["question"]["state"]) == (talk, "expired")
            assert (await agent.ask("question_close", message_id=soon))["data"]["status"] == "closed"
            clock.move(days=0.2)
            scene.running.services.wake("expire_questions")
            await phone.next("question_closed", message_id=later)
            await phone.caught_up()
            closed = [each["data"]["message_id"] for each in phone.events if each["type"] == "question_closed"]
            assert closed == [soon, later]
            assert (await phone.ask("answer", message_id=never, option_ids=["no"]))["type"] == "done"
        refused = await answer(scene, cast, later, option_ids=["no"])
        assert (refused.status_code, refused.json()["code"]) == (409, "closed")


async def test_it_says_until_when(scene: Scene, cast: Cast) -> None:
    """To the second, from when the message was stored."""
    message_id = await ask(scene, cast, expires_in_s=86_400)
    message = await scene.get(f"/messages/{message_id}", cast.alice)
    created, expires = message["created_at"], message["question"]["expires_at"]
    assert (expires[11:], expires[:10] > created[:10]) == (created[11:], True)


async def test_who_was_away_hears_what_counts_now(tmp_path: Path) -> None:
    """After a restart: the answer, the end, and of a deleted one the deletion alone."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        cast = Cast(alice, alice, helper, talk, talk)
        async with scene.device(alice, "phone") as phone:
            since, epoch = phone.greeting["data"]["head"], phone.greeting["data"]["epoch"]
        answered, gone = await ask(scene, cast), await ask(scene, cast)
        expiring = await ask(scene, cast, expires_in_s=60)
        for message_id in (answered, gone):
            await answer(scene, cast, message_id, option_ids=["no"])
        await scene.http.delete(f"/messages/{gone}", headers=helper.headers)
    clock.move(days=0.1)
    async with open_scene(tmp_path, clock=clock) as scene:
        await expire_questions(scene.running.services)
        async with scene.device(alice, "phone", since=since, epoch=epoch) as phone:
            await phone.next("question_closed", message_id=expiring)
            assert [(each["type"], each["data"].get("question", {}).get("state")) for each in phone.events] == [
                ("message", "answered"), ("message", None), ("message", "expired"),
                ("question_answered", "answered"), ("gone", None), ("message_deleted", None),
                ("question_closed", "expired"),
            ]  # fmt: skip


# -- any order, several devices, restarts

Seen = dict[str, tuple[str, tuple[str, ...]]]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "answer", "close", "delete", "wait", "expire", "restart"]),
        st.integers(0, 2),
        st.sampled_from(["yes", "no"]),
    ),
    min_size=1,
    max_size=14,
)
PLACES = st.integers(0, 14)


def apply(seen: Seen, event: Any) -> None:
    """What a client does with what it is told; docs/protocol.md, "Questions"."""
    if event.type in {"question_answered", "question_closed"} or event.type in {"message", "message_deleted"}:
        seen[event.message_id] = state_of(event.question)


def state_of(question: Question | None) -> tuple[str, tuple[str, ...]]:
    if question is None:
        return ("gone", ())
    return (question.state, question.answer.option_ids if isinstance(question.answer, Chosen) else ())


class Expected:
    """What must be true: a question has one end, and then at most its message goes."""

    def __init__(self, expires_in: dict[str, int | None]) -> None:
        self.expires_in = expires_in
        self.truth: Seen = dict.fromkeys(expires_in, ("open", ()))
        self.waited = 0

    def is_due(self, message_id: str) -> bool:
        seconds = self.expires_in[message_id]
        return seconds is not None and self.waited >= seconds

    def answer(self, message_id: str, option: str) -> type[AmtrioError] | None:
        state = self.truth[message_id][0]
        if state == "answered":
            return Answered
        if state != "open" or self.is_due(message_id):
            return Closed
        self.truth[message_id] = ("answered", (option,))
        return None

    def close(self, message_id: str, option: str) -> type[AmtrioError] | None:
        del option
        state = self.truth[message_id][0]
        if state == "open":
            self.truth[message_id] = ("closed", ())
        return {"answered": Answered, "gone": Closed}.get(state)

    def delete(self, message_id: str, option: str) -> type[AmtrioError] | None:
        del option
        before, self.truth[message_id] = self.truth[message_id], ("gone", ())
        return Conflict if before[0] == "gone" else None

    def expire(self) -> None:
        for each, (state, _) in self.truth.items():
            if state == "open" and self.is_due(each):
                self.truth[each] = ("expired", ())


def context(services: Services, account: str, device: str = "phone") -> Context:
    who = Principal(kind_of(account), account[2:], account, account[2:], session="", device=f"{account}/{device}")
    return Context(services, who)


async def do(services: Services, who: Context, what: str, message_id: str, option: str) -> type[AmtrioError] | None:
    """The refusal, if it is refused."""
    units: dict[str, tuple[Any, Any]] = {
        "answer": (answer_question, AnswerQuestion(message_id=message_id, option_ids=(option,))),
        "close": (close_question, CloseQuestion(message_id=message_id)),
        "delete": (delete_message, DeleteMessage(message_id=message_id)),
    }
    unit, frame = units[what]
    try:
        await services.store.write(unit, who, frame)
    except AmtrioError as refusal:
        return type(refusal)
    return None


async def begin(services: Services) -> tuple[str, dict[str, int | None]]:
    """Key of a person, and three questions to it with the seconds that they stay open."""
    await operation_add(services, AddAgent(agent_id="helper"))
    user = f"u:{await services.store.write(create_user, services, 'alice', 'hash')}"
    talk = await services.store.write(find_or_create, services.clock, user, "a:helper")
    options = tuple(Option(id=each, label=each) for each in ("yes", "no"))
    asked: dict[str, int | None] = {}
    for seconds in (None, 3600, 5400):
        question = AskedQuestion(options=options, expires_in_s=seconds)
        frame = SendMessage(conversation_id=talk, content="?", question=question)
        asked[(await services.store.write(send, context(services, "a:helper"), frame)).message_id] = seconds
    return user, asked


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, leaves_at=PLACES, reads_at=st.sets(PLACES, max_size=4))
async def test_whatever_the_order_one_end_wins_and_every_device_ends_with_the_truth(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]], leaves_at: int, reads_at: set[int]
) -> None:
    """Some devices hear all at once, one now and then, one leaves in the middle, one is new, and the agent's."""
    clock = MovableClock()
    async with open_server(tmp_path_factory.mktemp("questions"), clock=clock) as server:
        user, asked = await begin(server.services)
        expected = Expected(asked)
        watching, paging, leaving, new = (Reader[Seen](user, {}, apply) for _ in range(4))
        agent = Reader[Seen]("a:helper", {}, apply)
        for number, (what, index, option) in enumerate(steps):
            if what == "restart":
                await server.restart()
            elif what == "wait":
                clock.move(days=1801 / SECONDS_PER_DAY)
                expected.waited += 1801
            elif what == "expire":
                await expire_questions(server.services)
                expected.expire()
            else:
                account = "a:helper" if what == "close" else user
                who = context(server.services, account, "phone" if number % 2 else "tablet")
                message_id = list(asked)[index]
                refusal = await do(server.services, who, what, message_id, option)
                assert refusal is getattr(expected, what)(message_id, option)
            await watching.read(server.services)
            if number in reads_at:
                await paging.read(server.services)
                await agent.read(server.services)
            if number <= leaves_at:
                await leaving.read(server.services)
        for device in (watching, paging, leaving, new, agent):
            await device.read(server.services)
            assert device.seen == expected.truth
