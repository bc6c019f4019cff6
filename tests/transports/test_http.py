"""Every route alike: bodies, errors, headers, budgets."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from amtrio.context import Answer, Chunks, Context, Nothing
from amtrio.feature import Registry, registry
from amtrio.features import accounts
from amtrio.features.accounts import UserName
from amtrio.store.database import ReadTx
from amtrio.transports.aliases import aliases_of
from tests.conftest import Journal
from tests.harness import ADMIN_SECRET, AGENT_SECRET, PASSWORD, PATIENCE_SECONDS, open_scene
from tests.key_owner import KeyOwner
from tests.pictures import picture
from tests.transports.conftest import cast, filled, refused

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
ROUTES = [(route.method, route.path) for route in registry.routes]
PROVEN = [(route.method, route.path) for route in registry.routes if route.who in {"member", "user", "agent"}]
OPEN = [route.path for route in registry.routes if route.who == "anyone" and route.method == "GET"]


# ---------------------------------------------------------------------------------------------------------- every route


async def test_every_route_wants_its_proof(tmp_path: Path) -> None:
    """Without one it is 401 in the one shape, with a challenge, before the body is looked at."""
    async with open_scene(tmp_path) as scene:
        for method, path in PROVEN:
            answer = await scene.http.request(method, filled(path), content=b"\xff not json")
            assert refused(answer, 401, "unauthorized")["error"] == "unauthorized", path
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("kind", ["json", "text", "list", "number", "broken", "not utf-8", "deep", "rather deep"])
async def test_no_body_breaks_any_route(tmp_path: Path, kind: str) -> None:
    """A body of the wrong shape is answered with 4xx wherever there is a shape, never with 500."""
    bodies = {
        "json": b'{"unknown":{"a":[1]}}', "text": b'"text"', "list": b"[]", "number": b"5", "broken": b'{"a":',
        "not utf-8": b'{"username":"\xff"}', "deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
        "rather deep": b'{"a":' * 65 + b"1" + b"}" * 65,
    }  # fmt: skip
    async with open_scene(tmp_path) as scene:
        alice, _, _ = await cast(scene)
        for method, path in ROUTES:
            if method == "GET" or path in {"/auth/logout", "/attachments"}:  # no body is wrong for a file
                continue
            answer = await scene.http.request(
                method, filled(path), content=bodies[kind], headers=alice.headers | {"Content-Type": "application/json"}
            )
            assert 400 <= answer.status_code < 500, (method, path, answer.text)


async def test_head_wherever_get(tmp_path: Path) -> None:
    """The same status and headers without the body; health probes use it."""
    async with open_scene(tmp_path) as scene:
        for path in OPEN:
            answer = await scene.http.head(path)
            assert (answer.status_code, answer.content) == (200, b""), path
        alice, _, talk = await cast(scene)
        got = await scene.http.get(f"/conversations/{talk}", headers=alice.headers)
        head = await scene.http.head(f"/conversations/{talk}", headers=alice.headers)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == str(len(got.content))
        assert (await scene.http.head("/conversations")).status_code == 401


async def test_head_and_get_change_nothing(tmp_path: Path) -> None:
    """
    Not a row, whatever the route, with one exception that the older protocol demands (RFC 9110, 9.2.1).
    """
    reads = [route.path for route in registry.routes if route.method == "GET"]
    reads += [path for (method, path), _ in aliases_of(registry.routes) if method == "GET"]
    async with open_scene(tmp_path) as scene, AsyncExitStack() as stack:
        alice, helper, talk = await cast(scene)
        await accounts.operation_promote(scene.running.services, UserName(username="alice"))
        await KeyOwner().publish(scene, helper, one_time=1)
        async with scene.device(alice) as phone:
            message_id = (await phone.send(talk, "hello"))["message_id"]
        upload = await scene.http.post("/attachments", files={"file": ("a.png", picture())}, headers=alice.headers)
        ids = {
            "conversation_id": talk, "message_id": message_id, "attachment_id": upload.json()["attachment_id"],
            "agent_id": "helper", "user_id": alice.id, "owner_type": "agent", "owner_id": "helper", "q": "hello",
            "run_id": "run-of-the-tests-01",
        }  # fmt: skip
        # It stays: that it went would be written down meanwhile.
        agent = await stack.enter_async_context(scene.device(helper))
        begun = await agent.ask("run_start", run_id=ids["run_id"], conversation_id=talk)
        assert begun["type"] == "run_state"
        for method, path in [("HEAD", path) for path in reads] + [("GET", path) for path in reads]:
            concrete = re.sub(r"<(\w+)>", lambda part: str(ids[part[1]]), path)
            query = ids if not path.startswith("/search") else {"q": "hello"}
            before = await scene.running.services.store.read(everything)
            answer = await scene.http.request(method, concrete, params=query, headers=alice.headers)
            # There is no key for Web Push while it is switched off.
            assert answer.status_code == (404 if path == "/push/vapid-key" else 200), (method, concrete, answer.text)
            changed = await scene.running.services.store.read(everything) != before
            assert changed == ((method, path) == ("GET", "/keys/bundle")), (method, path)


def everything(tx: ReadTx) -> dict[str, list[Any]]:
    """Every row but those that say when somebody was last seen, and where the search index has come to."""
    tables = [name for (name,) in tx.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
    moving = ("search_", "cursor", "login_session", "user_account")
    return {name: tx.all(f"SELECT * FROM {name}") for name in tables if not name.startswith(moving)}


async def test_a_wrong_method_names_the_right_ones(tmp_path: Path) -> None:
    """405 with Allow (RFC 9110, 15.5.6), before any proof."""
    async with open_scene(tmp_path) as scene:
        for path, methods in (
            ("/health", {"GET", "HEAD"}),
            ("/auth/login", {"POST"}),
            ("/conversations", {"GET", "HEAD", "POST"}),
            ("/conversations/conv_1", {"GET", "HEAD", "PATCH", "DELETE"}),
        ):
            answer = await scene.http.put(path)
            refused(answer, 405, "method_not_allowed")
            assert set(answer.headers["Allow"].split(", ")) == methods
        refused(await scene.http.request("BREW", "/health"), 405, "method_not_allowed")
        requests = scene.running.services.metrics.requests
        assert {method for method, _ in requests} <= {"GET", "HEAD", "POST", "PUT", "other"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/healthz",
        "/health/x",
        "/conversations/a/b/c",
        "/debug/pprof/",
        "/debug/pprof/heap",
        "/%00",
        "/%ff",
        "/x" * 900,
    ],
)
async def test_unknown_paths(tmp_path: Path, path: str) -> None:
    """404 in the one shape; the answer does not repeat a long path."""
    async with open_scene(tmp_path) as scene:
        answer = await scene.http.get(path)
        refused(answer, 404, "not_found")
        assert len(answer.content) < 1000


@pytest.mark.parametrize("path", ["/client/connect", "/agent/connect"])
async def test_where_only_sockets_are_spoken(tmp_path: Path, path: str) -> None:
    """A plain request learns that, and registers nobody."""
    async with open_scene(tmp_path) as scene:
        answer = await scene.http.get(path)
        refused(answer, 426, "upgrade_required")
        assert answer.headers["Upgrade"] == "websocket"


# ----------------------------------------------------------------------------------------------------- paths and bodies


async def test_slashes_too_many_do_not_matter(tmp_path: Path) -> None:
    """A shipped client doubles them; a redirect would make a GET of its POST."""
    async with open_scene(tmp_path) as scene:
        await scene.register("alice")
        account = {"username": "alice", "password": PASSWORD}
        # In full, or the client would take what follows two slashes for a host.
        base = f"http://127.0.0.1:{scene.running.port}"
        for path in ("//auth/login", "/auth//login", "///auth///login", "/auth/login/"):
            answer = await scene.http.post(base + path, json=account)
            assert answer.status_code == 200, path
            assert answer.json()["token"]
        assert (await scene.http.get(f"{base}//health//")).status_code == 200
        assert (await scene.http.get("/health", params={"next": "//elsewhere"})).status_code == 200


async def test_no_secret_is_taken_from_the_url(tmp_path: Path) -> None:
    """URLs end up in logs and histories: what stands there is as if it were not said."""
    async with open_scene(tmp_path) as scene:
        account = {"username": "alice", "password": PASSWORD}
        assert (await scene.http.post("/auth/register", params=account)).status_code == 400
        assert (await scene.http.post("/auth/register", json=account)).status_code == 200
        assert (await scene.http.post("/auth/login", params=account)).status_code == 400
        asked = {"agent_id": "helper", "agent_secret": AGENT_SECRET}
        assert (await scene.http.post("/auth/agent", params=asked)).status_code == 401
        assert (await scene.http.get("/admin/users", params={"admin_secret": ADMIN_SECRET})).status_code == 401


async def test_a_whole_number_may_have_a_point(tmp_path: Path) -> None:
    """As some languages write it; half a number is none."""
    async with open_scene(tmp_path) as scene:
        alice, helper, talk = await cast(scene)
        async with scene.device(helper) as agent:
            await agent.send(talk, "hello")
        path = f"/conversations/{talk}/read"
        assert (await scene.http.post(path, json={"up_to": 1.0}, headers=alice.headers)).json()["read_up_to"] == 1
        refused(await scene.http.post(path, json={"up_to": 1.5}, headers=alice.headers), 400, "malformed")


@pytest.mark.parametrize("how", ["json", "data", "files", "params", "nothing said"])
async def test_json_forms_and_queries_are_alike(tmp_path: Path, how: str) -> None:
    """Registering, signing in, talking, reading and editing, whatever the fields come in."""
    async with open_scene(tmp_path) as scene:

        async def post(path: str, **fields: str) -> Any:
            sent: dict[str, Any] = {how: fields}
            if how == "params" and "password" in fields:
                sent = {"data": fields}
            elif how == "files":
                sent = {"files": {name: (None, value) for name, value in fields.items()}}
            elif how == "nothing said":
                sent = {"content": json.dumps(fields).encode()}
            answer = await scene.http.post(path, headers=headers, **sent)
            assert answer.status_code == 200, (path, answer.text)
            return answer.json()

        headers: dict[str, str] = {}
        await scene.register_agent("helper")
        await post("/auth/user", username="alice", password=PASSWORD)
        headers = {
            "Authorization": f"Bearer {(await post('/auth/login', username='alice', password=PASSWORD))['token']}"
        }
        talk = (await post("/conversations/create", agent_id="helper"))["conversation_id"]
        text = "\N{SNOWMAN} & = + %20 \N{PARTY POPPER}"
        sent = await post(f"/conversations/{talk}/messages", content=text)
        assert (await post("/conversations/mark-read", conversation_id=talk))["conversation_id"] == talk
        await post("/messages/edit", message_id=sent["message_id"], content=text * 2)
        (message,) = (await scene.http.get(f"/conversations/{talk}/messages", headers=headers)).json()
        assert message["content"] == text * 2
        await post("/messages/delete", message_id=sent["message_id"])
        await post("/conversations/delete", conversation_id=talk)


async def test_body_over_query_and_path_over_all(tmp_path: Path) -> None:
    """Nobody can be talked into another conversation by what stands elsewhere."""
    async with open_scene(tmp_path) as scene:
        alice, _, talk = await cast(scene)
        fields = {"conversation_id": "c_2", "content": "x"}
        for how in ("json", "data"):
            sent: dict[str, Any] = {how: fields}
            answer = await scene.http.post(
                f"/conversations/{talk}/messages?conversation_id=c_3&content=query", headers=alice.headers, **sent
            )
            assert answer.json()["conversation_id"] == talk
        contents = [each["content"] for each in await scene.get(f"/conversations/{talk}/messages", alice)]
        assert contents == ["x", "x"]


async def test_numbers_in_queries_are_text_and_in_json_are_numbers(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        alice, _, talk = await cast(scene)
        for number in range(3):
            await scene.http.post(
                f"/conversations/{talk}/messages", json={"content": f"n{number}"}, headers=alice.headers
            )
        page = await scene.get(f"/conversations/{talk}/messages", alice, limit="2")
        assert [each["content"] for each in page] == ["n1", "n2"]
        answer = await scene.http.get(f"/conversations/{talk}/messages?limit=many", headers=alice.headers)
        refused(answer, 400, "malformed")
        for sent, status in (
            ({"json": {"up_to": 2}}, 200),
            ({"data": {"up_to": "2"}}, 200),
            ({"json": {"up_to": "x"}}, 400),
        ):
            answer = await scene.http.post(f"/conversations/{talk}/read", headers=alice.headers, **sent)
            assert answer.status_code == status, answer.text


@pytest.mark.parametrize("is_announced", [True, False])
async def test_bodies_too_large(tmp_path: Path, is_announced: bool) -> None:  # noqa: FBT001 - a parameter
    """413, whether the length is announced or comes in pieces; what fits exactly is taken."""
    async with open_scene(tmp_path, server={"max_body_bytes": 2048}) as scene:

        async def pieces(size: int) -> Any:
            for at in range(0, size, 500):
                yield b" " * min(500, size - at)

        def content(size: int) -> Any:
            return b" " * size if is_announced else pieces(size)

        answer = await scene.http.post("/auth/login", content=content(2049))
        assert answer.status_code == 413
        assert answer.json()["code"] == "too_large"
        assert (await scene.http.post("/auth/login", content=content(2048))).status_code == 400


# -------------------------------------------------------------------------------------------------------------- headers


@pytest.mark.parametrize(("listed", "may_read"), [(("https://chat.example",), True), ((), False)])
async def test_a_page_may_read_why_its_body_was_refused(
    tmp_path: Path, listed: tuple[str, ...], *, may_read: bool
) -> None:
    """
    What is refused before the app is asked looks like what the app refuses: shape, headers, request id, counted.
    """
    sections: Any = {"cors_allowed_origins": listed, "max_body_bytes": 1024}
    async with open_scene(tmp_path, server=sections) as scene:
        page = {"Origin": "https://chat.example", "X-Request-ID": "mine-1", "Content-Type": "application/json"}
        answer = await scene.http.post("/auth/login", content=b"x" * 2000, headers=page)
        refused(answer, 413, "too_large")
        assert answer.headers.get("Access-Control-Allow-Origin") == ("https://chat.example" if may_read else None)
        assert ("Access-Control-Expose-Headers" in answer.headers) == may_read
        assert answer.headers["Vary"] == "Origin"
        assert answer.headers["X-Request-ID"] == "mine-1"
        assert {name: answer.headers[name] for name in SECURITY} == SECURITY
        assert scene.running.services.metrics.requests["POST", 413] == 1


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("abc-1.2_X", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("a;b", False),
        (None, False),
    ],
)
async def test_request_ids(tmp_path: Path, given: str | None, is_kept: bool) -> None:  # noqa: FBT001 - expected
    """The client's own if it is harmless, else one of ours; on good answers and bad ones."""
    async with open_scene(tmp_path) as scene:
        for path in ("/health", "/nothing", "/conversations"):
            answer = await scene.http.get(path, headers={} if given is None else {"X-Request-ID": given})
            shown = answer.headers["X-Request-ID"]
            assert (shown == given) == is_kept
            assert is_kept or shown.startswith("req_")


async def test_security_headers_on_every_answer(tmp_path: Path) -> None:
    """Good, refused, unknown and preflight."""
    async with open_scene(tmp_path) as scene:
        for method, path in (
            ("GET", "/health"),
            ("GET", "/metrics"),
            ("GET", "/x"),
            ("PUT", "/health"),
            ("GET", "/agents"),
            ("OPTIONS", "/agents"),
        ):
            answer = await scene.http.request(method, path)
            assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY, path


async def test_preflights_come_before_everything(tmp_path: Path) -> None:
    """No proof, no budget; every method and header that a page may need is allowed."""
    sections: Any = {"auth": {"attempts_per_minute": 1}, "limits": {"requests_per_minute": 1}}
    async with open_scene(tmp_path, server={"cors_allowed_origins": ("*",)}, **sections) as scene:
        asks = {"Origin": "https://chat.example", "Access-Control-Request-Method": "POST"}
        for path in ("/auth/login", "/admin/agents", "/conversations", "/messages/x") * 3:
            answer = await scene.http.options(path, headers=asks)
            assert (answer.status_code, answer.content) == (204, b"")
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            methods = answer.headers["Access-Control-Allow-Methods"].split(", ")
            assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(methods)
            allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
            assert {
                "authorization",
                "x-requested-with",
                "x-csrf-token",
                "x-admin-secret",
                "x-admin-key",
                "x-agent-id",
                "x-request-id",
            } <= set(allowed)
        assert (await scene.http.post("/auth/login", json={})).status_code != 429


@pytest.mark.parametrize(
    ("listed", "origin", "answered"),
    [
        (("*",), "https://a.example", "*"),
        (("https://a.example",), "https://a.example", "https://a.example"),
        (("https://a.example",), "https://b.example", None),
        ((), "https://a.example", None),
        ((), "http://HOST", "http://HOST"),
        ((), "null", None),
        (("*",), None, "*"),
    ],
)
async def test_which_pages_may_read_answers(
    tmp_path: Path, listed: tuple[str, ...], origin: str | None, answered: str | None
) -> None:
    """Those on the list and our own; also errors can be read. Never with credentials of the browser."""
    async with open_scene(tmp_path, server={"cors_allowed_origins": listed}) as scene:
        host = f"127.0.0.1:{scene.running.port}"
        headers = {} if origin is None else {"Origin": origin.replace("HOST", host)}
        expected = None if answered is None else answered.replace("HOST", host)
        for path in ("/health", "/agents", "/nothing"):
            answer = await scene.http.get(path, headers=headers)
            assert answer.headers.get("Access-Control-Allow-Origin") == expected
            assert "Access-Control-Allow-Credentials" not in answer.headers
            # Any cache may keep what is the same for every page, and must not hand on what is not.
            assert ("Vary" in answer.headers) == ("*" not in listed)


# -------------------------------------------------------------------------------------------------------------- budgets


async def test_budgets(tmp_path: Path) -> None:
    """Sign-ins per address, requests per account; 429 says when, health is never refused."""
    async with open_scene(tmp_path, auth={"attempts_per_minute": 4}, limits={"free_requests_per_minute": 3}) as scene:
        alice, bob = await scene.register("alice"), await scene.register("bob")
        for person in (alice, bob):
            answers = [await scene.http.get("/agents", headers=person.headers) for _ in range(4)]
            assert [each.status_code for each in answers] == [200, 200, 200, 429]
            body = refused(answers[-1], 429, "rate_limited")
            assert int(answers[-1].headers["Retry-After"]) * 1000 >= body["retry_after_ms"] > 0
        answers = [await scene.http.post("/auth/login", json={}) for _ in range(3)]
        assert [each.status_code for each in answers] == [400, 400, 429]
        for _ in range(20):
            assert (await scene.http.get("/health")).status_code == 200


async def test_every_limited_answer_says_what_is_left(tmp_path: Path) -> None:
    """Also those that fail; what costs nothing, or has no limit, says nothing."""
    async with open_scene(tmp_path, limits={"free_requests_per_minute": 3}) as scene:
        alice, helper, talk = await cast(scene)  # it took one
        seen = []
        for path in ("/agents", "/conversations/none", "/agents"):
            headers = (await scene.http.get(path, headers=alice.headers)).headers
            seen.append([int(headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")])
        assert [each[:2] for each in seen] == [[3, 1], [3, 0], [3, 0]]
        assert 20 < seen[0][2] <= 40 < seen[1][2] <= 60
        refused(await scene.http.get("/agents", headers=alice.headers), 429, "rate_limited")
        for path, who in (("/health", alice), ("/metrics", alice), ("/agents", helper)):
            answer = await scene.http.get(path, headers=who.headers)
            assert answer.status_code == 200
            assert "X-RateLimit-Limit" not in answer.headers
        sent = await scene.http.post(f"/conversations/{talk}/messages", json={"content": "x"}, headers=alice.headers)
        assert sent.status_code == 200, "messages have a budget of their own"


async def test_messages_by_rest_and_by_socket_share_a_budget(tmp_path: Path) -> None:
    async with open_scene(tmp_path, limits={"user_messages_per_minute": 2}) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice) as phone:
            await phone.send(talk, "one")
            path = f"/conversations/{talk}/messages"
            assert (await scene.http.post(path, json={"content": "two"}, headers=alice.headers)).status_code == 200
            refused(await scene.http.post(path, json={"content": "three"}, headers=alice.headers), 429, "rate_limited")


# --------------------------------------------------------------------------------------------------------- and the rest


async def test_one_shipped_client_calls_its_user_user(tmp_path: Path) -> None:
    """Recognised by its user agent; everybody else reads `client`."""
    async with open_scene(tmp_path) as scene:
        alice, _, talk = await cast(scene)
        path = f"/conversations/{talk}/messages"
        await scene.http.post(path, json={"content": "x"}, headers=alice.headers)
        for agent, word in (("okhttp/4.12.0", "user"), ("python-httpx", "client"), ("not okhttp", "client")):
            (message,) = (await scene.http.get(path, headers=alice.headers | {"User-Agent": agent})).json()
            assert message["sender_type"] == word


@pytest.mark.expects_error_log("request_failed")
async def test_a_bug_is_told_without_its_inside(tmp_path: Path, journal: Journal) -> None:
    """500 in the one shape, the traceback in the log, and the server goes on."""
    async with open_scene(tmp_path) as scene:

        def broken() -> None:
            raise KeyError("secret of the inside")

        scene.running.services.fanout.__dict__["online"] = broken
        try:
            answer = await scene.http.get("/health")
        finally:
            del scene.running.services.fanout.__dict__["online"]
        assert refused(answer, 500, "internal")["error"] == "the server failed to do this"
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
        (told,) = [entry for entry in journal.entries if entry["event"] == "request_failed"]
        assert "secret of the inside" in told["exception"]
        assert (await scene.http.get("/health")).status_code == 200
        assert scene.running.services.metrics.errors == 1


async def test_a_foreign_page_changes_nothing(tmp_path: Path) -> None:
    """Refused before anything is proved, counted or read, with no word that the page may see."""
    async with open_scene(tmp_path) as scene:
        alice = await scene.register("alice")
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await scene.http.post("/auth/logout", headers=alice.headers | headers)
            refused(answer, 403, "forbidden")
            assert "Access-Control-Allow-Origin" not in answer.headers
        own = f"http://127.0.0.1:{scene.running.port}"
        for headers in ({"Origin": own}, {"Sec-Fetch-Site": "same-origin"}, {}):
            answer = await scene.http.post(
                "/auth/login", json={"username": "alice", "password": PASSWORD}, headers=headers
            )
            assert answer.status_code == 200, headers


async def test_a_cache_hands_no_page_what_was_answered_to_another(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        assert "Origin" in (await scene.http.get("/version")).headers["Vary"]


# ------------------------------------------------------------------------------------------------------------- streams

MIB = 1 << 20


def streaming() -> tuple[Registry, list[str], trio.Event]:
    """Routes that stream both ways, what happened in them, and the end of one."""
    table, seen, ended = Registry(), list[str](), trio.Event()

    @table.post("/count", who="anyone", streams=True)
    async def count(ctx: Context, request: Nothing) -> list[int]:
        assert ctx.request is not None
        sizes = [len(chunk) async for chunk in ctx.request.body]
        return [sum(sizes), ctx.request.length or 0, max(sizes, default=0)]

    @table.post("/part/<name>", who="anyone", streams=True)
    async def part(ctx: Context, request: Nothing) -> list[int]:
        assert ctx.request is not None
        return [len(await anext(ctx.request.body))]

    @table.get("/numbers", who="anyone")
    async def numbers(ctx: Context, request: Nothing) -> Answer[Chunks]:
        async def made() -> Chunks:
            seen.append("begun")
            try:
                for number in range(100):
                    yield b"%02d" % number * 50_000
                seen.append("all sent")
            finally:
                seen.append("ended")
                ended.set()

        return Answer(made(), headers={"Content-Length": "10000000"}, content_type="text/plain")

    return table, seen, ended


async def zeros(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // MIB):
        yield bytes(MIB)


async def test_a_streamed_body_may_be_longer_than_others_and_comes_in_pieces(tmp_path: Path) -> None:
    """Announced or chunked, with doubled slashes too; no piece is larger than what the port reads at once."""
    table, _, _ = streaming()
    async with open_scene(tmp_path, table=table) as scene:
        for path, headers in (("/count", {"Content-Length": str(8 * MIB)}), ("//count/", {})):
            url = f"http://127.0.0.1:{scene.running.port}{path}"
            answer = await scene.http.post(url, content=zeros(8 * MIB), headers=headers)
            assert answer.status_code == 200, (path, answer.text)
            total, announced, largest = answer.json()
            assert (total, announced) == (8 * MIB, 8 * MIB if headers else 0)
            assert largest <= MIB // 4
        assert (await scene.http.post("/count", content=b"")).json() == [0, 0, 0]


async def test_what_a_route_does_not_read_of_its_body_holds_nobody_up(tmp_path: Path) -> None:
    """It answers after the first piece; the rest is thrown away and the answer arrives."""
    table, _, _ = streaming()
    async with (
        open_scene(tmp_path, table=table) as scene,
        await trio.open_tcp_stream("127.0.0.1", scene.running.port) as client,
    ):
        await client.send_all(b"POST /part/x HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % (4 * MIB))
        with trio.fail_after(PATIENCE_SECONDS):
            await client.send_all(bytes(4 * MIB))
            answer = b"".join([chunk async for chunk in client])
        assert answer.startswith(b"HTTP/1.1 200")


async def test_an_answer_can_be_a_stream(tmp_path: Path) -> None:
    """Every byte arrives in order; HEAD gets the headers alone and nothing is made for it."""
    table, seen, _ = streaming()
    async with open_scene(tmp_path, table=table) as scene:
        head = await scene.http.head("/numbers")
        assert (head.headers["Content-Length"], head.content, seen) == ("10000000", b"", [])
        answer = await scene.http.get("/numbers")
        assert answer.content == b"".join(b"%02d" % number * 50_000 for number in range(100))
        assert seen == ["begun", "all sent", "ended"]


async def test_a_stream_ends_with_its_reader(tmp_path: Path) -> None:
    """Whoever leaves in the middle leaves no generator behind."""
    table, seen, ended = streaming()
    async with open_scene(tmp_path, table=table) as scene:
        async with await trio.open_tcp_stream("127.0.0.1", scene.running.port) as client:
            await client.send_all(b"GET /numbers HTTP/1.1\r\nHost: t\r\n\r\n")
            assert (await client.receive_some(1000)).startswith(b"HTTP/1.1 200")
        with trio.fail_after(PATIENCE_SECONDS):
            await ended.wait()
        assert seen == ["begun", "ended"]


async def test_a_sender_waits_for_the_route_that_reads(tmp_path: Path, quick_clock: MockClock) -> None:
    """While it reads nothing, the server takes no more than the buffers of the system hold."""
    table, is_reading = Registry(), trio.Event()

    @table.post("/slow", who="anyone", streams=True)
    async def slow(ctx: Context, request: Nothing) -> None:
        is_reading.set()
        await trio.sleep_forever()

    async with (
        open_scene(tmp_path, table=table) as scene,
        await trio.open_tcp_stream("127.0.0.1", scene.running.port) as client,
    ):
        await client.send_all(b"POST /slow HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % (256 * MIB))
        with trio.fail_after(60):
            await is_reading.wait()
        with trio.move_on_after(20) as patience:
            await client.send_all(bytes(256 * MIB))
        assert patience.cancelled_caught


async def test_a_body_of_two_lengths_is_refused_and_ends_the_connection(tmp_path: Path) -> None:
    """What one parser takes for the next request may be the rest of this one to another."""
    async with (
        open_scene(tmp_path) as scene,
        await trio.open_tcp_stream("127.0.0.1", scene.running.port) as client,
    ):
        await client.send_all(
            b"POST /auth/login HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            b"GET /version HTTP/1.1\r\nHost: t\r\n\r\n"
        )
        with trio.fail_after(PATIENCE_SECONDS):
            answer = b"".join([chunk async for chunk in client])
        assert answer.startswith(b"HTTP/1.1 400")
        assert answer.count(b"HTTP/1.1 ") == 1
