"""A web service as an agent, on a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest

from amtrio.bridges.signature import verify
from amtrio.bridges.webhook import Hook, HookUnusable, Webhook, knock
from amtrio.client import RunFailed
from tests.bridges.conftest import Play
from tests.bridges.endpoint import Answer, Endpoint, Request, Wire, open_endpoint
from tests.bridges.stage import Note, Record
from tests.bridges.test_files import upload

NOW_S = 1_795_348_800.0
NO_WAIT = (0.0, 0.0, 0.0)


@asynccontextmanager
async def open_hook(answer: Answer, **options: Any) -> AsyncIterator[tuple[Webhook, Endpoint]]:
    options.setdefault("waits_s", NO_WAIT)
    async with open_endpoint(answer) as endpoint, httpx.AsyncClient() as http:
        hook = Hook(f"{endpoint.url}/hook", "secret", "helper", **options)
        yield Webhook(hook, http, lambda: NOW_S), endpoint


def answered(play: Play, answer: Answer, message: Note | None = None, **options: Any) -> tuple[Record, list[Request]]:
    run = Record()
    asked: list[Request] = []

    async def scene() -> None:
        async with open_hook(answer, **options) as (webhook, endpoint):
            try:
                await webhook.handle(message or Note(), run)
            finally:
                asked.extend(endpoint.requests)

    play(scene)
    return run, asked


def saying(body: Any, content_type: str = "", status: int = 200) -> Answer:
    async def answer(_request: Request, wire: Wire) -> None:
        await wire.answer(status, body, content_type)

    return answer


def test_a_message_arrives_signed(play: Play) -> None:
    """
    As JSON, with who wrote it where, and an id that a second delivery would have too.
    """
    message = Note("hi", reply_to="m0", metadata={"a": 1})
    _, asked = answered(play, saying("", status=204), message, headers={"X-Api-Key": "k"})
    headers = asked[0].headers
    assert verify("secret", asked[0].body, headers["x-amtrio-signature"], NOW_S)
    assert (headers["idempotency-key"], headers["content-type"], headers["x-api-key"]) == (
        "m1",
        "application/json",
        "k",
    )
    assert (asked[0].method, asked[0].target) == ("POST", "/hook")
    assert asked[0].json == {
        "type": "message",
        "agent_id": "helper",
        "message": {
            "message_id": "m1",
            "content": "hi",
            "created_at": "2026-11-22T12:00:00.000Z",
            "conversation_seq": 1,
            "reply_to": "m0",
            "metadata": {"a": 1},
            "attachments": [],
        },
        "conversation": {"conversation_id": "c1", "user_id": "alice"},
    }


def test_attachments_are_described(play: Play) -> None:
    """
    The service fetches them itself, if it has a credential.
    """
    _, asked = answered(play, saying("", status=204), Note(attachments=[upload()]))
    assert asked[0].json["message"]["attachments"][0]["filename"] == "garden.jpg"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"content": "Hello"}, ""),
        ("Hello", "text/plain"),
        ("Hello", "text/markdown; charset=utf-8"),
        ({"type": "text", "text": "Hello"}, ""),
        ([{"type": "status", "text": "!"}, {"type": "text", "text": "Hel"}, "lo"], ""),
        ('{"type":"text","text":"Hel"}\n{"type":"text","text":"lo"}\n', "application/x-ndjson"),
        ('{"amtrio":1}\n{"type":"text","text":"Hello"}\n{"type":"end"}\nmore', "text/plain"),
        ('data: {"type":"text","text":"Hel"}\n\ndata: lo\n\ndata: [DONE]\n\ndata: x\n\n', "text/event-stream"),
        ('data: "Hel"\n\ndata: "lo"', "text/event-stream"),
    ],
)
def test_it_may_answer_in_many_ways(play: Play, body: Any, content_type: str) -> None:
    """
    JSON, text, lines or events.
    """
    run, _ = answered(play, saying(body, content_type))
    assert run.text == "Hello"


@pytest.mark.parametrize(("status", "body"), [(202, "queued"), (204, ""), (200, ""), (200, {})])
def test_it_need_not_answer(play: Play, status: int, body: Any) -> None:
    """
    What is accepted without a word leaves no message.
    """
    run, _ = answered(play, saying(body, status=status))
    assert run.parts == []


@pytest.mark.parametrize(
    ("content_type", "frame"),
    [
        ("text/plain", lambda text: text),
        ("text/event-stream", lambda text: f"data: {json.dumps(text)}\n\n"),
        ("application/x-ndjson", lambda text: json.dumps({"type": "text", "text": text}) + "\n"),
    ],
)
def test_a_stream_is_seen_as_it_comes(play: Play, content_type: str, frame: Callable[[str], str]) -> None:
    """
    And a stopped run closes it.
    """
    run = Record()
    left = anyio.Event()

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.head(200, content_type)
        await wire.send(frame("Once upon a time"))
        await wire.wait_until_left()
        left.set()

    async def scene() -> None:
        async with open_hook(answer) as (webhook, _):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(webhook.handle, Note(), run)
                await run.until(lambda run: run.text == "Once upon a time")
                tasks.cancel_scope.cancel()
            await left.wait()

    play(scene)


def test_it_is_asked_again_while_it_is_ill(play: Play) -> None:
    """
    With the same id and body, signed anew; the person sees why it takes longer.
    """
    answers = iter([saying("", status=503), saying("", status=429), saying({"content": "Hello"})])

    async def answer(request: Request, wire: Wire) -> None:
        await next(answers)(request, wire)

    run, asked = answered(play, answer)
    assert run.text == "Hello"
    assert run.statuses == [
        "the service failed (503); trying again in 0 s",
        "the service said no (429); trying again in 0 s",
    ]
    assert {(each.headers["idempotency-key"], each.body) for each in asked} == {("m1", asked[0].body)}
    assert len(asked) == 3


def test_a_cut_before_the_answer_is_tried_again_too(play: Play) -> None:
    """
    Nobody can tell whether the message was taken; the id is the same.
    """
    count = 0

    async def answer(_request: Request, wire: Wire) -> None:
        nonlocal count
        count += 1
        if count > 1:
            await wire.answer(200, "Hello")

    run, asked = answered(play, answer)
    assert (run.text, len(asked)) == ("Hello", 2)


def test_a_wish_to_wait_is_heeded(play: Play) -> None:
    """
    Up to a minute; the wait may be stopped.
    """
    run = Record()

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.answer(503, "", Retry_After="9999")

    async def scene() -> None:
        async with open_hook(answer) as (webhook, _), anyio.create_task_group() as tasks:
            tasks.start_soon(webhook.handle, Note(), run)
            await run.until(lambda run: bool(run.statuses))
            tasks.cancel_scope.cancel()

    play(scene)
    assert run.statuses == ["the service failed (503); trying again in 60 s"]


def test_it_is_given_up_after_the_last_try(play: Play) -> None:
    """
    With what it said last.
    """
    with pytest.raises(RunFailed, match=r"the service failed \(500\): oops"):
        answered(play, saying("oops", "text/plain", 500))


@pytest.mark.parametrize(
    ("status", "body", "content_type", "words"),
    [
        (400, "what?", "text/plain", r"the service said no \(400\): what\?"),
        (403, "<html>", "text/html", r"the service said no \(403\)$"),
        (302, "", "", r"the service has moved \(302\) to /elsewhere"),
        (200, "{", "application/json", "something else than the JSON"),
        (200, {"answer": "?"}, "", "no `content`"),
        (200, {"type": "error", "text": "no paper"}, "", "^no paper$"),
        (200, "event: error\ndata: no paper\n\n", "text/event-stream", "^no paper$"),
        (200, 'event: error\ndata: {"text": "no paper"}\n\n', "text/event-stream", "^no paper$"),
    ],
)
def test_a_refusal_is_told_and_not_tried_again(
    play: Play, status: int, body: Any, content_type: str, words: str
) -> None:
    """
    Redirections are not followed either: the signature was for somebody else.
    """
    asked = 0

    async def answer(request: Request, wire: Wire) -> None:
        nonlocal asked
        asked += 1
        assert request.target == "/hook"
        await wire.answer(status, body, content_type, Location="/elsewhere")

    with pytest.raises(RunFailed, match=words):
        answered(play, answer)
    assert asked == 1


def test_a_cut_answer_fails_and_is_not_tried_again(play: Play) -> None:
    """
    What came stays; a second answer would begin anew.
    """
    run = Record()

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.head(200, "text/plain", Transfer_Encoding="chunked")
        await wire.send("5\r\nHello\r\n")

    async def scene() -> None:
        async with open_hook(answer) as (webhook, endpoint):
            with pytest.raises(RunFailed, match="broke off in the middle"):
                await webhook.handle(Note(), run)
            assert len(endpoint.requests) == 1

    play(scene)
    assert run.text == "Hello"


def test_silence_is_given_up(play: Play) -> None:
    """
    Each try after the time that was set.
    """

    async def answer(_request: Request, wire: Wire) -> None:
        await wire.wait_until_left()

    with pytest.raises(RunFailed, match="cannot reach the service: ReadTimeout"):
        answered(play, answer, silence_s=0.05, waits_s=(0.0,))


def test_a_knock_tells_whether_anybody_listens(play: Play) -> None:
    """
    Whatever the answer is; it says nothing and signs nothing.
    """

    async def scene() -> None:
        async with open_endpoint(saying("", status=405)) as endpoint, httpx.AsyncClient() as http:
            await knock(Hook(endpoint.url, "secret", "helper"), http)
            assert [(each.method, each.body) for each in endpoint.requests] == [("HEAD", b"")]
        async with httpx.AsyncClient() as http:
            for address in (endpoint.url, "nowhere", "ftp://x", "http://[::bad"):
                with pytest.raises(HookUnusable, match="nobody listens at"):
                    await knock(Hook(address, "secret", "helper"), http)

    play(scene)
