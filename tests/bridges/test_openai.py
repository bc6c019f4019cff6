"""An endpoint of chat completions, played byte for byte on a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest

from amtrio.bridges.files import Files
from amtrio.bridges.openai import EndpointUnusable, Model, OpenAI, choose, look
from amtrio.client import RunFailed, RunPart, RunRecord
from tests.bridges.conftest import Play
from tests.bridges.endpoint import Answer, Endpoint, Request, Wire, open_endpoint
from tests.bridges.stage import Note, Record, said
from tests.bridges.test_files import upload

STREAM = "text/event-stream; charset=utf-8"


def chunk(finish: str | None = None, **delta: Any) -> str:
    return f"data: {json.dumps({'choices': [{'delta': delta, 'finish_reason': finish}]}, ensure_ascii=False)}\n\n"


@asynccontextmanager
async def open_model(answer: Answer, **options: Any) -> AsyncIterator[tuple[OpenAI, Endpoint]]:
    async with open_endpoint(answer) as endpoint, httpx.AsyncClient() as http:
        model = Model(f"{endpoint.url}/v1/", "echo-1", **options)
        yield OpenAI(model, http, Files(http, endpoint.url, "agt_secret", "helper")), endpoint


def answered(play: Play, answer: Answer, run: Record | None = None, message: Note | None = None, **options: Any) -> Any:
    """The run and what the endpoint was asked."""
    run = run or Record()
    asked: list[Request] = []

    async def scene() -> None:
        async with open_model(answer, **options) as (openai, endpoint):
            try:
                await openai.handle(message or Note(), run)
            finally:
                asked.extend(endpoint.requests)

    play(scene)
    return run, asked


async def hello(_request: Request, wire: Wire) -> None:
    await wire.head(200, STREAM)
    await wire.send(chunk(content="Hello") + chunk("stop") + "data: [DONE]\n\n")


def test_an_answer_streams_in_however_it_is_cut(play: Play) -> None:
    """
    Comments, either kind of line end, and cuts in the middle of characters and of lines.
    """
    told = ": ping\r\n\r\n" + chunk(reasoning_content="Thé?").replace("\n", "\r\n") + chunk(content="Hé")
    told += (
        chunk(content="llo 👋") + chunk("stop") + 'data: {"choices":[],"usage":{"total_tokens":3}}\n\ndata: [DONE]\n\n'
    )

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.head(200, STREAM)
        data = told.encode()
        for start in range(0, len(data), 7):
            await wire.send(data[start : start + 7])
            await anyio.lowlevel.checkpoint()

    run, asked = answered(play, answer, api_key="sk-1", options={"temperature": 0.5})
    assert [(part.kind, part.text) for part in run.parts] == [("reasoning", "Thé?"), ("text", "Héllo 👋")]
    assert run.usage == {"total_tokens": 3}
    assert (asked[0].method, asked[0].target) == ("POST", "/v1/chat/completions")
    assert asked[0].headers["authorization"] == "Bearer sk-1"
    assert asked[0].json == {
        "model": "echo-1",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
    }


def test_words_are_seen_before_the_answer_is_complete(play: Play) -> None:
    """
    And when the run is stopped, the stream is closed: the server learns that nobody listens.
    """
    run = Record()
    left = anyio.Event()

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.head(200, STREAM)
        await wire.send(chunk(content="Once upon a time"))
        await wire.wait_until_left()
        left.set()

    async def scene() -> None:
        async with open_model(answer) as (openai, _):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(openai.handle, Note(), run)
                await run.until(lambda run: run.text == "Once upon a time")
                tasks.cancel_scope.cancel()
            await left.wait()

    play(scene)
    assert run.text == "Once upon a time"


def test_the_conversation_goes_along(play: Play) -> None:
    """
    What was said before the message; not what was deleted, is encrypted, or came later.
    """
    failed = RunRecord(run_id="r1", outcome="failed", parts=[RunPart(part=0, kind="reasoning")])
    past = [
        said("first", 1),
        said("answer", 2, sender_type="agent"),
        said("(no answer)", 3, sender_type="agent", run=failed),
        said("", 4, deleted=True),
        said("AAAA", 5, kind="encrypted"),
        said("now", 6),
        said("later", 7),
    ]
    now = Note("now", conversation_seq=6)
    _, asked = answered(play, hello, Record(past=past), now, system="Be brief.")
    assert [each["content"] for each in asked[0].json["messages"]] == ["Be brief.", "first", "answer", "now"]
    _, asked = answered(play, hello, Record(past=past), now, history_messages=0)
    assert [each["content"] for each in asked[0].json["messages"]] == ["now"]


def test_pictures_go_along_as_data(play: Play) -> None:
    """
    Only if the model is said to see them, and not the largest; those of earlier messages too.
    """
    picture, letter, poster = upload(), upload(content_type="text/plain"), upload(size=100_000_000)

    async def answer(request: Request, wire: Wire) -> None:
        if request.method == "GET":
            await wire.answer(200, "JPEG")
        else:
            await hello(request, wire)

    past = [said("a cat", 1, attachments=[picture]), said("nice", 2, sender_type="agent")]
    message = Note("and this?", conversation_seq=3, attachments=[letter, picture, poster])
    _, asked = answered(play, answer, Record(past=past), message, sees_pictures=True)
    url = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,SlBFRw=="}}
    assert [each["content"] for each in asked[-1].json["messages"]] == [
        [{"type": "text", "text": "a cat"}, url],
        "nice",
        [{"type": "text", "text": "and this?"}, url],
    ]
    _, asked = answered(play, answer, Record(past=past), message)
    assert [each["content"] for each in asked[-1].json["messages"]] == ["a cat", "nice", "and this?"]


def test_an_endpoint_that_does_not_stream_is_understood(play: Play) -> None:
    """
    One JSON object is an answer too.
    """

    async def answer(_request: Request, wire: Wire) -> None:
        message = {"role": "assistant", "content": "Hello"}
        await wire.answer(200, {"choices": [{"message": message, "finish_reason": "stop"}]})

    run, _ = answered(play, answer)
    assert run.text == "Hello"


def test_an_endpoint_that_cannot_count_is_asked_again_without(play: Play) -> None:
    """
    Older ones refuse `stream_options`; they are asked so from then on.
    """
    run = Record()

    async def answer(request: Request, wire: Wire) -> None:
        if "stream_options" in request.json:
            await wire.answer(400, {"error": {"message": "unknown field: stream_options"}})
        else:
            await hello(request, wire)

    async def scene() -> None:
        async with open_model(answer) as (openai, endpoint):
            await openai.handle(Note(), run)
            await openai.handle(Note(), run)
            assert len(endpoint.requests) == 3

    play(scene)
    assert run.text == "HelloHello"


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (401, {"error": {"message": "bad key"}}, {}, r"refused the key \(401\): bad key"),
        (404, {"error": "model not found"}, {}, r"no model 'echo-1' at .*/v1/, .* \(404\): model not found"),
        (429, {}, {"Retry_After": "7"}, r"\(429\); try again in 7 s"),
        (429, {}, {"Retry_After": "Sun, 22 Nov 2026 12:00:00 GMT"}, r"try again after Sun, 22 Nov"),
        (429, {}, {}, r"try again later"),
        (500, "<html>oops</html>", {}, r"failed \(500\): <html>oops"),
        (400, {"error": {"message": "too long"}}, {}, r"did not take the request \(400\): too long"),
        (200, {"error": {"message": "busy"}}, {}, "broke off: busy"),
    ],
)
def test_a_refusal_is_told_in_words(play: Play, status: int, body: Any, headers: dict[str, str], words: str) -> None:
    """
    What it means, and what the server said.
    """

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.answer(status, body, **headers)

    with pytest.raises(RunFailed, match=words):
        answered(play, answer)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (chunk(content="Hel") + 'data: {"error": {"message": "out of memory"}}\n\n', "broke off: out of memory"),
        (chunk(content="Hel"), "in the middle of the answer"),
        (chunk("stop") + "data: [DONE]\n\n", "empty answer"),
    ],
)
def test_a_broken_stream_fails_the_run(play: Play, told: str, words: str) -> None:
    """
    An error in the middle, an end before the end, and nothing at all; what came stays.
    """
    run = Record()

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.head(200, STREAM)
        await wire.send(told)

    with pytest.raises(RunFailed, match=words):
        answered(play, answer, run)
    assert run.text in {"Hel", ""}


def test_a_cut_connection_fails_the_run(play: Play) -> None:
    """
    In the middle of a chunked answer.
    """

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.head(200, STREAM, Transfer_Encoding="chunked")
        await wire.send("ff\r\n" + chunk(content="Hel"))

    with pytest.raises(RunFailed, match="connection to the model's server broke"):
        answered(play, answer)


def test_silence_is_given_up(play: Play) -> None:
    """
    After the time that was set.
    """

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.wait_until_left()

    with pytest.raises(RunFailed, match=r"said nothing for 0\.1 s"):
        answered(play, answer, silence_s=0.1)


def test_nobody_there_fails_the_run_and_the_start(play: Play) -> None:
    """
    With the address that was tried.
    """

    async def scene() -> None:
        async with open_endpoint(hello) as endpoint:
            gone = endpoint.url
        async with httpx.AsyncClient() as http:
            model = Model(gone, "echo-1")
            with pytest.raises(RunFailed, match=f"cannot reach the model's server at {gone}"):
                await OpenAI(model, http, Files(http, gone, "", "")).handle(Note(), Record())
            with pytest.raises(EndpointUnusable, match=f"cannot reach the model's server at {gone}"):
                await look(model, http)
            with pytest.raises(EndpointUnusable, match="cannot reach"):
                await look(Model("no address", "echo-1"), http)

    play(scene)


def test_a_look_lists_the_models(play: Play) -> None:
    """
    A refused key is told at once; an endpoint that does not list any may be good all the same.
    """

    async def scene() -> None:
        for status, body, models in (
            (200, {"data": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
            (404, {}, []),
            (200, "<html>", []),
            (200, {"data": None}, []),
        ):

            async def answer(_request: Request, wire: Wire, status: int = status, body: Any = body) -> None:
                await wire.answer(status, body)

            async with open_endpoint(answer) as endpoint, httpx.AsyncClient() as http:
                assert await look(Model(endpoint.url, ""), http) == models

        async def refuse(_request: Request, wire: Wire) -> None:
            await wire.answer(401, {"error": "who are you?"})

        async with open_endpoint(refuse) as endpoint, httpx.AsyncClient() as http:
            with pytest.raises(EndpointUnusable, match=r"refused the key \(401\): who are you\?"):
                await look(Model(endpoint.url, "echo-1"), http)

    play(scene)


@pytest.mark.parametrize(
    ("name", "offered", "chosen", "reports"),
    [
        ("", ["qwen3:latest"], "qwen3:latest", ["the model is qwen3:latest"]),
        ("qwen3", ["qwen3:latest", "other"], "qwen3", []),
        ("qwen3", [], "qwen3", []),
        ("qwen", ["qwen3:latest"], "qwen", ["http://m does not list 'qwen', but: qwen3:latest"]),
    ],
)
def test_the_model_is_the_one_named_or_the_only_one(
    name: str, offered: list[str], chosen: str, reports: list[str]
) -> None:
    """
    One that is not listed may be there all the same.
    """
    told: list[str] = []
    assert choose(Model("http://m", name), offered, told.append).name == chosen
    assert told == reports


@pytest.mark.parametrize(("offered", "words"), [([], "name a model"), (["a", "b"], "2 models; .* --model: a, b")])
def test_a_model_must_be_named_where_it_is_not_clear(offered: list[str], words: str) -> None:
    """
    With those to choose from.
    """
    with pytest.raises(EndpointUnusable, match=words):
        choose(Model("http://m", ""), offered, lambda _line: None)
