"""Ten thousand frames and requests that are malformed, oversized, fragmented or of the wrong types.

Each is answered with an error, or its connection is closed with a reason; the server goes on, and logs nothing at
error level (which fails any test here). Dice are seeded: what fails once fails again.
"""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import trio

from amtrio.feature import CommandSpec, RouteSpec, registry
from tests.faults.wire import BINARY, CLOSE, PING, PONG, TEXT, Ended, Refused, Wire, client_frame
from tests.harness import Agent, Person, Scene, open_scene

Json = dict[str, Any]

BATCH = 50
# Longer ones end the connection; those have a test of their own.
MAX_FRAME_BYTES = 65_536
COMMANDS_OF_NEW_DEVICES = 6_000
COMMANDS_OF_OLD_DEVICES = 1_000
BREACHES = 1_200
HANDSHAKES = 300
REQUESTS = 1_200
BYTES_AS_REQUESTS = 300
PATIENCE_SECONDS = 100

DEEP = "[" * 5000 + "]" * 5000
# Raw JSON: what a field may be that wants something else, and what no decoder, database or log likes.
VALUES = [
    *("null", "true", "false", "0", "-1", "1", "1.5", "-0.0", "1e400", "1e-400"),
    *(str(2**power + off) for power in (31, 32, 53, 63, 64, 200) for off in (-1, 0, 1)),
    *(str(-(2**power) - 1) for power in (31, 63, 64)),
    *('""', '" "', '"x"', '"0"', '"-1"', '"99999999999999999999"', '"1e3"', '"null"', '"\\u0000"', '"a\\u0000b"'),
    *('"\\ud800"', '"\\udfff\\ud800"', '"\\ud83d\\ude00"', '"\\u202e"', '"\ufeff"', '"é"', '"../../etc/passwd"'),
    *('"\' OR 1=1 --"', '"%s%n{}"', '"2026-01-01T00:00:00Z"', '"9999-12-31T23:59:59.999999Z"', '"-1-01-01T00:00:00Z"'),
    f'"{"9" * 5000}"',
    *(f'"{"x" * size}"' for size in (15, 16, 64, 65, 255, 256, 257, 5000, 50_000)),
    *("[]", "[null]", "[[]]", '["x"]', "{}", '{"a":{}}', '{"":null}', '{"type":"message"}', DEEP),
]
NOT_JSON = [
    *("", " ", "{", "}", "[", '"', "nul", "NaN", "-Infinity", "01", "1 2", "{'type':'ping'}", "{\"type\":'ping'}"),
    *(
        '{"type":"ping"',
        '{"type":"ping",}',
        '{"type":"ping"}}',
        '{"type" "ping"}',
        '{"type":"pi\nng"}',
        "\ufeff{}",
        "\x00",
    ),
    *('{"type":"ping"}{"type":"ping"}', '{"type":"\\x"}', '{"type":"\\u12"}', "{" * 10_000, DEEP),
]
NO_COMMAND = [
    *("null", "1", "[]", '"ping"', "{}", '{"type":null}', '{"type":1}', '{"type":["ping"]}', '{"type":{}}'),
    *('{"type":""}', '{"type":"no such"}', '{"type":"MESSAGE"}', '{"type":"message "}', '{"type":"\\u0000"}'),
    *('{"Type":"ping"}', '{"data":{}}', '{"type":"connected"}', '{"type":"message_sent"}', '{"type":"__init__"}'),
    *('{"type":"ping","ref":[]}', '{"type":"ping","ref":1.5}', f'{{"type":"{"x" * 40_000}"}}'),
    *(f'{{"type":"message","data":{value}}}' for value in ("1", "true", '"x"', "[]", "[{}]", "{}", DEEP)),
]
# Unless they are refused.
NEVER_ANSWERED = {"typing", "status", "visible", "run_append", "run_part", "run_control_ack"}


@dataclass
class Stage:
    """A running server with somebody to annoy it."""

    scene: Scene
    alice: Person
    helper: Agent
    talk: str
    known: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return self.scene.running.port

    async def works(self) -> None:
        """A conversation goes on as if nothing had happened."""
        async with self.scene.device(self.alice) as phone, self.scene.device(self.helper) as agent:
            sent = await phone.send(self.talk, "still there?")
            assert (await agent.next("message", message_id=sent["message_id"]))["content"] == "still there?"
        assert (await self.scene.http.get("/health")).status_code == 200


@asynccontextmanager
async def open_stage(directory: Path) -> AsyncIterator[Stage]:
    async with open_scene(directory) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        stage = Stage(scene, alice, helper, await scene.conversation(alice, helper))
        with trio.fail_after(PATIENCE_SECONDS):
            yield stage
            await stage.works()


async def hello(stage: Stage, who: Person | Agent) -> Wire:
    """A v2 device that has been greeted."""
    path = "/agent/connect" if isinstance(who, Agent) else "/client/connect"
    wire = await Wire.open(stage.port, path)
    if isinstance(who, Agent):
        await wire.say("hello", token=who.secret, agent_id=who.id)
    else:
        await wire.say("hello", token=who.token)
    assert (await wire.receive())["type"] == "connected"
    return wire


class Dice(random.Random):
    """Makes frames and requests that somebody will not like."""

    def value(self, stage: Stage, name: str) -> str:
        """Raw JSON for a field; sometimes what it should be, so that the others are looked at."""
        good = {"conversation_id": stage.talk, "content": "text", "agent_id": "helper", **stage.known}
        if name in good and self.random() < 0.6:
            return json.dumps(good[name])
        if name == "client_id" and self.random() < 0.6:
            return f'"client-id-{self.getrandbits(64):020d}"'
        return self.choice(VALUES)

    def fields(self, stage: Stage, shape: type[msgspec.Struct], *, spare: frozenset[str] = frozenset()) -> str:
        """
        Raw JSON of an object with most of the fields that `shape` wants.

        Args:
            spare: fields that get no good value.
        """
        names = [each.name for each in msgspec.structs.fields(shape) if self.random() < 0.9]
        names += self.choices(["", "type", "data", "no such"], k=self.choice([0, 0, 0, 1]))
        values = (self.choice(VALUES) if name in spare else self.value(stage, name) for name in names)
        return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in zip(names, values, strict=True)) + "}"

    def command(self, stage: Stage, spec: CommandSpec, ref: str) -> str:
        """A frame for this command, nested or flat."""
        # What is deleted cannot be tried again.
        spare = frozenset({"conversation_id"}) if spec.word == "delete_conversation" else frozenset()
        fields = self.fields(stage, spec.shape, spare=spare)
        if self.random() < 0.8:
            return f'{{"type":"{spec.word}","ref":"{ref}","data":{fields}}}'
        return f'{{"type":"{spec.word}","ref":"{ref}",{fields[1:]}'.replace(",}", "}")

    def bytes_(self, most: int) -> bytes:
        return self.randbytes(self.randrange(most + 1))


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.slow
async def test_commands_of_every_wrong_type(tmp_path: Path) -> None:
    """
    Every command with every field wrong, and what is no command at all: one answer each, none of them "internal".
    """
    dice = Dice(3)
    async with open_stage(tmp_path) as stage:
        for who in (stage.alice, stage.helper):
            with await hello(stage, who) as wire:
                for batch in range(COMMANDS_OF_NEW_DEVICES // 2 // BATCH):
                    await one_batch(stage, wire, dice, f"{batch}")


async def one_batch(stage: Stage, wire: Wire, dice: Dice, name: str) -> None:
    """Send many at once, then something good, whose answer comes last; judge the answers before it."""
    words = list(registry.commands.values())
    asked: dict[str, CommandSpec] = {}
    hopeless = 0
    for number in range(BATCH):
        kind = dice.random()
        if kind < 0.2:
            frame = dice.choice(NOT_JSON if kind < 0.1 else NO_COMMAND)
            hopeless += 1
        else:
            spec = asked[f"{name}-{number}"] = dice.choice(words)
            while len(frame := dice.command(stage, spec, f"{name}-{number}")) >= MAX_FRAME_BYTES:
                pass
        await wire.send(client_frame(as_bytes(frame)))
    await wire.say("message", ref="last", conversation_id=stage.talk, content="good")
    refused = 0
    while (answer := await wire.receive()).get("ref") != "last":
        if "ref" in answer:
            spec = asked.pop(answer["ref"])
        if answer["type"] == "error":
            assert answer["data"]["code"] != "internal", (answer, spec)
            assert answer["data"]["error"]
            refused += "ref" not in answer
    assert answer["type"] == "message_sent", answer
    stage.known["message_id"] = answer["data"]["message_id"]
    # What is left had no answer of its own: it was so bad that its ref could not be read, or it is never answered.
    silent = sum(spec.word in NEVER_ANSWERED for spec in asked.values())
    assert len(asked) - silent <= refused - hopeless <= len(asked)


@pytest.mark.slow
async def test_commands_that_old_devices_get_wrong(tmp_path: Path) -> None:
    """
    A v1 device too has one answer for each frame that is no command, and its connection stays open.
    """
    dice = Dice(4)
    async with open_stage(tmp_path) as stage:
        with await Wire.open(stage.port, f"/client/connect?token={stage.alice.token}", version="v1") as wire:
            for _ in range(COMMANDS_OF_OLD_DEVICES // BATCH):
                for _ in range(BATCH):
                    await wire.send(client_frame(as_bytes(dice.choice(NOT_JSON + NO_COMMAND))))
                await wire.say("message", conversation_id=stage.talk, content="good")
                refused = 0
                while (answer := await wire.receive())["type"] != "message_sent":
                    if answer["type"] == "error":
                        assert answer["data"]["code"] in {"malformed", "unknown_type"}, answer
                        refused += 1
                assert refused == BATCH


def breaches(dice: Dice) -> dict[str, tuple[bytes, set[int | None]]]:
    """Bytes that break RFC 6455 or our limits, and the close codes that are right for them."""
    body = as_bytes(f'{{"type":"ping","data":"{"x" * dice.randrange(200)}"}}')
    cut = dice.randrange(len(body))
    big = b"x" * dice.randrange(65_537, 200_000)
    half = client_frame(b"x" * 40_000, first=TEXT), client_frame(b"x" * 40_000, first=0x80)
    not_text = body + dice.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"])
    bad_code = dice.choice([0, 999, 1004, 1005, 1006, 1012 + 100, 1015, 2999, 5000, 65_535])
    return {
        "not masked": (client_frame(body, is_masked=False), {1002}),
        "reserved bit": (client_frame(body, first=0x80 | TEXT | dice.choice([0x10, 0x20, 0x40])), {1002}),
        "reserved opcode": (client_frame(body, dice.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])), {1002}),
        "control frame in parts": (client_frame(b"x", first=dice.choice([PING, PONG, CLOSE])), {1002}),
        "control frame too long": (client_frame(b"x" * dice.randrange(126, 1000), PING), {1002}),
        "nothing to continue": (client_frame(body, 0), {1002}),
        "new message inside one": (client_frame(body[:cut], first=TEXT) + client_frame(body), {1002}),
        "not UTF-8": (client_frame(not_text), {1007}),
        "not UTF-8 in parts": (client_frame(not_text[:cut], first=TEXT) + client_frame(not_text[cut:], 0), {1007}),
        "too big": (client_frame(big), {1009}),
        "too big as bytes": (client_frame(big, BINARY), {1009}),
        "too big in parts": (half[0] + half[1], {1009}),
        "length of 2^63 and more": (bytes([0x81, 0xFF]) + struct.pack(">Q", 1 << 63) + bytes(4), {1002, 1009}),
        "length of 2^62": (bytes([0x81, 0xFF]) + struct.pack(">Q", 1 << 62) + bytes(4) + big, {1009}),
        "length in too many bytes": (bytes([0x81, 0xFE]) + struct.pack(">H", 5) + bytes(4) + b"hello", {1002}),
        "half a close code": (client_frame(b"\x03", CLOSE), {1002}),
        "bad close code": (client_frame(struct.pack(">H", bad_code), CLOSE), {1002}),
        "close text not UTF-8": (client_frame(struct.pack(">H", 1000) + b"\xff\xfe", CLOSE), {1002, 1007}),
        "no hello": (client_frame(as_bytes(dice.choice(NOT_JSON + NO_COMMAND))), {4400, 4401}),
        "no hello but bytes": (client_frame(dice.bytes_(200), BINARY), {4400}),
        "bad hello": (client_frame(as_bytes(f'{{"type":"hello","data":{dice.choice(VALUES)}}}')), {4400, 4401}),
        "compressed": (client_frame(zlib.compress(body), first=0xC1), {1002}),
    }


@pytest.mark.slow
async def test_breaches_of_the_protocol_close_with_a_reason(tmp_path: Path) -> None:
    """
    Frames that no client may send: a Close that says which rule was broken, whichever way the bytes arrive.
    """
    dice = Dice(5)
    async with open_stage(tmp_path) as stage:
        names = list(breaches(dice))
        for number in range(BREACHES):
            name = names[number % len(names)]
            data, codes = breaches(dice)[name]
            with await Wire.open(stage.port, dice.choice(["/client/connect", "/agent/connect"])) as wire:
                await arrive_somehow(wire, data, dice)
                end = await wire.end()
            assert end.code in codes, (name, end, data[:80])


async def arrive_somehow(wire: Wire, data: bytes, dice: Dice) -> None:
    """At once, or in two pieces."""
    cut = dice.choice([0, dice.randrange(len(data))])
    try:
        for piece in (data[:cut], data[cut:]):
            if piece:
                await wire.send(piece)
    except Ended:
        return  # refused before all of it was there


async def test_a_bad_hello_is_told_why(tmp_path: Path) -> None:
    """
    Every field of the first frame wrong: an error and a close, or a socket like any other.
    """
    dice = Dice(6)
    async with open_stage(tmp_path) as stage:
        for number in range(300):
            name = ["token", "agent_id", "device_id", "since", "epoch", "client"][number % 6]
            data = {"token": json.dumps(stage.alice.token), name: dice.choice(VALUES)}
            body = ",".join(f'"{key}":{value}' for key, value in data.items())
            with await Wire.open(stage.port, "/client/connect") as wire:
                await wire.send(client_frame(as_bytes(f'{{"type":"hello","data":{{{body}}}}}')))
                answer = await wire.receive()
                if answer["type"] == "error":
                    assert answer["data"]["code"] in {"malformed", "unauthorized"}, (body[-100:], answer)
                    assert (await wire.end()).code in {4400, 4401}
                else:
                    assert answer["type"] == "connected"


@pytest.mark.slow
async def test_messages_in_any_number_of_parts(tmp_path: Path) -> None:
    """
    A message in parts, with pings between them and any mask, is the same message.
    """
    dice = Dice(7)
    async with open_stage(tmp_path) as stage:
        with await hello(stage, stage.alice) as wire:
            for number in range(200):
                content = "".join(dice.choices("abcé€😀", k=dice.randrange(1, 400)))
                data = {"conversation_id": stage.talk, "content": content}
                body = json.dumps({"type": "message", "ref": number, "data": data}, ensure_ascii=False).encode()
                cuts = sorted(dice.choices(range(len(body) + 1), k=dice.randrange(8)))
                parts = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
                for place, part in enumerate(parts):
                    is_last = place == len(parts) - 1
                    first = (0x80 if is_last else 0) | (TEXT if place == 0 else 0)
                    await wire.send(client_frame(part, first=first, mask=dice.randbytes(4)))
                    if dice.random() < 0.3:
                        await wire.send(client_frame(dice.bytes_(125), PING, mask=dice.randbytes(4)))
                while (answer := await wire.receive()).get("ref") != number:
                    pass
                assert answer["type"] == "message_sent"


HANDSHAKE = {
    "Host": "x",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
ODD_HEADERS = [
    "",
    " ",
    ",",
    "x" * 5000,
    "13",
    "websocket",
    "\xff\xfe",
    "v1,v2,v3",
    "Bearer ",
    "Bearer \xe9",
    "-1",
    "v2\tv2",
]


@pytest.mark.slow
async def test_handshakes_that_are_none(tmp_path: Path) -> None:
    """
    An upgrade with any header wrong is answered like a request, or becomes a socket.
    """
    dice = Dice(8)
    async with open_stage(tmp_path) as stage:
        for _ in range(HANDSHAKES):
            headers = dict(HANDSHAKE)
            for name in dice.sample([*HANDSHAKE, "Authorization", "Origin", "X-Agent-ID", "Sec-WebSocket-Protocol"], 2):
                if dice.random() < 0.3:
                    headers.pop(name, None)
                else:
                    headers[name] = dice.choice(ODD_HEADERS)
            path = dice.choice(["/client/connect", "/agent/connect", "/", "/no/such", "/client/connect/../x"])
            query = "&".join(
                f"{dice.choice(['token', 'agent_id', 'agent_secret', 'device_id', 'protocol_version', ''])}="
                + dice.choice(["", "x", "%00", "%ff", "%", "v2", "x" * 2000])
                for _ in range(dice.choice([0, 1, 3, 100]))
            )
            head = f"GET {path}?{query} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
            status = await raw_status(stage.port, head.encode("latin-1"))
            assert status is None or status == 101 or 200 <= status < 500, (status, head)


async def raw_status(port: int, data: bytes) -> int | None:
    """What bytes are answered with, None if the connection is closed without a word."""
    with await Wire.connect(port) as wire:
        try:
            await wire.send(data)
            with trio.move_on_after(5) as scope:
                while True:
                    await wire.fill()
                    line = bytes(wire._in).partition(b"\r\n")[0].split(b" ")
                    if len(line) > 1:
                        assert line[0].startswith(b"HTTP/"), line
                        return int(line[1])
            assert not scope.cancelled_caught, f"no answer to {data[:200]!r}"
        except Ended:
            pass
    return None


@pytest.mark.slow
async def test_bytes_that_are_no_request(tmp_path: Path) -> None:
    """
    Whatever is no HTTP is answered with 400 or hung up on.
    """
    dice = Dice(9)
    starts: list[Callable[[], bytes]] = [
        lambda: dice.bytes_(300) + b"\r\n\r\n",
        lambda: b"GET / HTTP/1.1\r\n" + dice.bytes_(200).replace(b"\n", b"") + b"\r\n\r\n",
        lambda: b"GET " + dice.bytes_(50).replace(b"\n", b"") + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        lambda: b"\x16\x03\x01" + dice.bytes_(300) + b"\r\n\r\n",
        lambda: b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        lambda: b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        lambda: b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        lambda: b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999\r\n\r\n{",
        lambda: b"POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        lambda: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        lambda: b"\r\n" * 20_000,
    ]
    async with open_stage(tmp_path) as stage:
        for number in range(BYTES_AS_REQUESTS):
            data = starts[number % len(starts)]()
            status = await raw_status(stage.port, data)
            assert status is None or 200 <= status < 500 or status in {501, 505}, (status, data[:200])


UNTOUCHED = {"/auth/logout"}  # ends what the others are asked with


def request_for(dice: Dice, stage: Stage, route: RouteSpec) -> tuple[str, bytes | None, str]:
    """Path, body and content type of a request that has most things wrong."""
    spare = frozenset({"conversation_id"}) if "delete" in route.path or route.method == "DELETE" else frozenset()
    fields: Json = {}
    for each in msgspec.structs.fields(route.shape):
        if dice.random() < 0.9:
            fields[each.name] = dice.choice(VALUES) if each.name in spare else dice.value(stage, each.name)
    path = route.path
    for name in ("conversation_id", "message_id", "session_id"):
        raw = fields.pop(name, '"x"') if f"<{name}>" in path else ""
        text = raw.strip('"').encode("utf-8", "surrogatepass").replace(b"\\u0000", b"\x00")[:3000]
        path = path.replace(f"<{name}>", quote(text, safe="") or "%20")
    if route.method == "GET" or dice.random() < 0.1:
        pairs = (f"{name}={quote(as_bytes(value.strip(chr(34)))[:2000])}" for name, value in fields.items())
        return f"{path}?{'&'.join(pairs)}", None, ""
    kind = dice.random()
    if kind < 0.15:
        return path, as_bytes(dice.choice(NOT_JSON)), "application/json"
    if kind < 0.3:
        pairs = (f"{name}={quote(as_bytes(value.strip(chr(34))))}" for name, value in fields.items())
        return path, "&".join(pairs).encode(), "application/x-www-form-urlencoded"
    if kind < 0.4:
        return (
            path,
            dice.bytes_(500),
            dice.choice(["multipart/form-data; boundary=x", "multipart/form-data", "x/y", "\xff"]),
        )
    body = "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"
    return path, as_bytes(body), dice.choice(["application/json", "", "text/plain; charset=no-such"])


@pytest.mark.slow
async def test_requests_of_every_wrong_type(tmp_path: Path) -> None:
    """
    Every route with every field wrong: never a 5xx, and every refusal has its text and its code.
    """
    dice = Dice(10)
    async with open_stage(tmp_path) as stage:
        await stage.scene.http.post(
            f"/conversations/{stage.talk}/messages", json={"content": "x"}, headers=stage.alice.headers
        )
        stage.known["message_id"] = (await stage.scene.get(f"/conversations/{stage.talk}/messages", stage.alice))[0][
            "id"
        ]
        # Passwords cost time by design.
        cheap = [each for each in registry.routes if each.budget != "auth" and each.path not in UNTOUCHED]
        dear = [each for each in registry.routes if each.budget == "auth"]
        for number in range(REQUESTS):
            route = dice.choice(dear if number % 12 == 0 else cheap)
            path, body, content_type = request_for(dice, stage, route)
            who: Person | Agent = stage.helper if dice.random() < 0.3 else stage.alice
            headers = [(name.encode(), value.encode()) for name, value in who.headers.items()]
            if content_type:
                headers.append((b"Content-Type", content_type.encode("latin-1")))
            answer = await stage.scene.http.request(route.method, path, content=body, headers=headers)
            assert answer.status_code < 500, (route.method, path[:200], (body or b"")[:200], answer.text)
            if answer.status_code >= 400:
                assert {"error", "code"} <= answer.json().keys(), answer.text


async def test_a_refused_upgrade_says_why_in_json(tmp_path: Path) -> None:
    """
    Refusals before a socket exists look like those of REST.
    """
    async with open_stage(tmp_path) as stage:
        for path, version in (("/client/connect", "v1"), ("/client/connect?token=x", "v1"), ("/agent/connect", "v1")):
            with pytest.raises(Refused) as refused:
                await Wire.open(stage.port, path, version=version)
            body = json.loads(refused.value.body.partition(b"\r\n\r\n")[0])
            assert {"error", "code"} <= body.keys()
