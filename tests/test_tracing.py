"""Traces: what a collector is told, what it must never be told, and that nothing depends on it."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import outcome
import pytest
import trio
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from trio.testing import MockClock, wait_all_tasks_blocked

from amtrio import tracing as module
from amtrio.app import CannotTrace, open_tracing
from amtrio.clock import SystemClock
from amtrio.context import Context, Nothing
from amtrio.errors import AmtrioError, NotFound
from amtrio.feature import CommandSpec, registry
from amtrio.store.database import Tx
from amtrio.tracing import traces_url, with_scheme
from tests.conftest import Journal
from tests.harness import AGENT_SECRET, JWT_SECRET, PASSWORD, MovableClock, Scene, config_for, open_scene

TRACE_ID: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID: Final = "00f067aa0ba902b7"
SECRET_TEXT: Final = "meet me at the old mill"


@dataclass
class Collector:
    """What arrived: requests as they were, and the spans in them."""

    endpoint: str = ""
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def take(self, request: trace_service_pb2.ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            self.resources.append(values(resource.resource.attributes))
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def only(self, name: str) -> Span:
        (span,) = self.named(name)
        return span

    def children(self, span: Span) -> set[str]:
        return {each.name for each in self.spans if each.parent_span_id == span.span_id}


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def about(span: Span) -> dict[str, Any]:
    return values(span.attributes)


@contextlib.contextmanager
def http_collector(status: int = 200) -> Iterator[Collector]:
    """A collector that speaks OTLP/HTTP."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.paths.append(self.path)
            collector.headers.append({name.lower(): value for name, value in self.headers.items()})
            collector.raw.append(body)
            if status == 200:
                collector.take(trace_service_pb2.ExportTraceServiceRequest.FromString(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        collector.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def grpc_collector() -> Iterator[Collector]:
    """A collector that speaks OTLP/gRPC."""
    collector = Collector()
    # Neither brings types along, and grpcio does not exist for every machine.
    grpc: Any = pytest.importorskip("grpc")
    service: Any = importlib.import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc")

    class Servicer(service.TraceServiceServicer):  # type: ignore[misc]  # Any, see above
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's name
            collector.headers.append(dict(context.invocation_metadata()))
            collector.take(request)
            return trace_service_pb2.ExportTraceServiceResponse()

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    service.add_TraceServiceServicer_to_server(Servicer(), server)
    collector.endpoint = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(grace=None).wait()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with http_collector() as made:
        yield made


def otel(endpoint: str, **changes: Any) -> dict[str, Any]:
    return {"enabled": True, "endpoint": endpoint, "protocol": "http", "sampling_rate": 1.0} | changes


async def talk(scene: Scene) -> str:
    """
    alice signs in, opens phone and laptop, and says something to the agent `helper`.

    Returns:
        Her token, which no collector may see.
    """
    alice = await scene.register("alice_in_wonderland")
    alice = await scene.login("alice_in_wonderland")
    helper = await scene.register_agent("helper")
    place = await scene.conversation(alice, helper)
    async with (
        scene.device(alice, "phone") as phone,
        scene.device(alice, "laptop") as laptop,
        scene.device(helper) as agent,
    ):
        for device in (phone, laptop, agent):
            await device.caught_up()
        await phone.send(place, SECRET_TEXT)
        assert (await laptop.next("message"))["content"] == SECRET_TEXT
        assert (await agent.next("message"))["content"] == SECRET_TEXT
        await phone.caught_up()
        refused = await phone.ask("message", conversation_id="no-such-place", content=SECRET_TEXT)
        assert refused["type"] == "error"
    return alice.token


async def test_a_scene_is_a_tree_of_spans(tmp_path: Path, collector: Collector) -> None:
    """
    A frame is the cause of its commit and of its delivery; a request of its commit; routes, not paths.
    """
    async with open_scene(tmp_path, otel=otel(collector.endpoint)) as scene:
        assert (await scene.http.get("/health")).json()["tracing_enabled"] is True
        await talk(scene)
    assert set(collector.paths) == {"/v1/traces"}
    assert collector.resources[0]["service.name"] == "amtrio"

    said, refused = sorted(collector.named("frame message"), key=lambda span: span.start_time_unix_nano)
    assert about(said) == {"amtrio.frame.word": "message", "amtrio.dialect": "v2", "amtrio.account.kind": "user"}
    assert not said.parent_span_id
    assert collector.children(said) == {"commit", "delivery message"}
    delivery = collector.only("delivery message")
    assert delivery.trace_id == said.trace_id
    assert about(delivery) == {
        "amtrio.event.type": "message",
        "amtrio.delivery.by": "live",
        "amtrio.delivery.sockets": 3,  # phone, laptop and agent
        "amtrio.delivery.sockets_open": 3,
    }
    (commit,) = [span for span in collector.named("commit") if span.trace_id == said.trace_id]
    assert about(commit) == {"amtrio.commit.units": 1}
    assert [link.span_id for link in commit.links] == [said.span_id]
    assert said.start_time_unix_nano <= commit.start_time_unix_nano <= commit.end_time_unix_nano
    assert commit.end_time_unix_nano <= delivery.end_time_unix_nano <= said.end_time_unix_nano

    assert about(refused)["error.type"] == NotFound.code
    assert refused.status.code == Status.STATUS_CODE_UNSET
    assert collector.children(refused) == {"commit"}

    login = collector.only("POST /auth/login")
    assert login.kind == Span.SPAN_KIND_SERVER
    assert about(login) | {"amtrio.request_id": ""} == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "http.route": "/auth/login",
        "http.response.status_code": 200,
        "amtrio.request_id": "",
    }
    assert collector.children(collector.only("POST /conversations")) >= {"commit"}


async def test_a_trace_is_continued(tmp_path: Path, collector: Collector, journal: Journal) -> None:
    """
    W3C traceparent: the caller's span is the parent, its choice to sample counts, its id is in our log.
    """
    async with open_scene(tmp_path, otel=otel(collector.endpoint, sampling_rate=0.0)) as scene:
        alice = await scene.register("alice")
        for flags in ("00", "01"):
            answer = await scene.http.get(
                "/conversations/no-such-place/messages",
                headers={**alice.headers, "traceparent": f"00-{TRACE_ID}-{PARENT_ID}-{flags}", "X-Request-ID": flags},
            )
            assert answer.status_code == 404
    (span,) = collector.spans
    assert span.trace_id.hex() == TRACE_ID
    assert span.parent_span_id.hex() == PARENT_ID
    assert span.name == "GET /conversations/<conversation_id>/messages"
    assert about(span)["amtrio.request_id"] == "01"
    assert span.status.code == Status.STATUS_CODE_UNSET
    traces = {entry.get("trace") for entry in journal.entries if entry["event"] == "request_answered"}
    assert traces == {None, TRACE_ID}


@pytest.mark.parametrize(
    "traceparent", ["", "nonsense", f"00-{'0' * 32}-{PARENT_ID}-01", f"ff-{TRACE_ID}-{PARENT_ID}-01"]
)
async def test_a_broken_traceparent_begins_a_new_trace(tmp_path: Path, collector: Collector, traceparent: str) -> None:
    async with open_scene(tmp_path, otel=otel(collector.endpoint)) as scene:
        assert (await scene.http.get("/version", headers={"traceparent": traceparent})).status_code == 200
    span = collector.only("GET /version")
    assert not span.parent_span_id
    assert span.trace_id.hex() != TRACE_ID


async def test_nothing_is_sampled_at_rate_0(tmp_path: Path, collector: Collector) -> None:
    async with open_scene(tmp_path, otel=otel(collector.endpoint, sampling_rate=0.0)) as scene:
        await talk(scene)
    assert collector.raw == []


async def test_no_word_and_no_secret_leaves_the_server(tmp_path: Path, collector: Collector) -> None:
    """
    Texts, names, ids, tokens, passwords and addresses are in no byte that a collector gets.
    """
    async with open_scene(tmp_path, otel=otel(collector.endpoint)) as scene:
        token = await talk(scene)
        await scene.http.get("/conversations/no-such-place?token=in-the-query", headers={"User-Agent": "alice's phone"})
    told = b"".join(collector.raw)
    assert b"frame message" in told
    assert b"GET" in told
    for secret in (
        SECRET_TEXT, PASSWORD, token, AGENT_SECRET, JWT_SECRET, "alice", "helper", "no-such-place", "in-the-query",
        "127.0.0.1",
    ):  # fmt: skip
        assert secret.encode() not in told, secret


async def test_a_failure_of_ours_is_an_error(tmp_path: Path, collector: Collector) -> None:
    """
    By its kind and never by its text, which may quote what somebody wrote.
    """
    config = config_for(tmp_path, otel=otel(collector.endpoint))
    async with open_tracing(config, SystemClock()) as tracing:
        assert tracing is not None
        for error in (ZeroDivisionError(SECRET_TEXT), AmtrioError(SECRET_TEXT), NotFound(SECRET_TEXT), None):
            span = tracing.frame("message", "v1", "agent")
            assert span is not None
            tracing.end_frame(span, error)
        with pytest.raises(OSError, match=SECRET_TEXT), tracing.push("webpush", tracing.cause()):
            raise OSError(SECRET_TEXT)
        with pytest.raises(KeyError), tracing.request("GET", "http", []):
            raise KeyError(SECRET_TEXT)
    found = [(about(span).get("error.type"), span.status.code) for span in collector.named("frame message")]
    failed, fine = Status.STATUS_CODE_ERROR, Status.STATUS_CODE_UNSET
    assert found == [("ZeroDivisionError", failed), ("internal", failed), ("not_found", fine), (None, fine)]
    push = collector.only("push webpush")
    assert about(push) == {"amtrio.push.provider": "webpush", "error.type": "OSError"}
    assert not any(span.events for span in collector.spans)
    assert SECRET_TEXT.encode() not in b"".join(collector.raw)


async def test_a_batch_is_linked_to_all_that_were_in_it(tmp_path: Path, collector: Collector) -> None:
    """
    Group commit: one span, under the first of its causes and linked to each; units of nobody are counted only.
    """
    async with open_scene(tmp_path, otel=otel(collector.endpoint)) as scene:
        services = scene.running.services
        tracing = services.tracing
        assert tracing is not None
        frames = [tracing.frame(f"word{number}", "v2", "user") for number in range(3)]
        done: list[outcome.Outcome[Any]] = []

        def unit(_tx: Tx) -> None:
            # The writer serves everybody: on its thread nothing is anybody's.
            assert trace.get_current_span() is trace.INVALID_SPAN

        for frame in (*frames, None):
            services.store.submit(unit, (), done.append, cause=frame)
        await services.store.write(unit)
        assert [type(each) for each in done] == [outcome.Value] * 4
        for frame in frames:
            assert frame is not None
            tracing.end_frame(frame)
    commit = collector.only("commit")
    parents = [collector.only(f"frame word{number}") for number in range(3)]
    assert commit.parent_span_id == parents[0].span_id
    assert [link.span_id for link in commit.links] == [parent.span_id for parent in parents]
    assert about(commit) == {"amtrio.commit.units": 5}


async def test_a_command_that_waits_is_the_cause_of_what_it_does(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Also in tasks it begins; and when it is over the socket's task, which goes on, does nothing on its account.
    """
    seen: list[object] = []

    def unit(_tx: Tx) -> None:
        seen.append(trace.get_current_span())

    async def wait(ctx: Context, frame: Nothing) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ctx.store.write, unit)
        raise NotFound(SECRET_TEXT)

    async def look(ctx: Context, frame: Nothing) -> None:
        assert ctx.services.tracing is not None
        seen.append(ctx.services.tracing.cause())

    monkeypatch.setitem(registry.commands, "wait", CommandSpec(wait, Nothing, "async", "member", "wait", "command"))
    monkeypatch.setitem(registry.commands, "look", CommandSpec(look, Nothing, "async", "member", "look", "command"))
    async with open_scene(tmp_path, otel=otel(collector.endpoint)) as scene:
        alice = await scene.register("alice")
        async with scene.device(alice) as phone:
            assert (await phone.ask("wait"))["type"] == "error"
            # The sampler is asked anew for every frame; this one it does not pick.
            monkeypatch.setattr(scene.running.services.tracing, "frame", lambda *_: None)
            await phone.say("look")
            await phone.caught_up()
    assert seen == [trace.INVALID_SPAN, None]
    waited = collector.only("frame wait")
    assert about(waited)["error.type"] == "not_found"
    assert collector.children(waited) == {"commit"}


async def test_frames_that_wait_or_are_refused_are_told_too(
    tmp_path: Path, collector: Collector, mock_clock: MockClock
) -> None:
    """
    A span begins when the frame is decoded: one that waits for its budget takes as long as its sender waits.
    """
    clock = MovableClock()
    async with open_scene(
        tmp_path, clock=clock, otel=otel(collector.endpoint), limits={"user_messages_per_minute": 30}
    ) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        place = await scene.conversation(alice, helper)
        bucket = scene.running.services.limits.messages(f"u:{alice.id}")
        async with scene.device(alice) as phone:
            while bucket.take():
                pass
            await phone.say("message", ref="waits", conversation_id=place, content="n1")
            await wait_all_tasks_blocked(0.05)
            clock.move(days=2 / 86_400)
            mock_clock.jump(2.01)
            while "waits" not in phone.replies:
                await phone.take()
            bucket._tokens = -10.0
            refused = await phone.ask("message", conversation_id=place, content="n2")
            assert refused["data"]["code"] == "rate_limited"
            assert (await phone.ask("nothing_we_know"))["type"] == "error"
    waited, refusal = sorted(collector.named("frame message"), key=lambda span: span.start_time_unix_nano)
    assert waited.end_time_unix_nano - waited.start_time_unix_nano >= 2_000_000_000
    assert about(refusal)["error.type"] == "rate_limited"
    # A word that nobody knows gets no span: it would be a name of the client's own invention.
    assert not any("nothing_we_know" in span.name for span in collector.spans)


async def test_a_pump_is_a_trace_of_its_own(tmp_path: Path, collector: Collector) -> None:
    """
    What a device missed is told by the page, and on nobody's account.
    """
    async with open_scene(tmp_path, otel=otel(collector.endpoint)) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        place = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone:
            for number in range(3):
                await phone.send(place, f"n{number}")
        async with scene.device(alice, "laptop", since=0, epoch=phone.greeting["data"]["epoch"]) as laptop:
            for number in range(3):
                await laptop.next("message", content=f"n{number}")
            await laptop.caught_up()
            head = laptop.seq
    pumps = [span for span in collector.named("delivery pump") if about(span)["amtrio.delivery.events"] == head]
    assert [about(pump)["amtrio.delivery.by"] for pump in pumps] == ["pump"]
    assert not pumps[0].parent_span_id


async def test_a_listener_knows_the_cause_and_no_task_keeps_it(tmp_path: Path, collector: Collector) -> None:
    """
    While an event is told its cause can be asked for, as push will; before and after there is none.
    """
    config = config_for(tmp_path, otel=otel(collector.endpoint))
    async with open_tracing(config, SystemClock()) as tracing:
        assert tracing is not None
        seen: list[object] = []

        @dataclass
        class News:
            type: str = "message"

        @dataclass
        class Told:
            cause: object
            event: News = field(default_factory=News)
            seqs: Sequence[tuple[str, int]] = (("u:1", 1),)

        def publish(batch: Sequence[Told]) -> None:
            seen.append([each.cause for each in batch])
            seen.append(tracing.cause())

        frame = tracing.frame("message", "v2", "user")
        assert frame is not None
        tell = tracing.around(publish, written=lambda: len(seen), sockets=lambda _: 7)
        tell([Told(None), Told(None), Told(frame), Told(None)])
        assert tracing.cause() is None
        assert seen[0:2] == [[None, None], None]
        assert seen[2] == [frame]
        delivery = seen[3]
        assert isinstance(delivery, trace.Span)
        assert seen[4:] == [[None], None]
        with tracing.push("webpush", delivery):
            pass
        tracing.end_frame(frame)
    span = collector.only("delivery message")
    assert about(span)["amtrio.delivery.sockets"] == 2
    assert about(span)["amtrio.delivery.sockets_open"] == 7
    assert collector.children(span) == {"push webpush"}
    assert collector.children(collector.only("frame message")) == {"delivery message"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The SDK exports every 10 ms and gives up after a second; what a test left behind in its thread has ended."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("OtelBatch"):
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.alone
@pytest.mark.parametrize("protocol", ["http", "grpc"])
@pytest.mark.usefixtures("impatient")
async def test_a_collector_that_is_away_changes_nothing(tmp_path: Path, journal: Journal, protocol: str) -> None:
    """
    Everything works, the log says it once and not as an error, and stopping does not wait for it.
    """
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with open_scene(tmp_path, otel=otel(endpoint, protocol=protocol), server={"drain_s": 3.0}) as scene:
            await talk(scene)
            began = time.monotonic()
        assert time.monotonic() - began < 3
    (trouble,) = [entry for entry in journal.entries if entry["event"] == "tracing_troubled"]
    assert trouble["level"] == "warning"
    assert trouble["by"].startswith("opentelemetry.")
    # The SDK was told to give up, and did: nothing had to be left behind.
    assert "traces_unsent" not in {entry["event"] for entry in journal.entries}


async def test_a_collector_that_refuses_is_a_warning(tmp_path: Path, journal: Journal) -> None:
    """
    A wrong key at the collector is not a bug of ours; the key itself is not in the log.
    """
    with http_collector(status=400) as collector:
        async with open_scene(tmp_path, otel=otel(collector.endpoint)) as scene:
            await scene.http.get("/version")
        assert collector.raw
    assert [entry["level"] for entry in journal.entries if entry["event"] == "tracing_troubled"] == ["warning"]


@pytest.mark.usefixtures("impatient")
async def test_a_collector_that_never_answers_does_not_hold_the_stop(tmp_path: Path, journal: Journal) -> None:
    """
    The flush has its share of the time for stopping, in a thread that is left behind.
    """
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        config = config_for(tmp_path, otel=otel(endpoint), server={"drain_s": 3.0})
        async with open_tracing(config, SystemClock()) as tracing:
            assert tracing is not None
            frame = tracing.frame("message", "v2", "user")
            assert frame is not None
            tracing.end_frame(frame)
        assert [entry["waited_s"] for entry in journal.entries if entry["event"] == "traces_unsent"] == [
            pytest.approx(0.3)
        ]


def test_the_sdk_complains_once_a_minute(journal: Journal) -> None:
    """
    Errors of the library become warnings, most of them are only counted, and information is dropped.
    """
    now = 1000.0
    module._listen_to_the_sdk(lambda: now)
    logger = logging.getLogger("opentelemetry.sdk.anything")
    logger.info("nothing of interest")
    for number in range(5):
        logger.error("no luck: %d", number)
    now += module.QUIET_SECONDS
    logger.warning("still no luck")
    assert [(entry["level"], entry["text"], entry["kept_back"]) for entry in journal.entries] == [
        ("warning", "no luck: 0", 0),
        ("warning", "still no luck", 4),
    ]


# -- how it is switched on ---------------------------------------------------------------


async def test_grpc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The older server's way: host and port alone, without TLS; the standard variables for headers count.
    """
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue,authorization=Bearer%20collector-key")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=attic")
    with grpc_collector() as collector:
        settings = otel(collector.endpoint, protocol="grpc", service_name="our-chat")
        async with open_scene(tmp_path, otel=settings) as scene:
            await talk(scene)
    said = collector.named("frame message")[0]
    assert collector.children(said) == {"commit", "delivery message"}
    assert collector.headers[0]["x-team"] == "blue"
    assert collector.headers[0]["authorization"] == "Bearer collector-key"
    assert collector.resources[0]["service.name"] == "our-chat"
    assert collector.resources[0]["deployment.environment.name"] == "attic"


async def test_headers_over_http(tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue")
    settings = otel(f"{collector.endpoint}/tenant/7/", traces_endpoint="")
    async with open_scene(tmp_path / "a", otel=settings) as scene:
        await scene.http.get("/version")
    settings = otel("http://nowhere.invalid", traces_endpoint=f"{collector.endpoint}/just/here")
    async with open_scene(tmp_path / "b", otel=settings) as scene:
        await scene.http.get("/version")
    assert collector.paths == ["/tenant/7/v1/traces", "/just/here"]
    assert {each["x-team"] for each in collector.headers} == {"blue"}


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://collector/otlp", "https://collector/otlp/v1/traces"),
        ("https://collector/otlp/v1/traces", "https://collector/otlp/v1/traces"),
        ("https://collector/v1/traces/", "https://collector/v1/traces"),
        ("https://collector/?tenant=7", "https://collector/v1/traces?tenant=7"),
        ("collector:4318", "http://collector:4318/v1/traces"),
        ("[::1]:4318", "http://[::1]:4318/v1/traces"),
    ],
)
def test_where_traces_go_over_http(given: str, used: str) -> None:
    """
    A base gets the path, a whole address stays (defect O5), host and port alone are enough.
    """
    assert traces_url(with_scheme(given)) == used


@pytest.mark.parametrize("endpoint", ["ftp://collector", "unix:///run/collector", "http://", "://x"])
async def test_an_endpoint_that_is_none_stops_the_start(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(CannotTrace, match=r"otel\.endpoint must look like"):
        async with open_tracing(config_for(tmp_path, otel=otel(endpoint)), SystemClock()):
            pass


@pytest.mark.parametrize("protocol", ["http", "grpc"])
async def test_without_an_endpoint_it_is_off(tmp_path: Path, journal: Journal, protocol: str) -> None:
    """
    As with the older server, but it says so, and /health does not claim otherwise.
    """
    async with open_scene(tmp_path, otel=otel("", protocol=protocol)) as scene:
        assert (await scene.http.get("/health")).json()["tracing_enabled"] is False
        assert scene.running.services.tracing is None
    (warning,) = [entry for entry in journal.entries if entry["event"] == "tracing_off"]
    assert warning["level"] == "warning"
    assert "otel.endpoint" in warning["reason"]


async def test_the_switch_for_all_programs_of_a_host(
    tmp_path: Path, collector: Collector, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    OTEL_SDK_DISABLED wins, and /health knows.
    """
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    async with open_scene(tmp_path, otel=otel(collector.endpoint)) as scene:
        assert (await scene.http.get("/health")).json()["tracing_enabled"] is False
    assert "tracing_off" in {entry["event"] for entry in journal.entries}
    assert collector.raw == []


@pytest.mark.parametrize(
    ("protocol", "missing", "extra"),
    [
        ("http", "opentelemetry", "amtrio[otel]"),
        ("grpc", "opentelemetry", "amtrio[otel-grpc]"),
        ("http", "opentelemetry.exporter.otlp.proto.http.trace_exporter", "amtrio[otel]"),
        ("grpc", "opentelemetry.exporter.otlp.proto.grpc.trace_exporter", "amtrio[otel-grpc]"),
        ("grpc", "grpc", "amtrio[otel-grpc]"),
    ],
)
def test_without_the_library_it_does_not_start(tmp_path: Path, protocol: str, missing: str, extra: str) -> None:
    """
    One line that names what to install, and exit code 1; nobody believes to be tracing who is not.
    """
    code = f"import sys; sys.modules[{missing!r}] = None; from amtrio.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", str(tmp_path)],
        cwd=Path(__file__).parents[1],
        env={
            "PATH": os.environ["PATH"],
            "OTEL_ENABLED": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "LOG_FORMAT": "json",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (line,) = [each for each in done.stderr.splitlines() if not each.startswith("{")]
    assert line.startswith("amtrio: ")
    assert extra in line
    assert not (tmp_path / "amtrio.db").exists()


def test_an_untraced_server_imports_nothing_of_it(tmp_path: Path) -> None:
    """
    Neither the library nor gRPC: starting takes no longer.
    """
    code = """
import sys
from pathlib import Path
import trio
from tests.harness import open_scene

async def main():
    async with open_scene(Path(sys.argv[1])) as scene:
        await scene.register("alice")

trio.run(main)
found = {name.partition(".")[0] for name in sys.modules} & {"opentelemetry", "grpc", "google"}
found |= {"amtrio.tracing"} & set(sys.modules)
sys.exit(str(found) if found else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
