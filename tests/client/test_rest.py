"""REST calls against answers as the protocol gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from amtrio.client.errors import Refused, Unreachable
from amtrio.client.rest import Rest, http_url
from amtrio.client.stream import Position

Handler = Callable[[httpx.Request], httpx.Response]


def rest(handler: Handler, **options: Any) -> Rest:
    return Rest("http://server", http=httpx.AsyncClient(transport=httpx.MockTransport(handler)), **options)


async def test_signing_in_keeps_the_token_for_the_calls_that_follow() -> None:
    """
    The password goes in a JSON body, the token in the Authorization header.
    """
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if request.url.path == "/auth/login":
            return httpx.Response(200, json={"token": "t", "user_id": "u1", "username": "alice"})
        return httpx.Response(200, json=[{"agent_id": "demo", "name": "Demo", "status": "busy", "online": True}])

    client = rest(answer)
    assert (await client.login("alice", "pw")).user_id == "u1"
    assert json.loads(requests[0].content) == {"username": "alice", "password": "pw"}
    (agent,) = await client.agents()
    assert (agent.agent_id, agent.status) == ("demo", "busy")
    assert requests[1].headers["authorization"] == "Bearer t"


async def test_an_agent_says_its_id() -> None:
    """
    X-Agent-ID beside its credential.
    """
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["x-agent-id"])
        return httpx.Response(200, json=[])

    await rest(answer, token="agt_x", agent_id="demo").conversations()
    assert seen == ["demo"]


async def test_a_refusal_carries_code_status_and_wait() -> None:
    """
    From the body, or from Retry-After where the body says nothing.
    """
    body = {"error": "too many", "code": "rate_limited", "status": "Too Many Requests"}
    client = rest(lambda _: httpx.Response(429, json=body, headers={"Retry-After": "3"}))
    with pytest.raises(Refused, match="too many") as caught:
        await client.agents()
    refused = caught.value
    assert (refused.code, refused.status, refused.retry, refused.retry_after_ms) == (
        "rate_limited",
        429,
        "after_ms",
        3000,
    )


async def test_a_proxys_error_page_is_a_refusal_too() -> None:
    """
    No JSON: the reason phrase has to do.
    """
    with pytest.raises(Refused, match="Bad Gateway") as caught:
        await rest(lambda _: httpx.Response(502, text="<html>")).agents()
    assert caught.value.code == "unknown"


async def test_nobody_there_or_another_server_is_unreachable() -> None:
    """
    Network errors, pages that are no JSON and JSON of another shape.
    """

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unreachable, match="refused"):
        await rest(refuse).agents()
    with pytest.raises(Unreachable, match="no JSON"):
        await rest(lambda _: httpx.Response(200, text="hello")).agents()
    with pytest.raises(Unreachable, match="another shape"):
        await rest(lambda _: httpx.Response(200, json={"agents": 1})).agents()


def page(epoch: str, seq: int, name: str, after: str | None) -> dict[str, Any]:
    return {"epoch": epoch, "seq": seq, "conversations": [{"conversation_id": name}], "next": after}


async def test_a_snapshot_is_all_its_pages_at_the_first_ones_place() -> None:
    """
    Later pages are asked for with the first page's seq.
    """
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url.query, "ascii"))
        first = "after" not in request.url.params
        return httpx.Response(200, json=page("e1", 7, "c1" if first else "c2", "c1" if first else None))

    snapshot = await rest(answer).snapshot()
    assert (snapshot.epoch, snapshot.seq) == ("e1", 7)
    assert [c.conversation_id for c in snapshot.conversations] == ["c1", "c2"]
    assert asked == ["", "after=c1&seq=7"]


async def test_a_snapshot_over_two_histories_is_refused() -> None:
    """
    Half of each would be neither.
    """

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=page("e2" if "after" in request.url.params else "e1", 7, "c1", "c1"))

    with pytest.raises(Refused, match="snapshot_moved"):
        await rest(answer).snapshot()


async def test_ids_are_escaped_in_paths() -> None:
    """
    An id is data, whatever it looks like.
    """
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={"messages": []})

    assert await rest(answer).history("a/../b", before=7, limit=3) == []
    assert paths == [b"/conversations/a%2F..%2Fb/messages?before=7&limit=3"]


def test_every_spelling_of_the_address_is_the_same_server() -> None:
    """
    Socket schemes, a slash at the end, no scheme at all.
    """
    assert http_url("ws://host:1/") == "http://host:1"
    assert http_url("wss://host/chat") == "https://host/chat"
    assert http_url("127.0.0.1:8080") == "http://127.0.0.1:8080"


async def test_a_file_is_uploaded_from_memory_and_from_disk(tmp_path: Path) -> None:
    """
    The bare bytes with their length and name; a large one is not read as a whole.
    """
    requests: list[httpx.Request] = []
    bodies: list[bytes] = []
    (tmp_path / "notes.txt").write_bytes(b"n" * 200_000)

    async def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        bodies.append(await request.aread())
        query = request.url.params
        return httpx.Response(200, json={"attachment_id": "att_1", "filename": query["filename"], "size": 4})

    client = Rest("http://server", token="t", http=httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    uploaded = await client.upload(b"a,b\n", filename="t.csv", content_type="text/csv", conversation_id="c1")
    assert (uploaded.attachment_id, uploaded.filename) == ("att_1", "t.csv")
    assert (await client.upload(tmp_path / "notes.txt")).filename == "notes.txt"
    assert bodies == [b"a,b\n", b"n" * 200_000]
    assert requests[0].headers["content-type"] == "text/csv"
    assert requests[0].url.params["conversation_id"] == "c1"
    assert requests[1].headers["content-length"] == "200000"
    with pytest.raises(FileNotFoundError):
        await client.upload(str(tmp_path / "missing"))


async def test_the_head_of_the_log_costs_one_conversation() -> None:
    """
    Where a program begins that wants only what happens from now on.
    """
    queries: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        queries.append(str(request.url.query, "ascii"))
        return httpx.Response(200, json={"epoch": "e1", "seq": 7, "conversations": [], "next": "c9"})

    assert await rest(answer).head() == Position("e1", 7)
    assert queries == ["limit=1"]
