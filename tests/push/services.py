"""Stand-ins for the push services of browsers, Apple and Google, and the browsers that can read what they are sent.

Real HTTP on free ports, HTTP/2 over TLS where Apple has it. What a browser gets is decrypted by `http_ece`, which is
not ours, and every signature is checked.
"""

from __future__ import annotations

import base64
import json
import math
import os
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import http_ece  # type: ignore[import-untyped]  # the package has no types
import hypercorn.trio
import jwt
import trio
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypercorn.config import Config as HypercornConfig

from tests.contract.certificates import make_certificate
from tests.harness import PATIENCE_SECONDS, Json

VAPID_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"  # the number 1: anybody's, and nobody's


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    http_version: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Service:
    """
    A stand-in.

    Attributes:
        replies: what it answers next, then `usual`. hold: while set, it answers nothing.
    """

    url: str = ""
    usual: Reply = (201, {}, b"")
    replies: deque[Reply] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    hold: trio.Event | None = None
    context: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[Asked](math.inf)

    def answer(self, status: int, body: Json | None = None, **headers: str) -> None:
        self.replies.append(
            (
                status,
                {name.replace("_", "-"): value for name, value in headers.items()},
                b"" if body is None else json.dumps(body).encode(),
            )
        )

    async def next(self) -> Asked:
        """The next request that nobody has looked at yet."""
        with trio.fail_after(PATIENCE_SECONDS):
            return await self._receive.receive()

    def nothing_more(self) -> bool:
        return self._receive.statistics().current_buffer_used == 0

    def reply_to(self, asked: Asked) -> Reply:
        del asked
        return self.replies.popleft() if self.replies else self.usual

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
                if kind.endswith("shutdown"):
                    return
        body, has_more = b"", True
        while has_more:
            message = await receive()
            body += message.get("body", b"")
            has_more = message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        asked = Asked(scope["path"], headers, body, scope["http_version"])
        self.asked.append(asked)
        self._send.send_nowait(asked)
        if self.hold is not None:
            await self.hold.wait()
        status, answer_headers, answer_body = self.reply_to(asked)
        raw = [(name.encode(), value.encode()) for name, value in answer_headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": answer_body})


@asynccontextmanager
async def open_service(service: Service, *, tls_folder: Path | None = None) -> AsyncIterator[Service]:
    """Serve it on a free port, with HTTP/2 over TLS if there is a folder for a certificate."""
    config = HypercornConfig()
    config.bind = ["127.0.0.1:0"]
    config.loglevel = "WARNING"
    config.graceful_timeout = 0.1
    scheme = "http"
    if tls_folder is not None:
        certificate, key = make_certificate(tls_folder)
        config.certfile, config.keyfile = str(certificate), str(key)
        config.alpn_protocols = ["h2"]
        service.context = ssl.create_default_context(cafile=str(certificate))
        scheme = "https"
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        (base,) = await nursery.start(
            partial(hypercorn.trio.serve, service.app, config, shutdown_trigger=stop.wait, mode="asgi")
        )
        service.url = f"{scheme}://{'localhost' if tls_folder else '127.0.0.1'}:{base.rpartition(':')[2]}"
        try:
            yield service
        finally:
            if service.hold is not None:
                service.hold.set()
            stop.set()


class Browser:
    """A browser that subscribed at a push service: the private half that a server never sees."""

    def __init__(self, service: Service, name: str) -> None:
        self.service = service
        self.endpoint = f"{service.url}/push/{name}"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def keys(self) -> Json:
        return {"p256dh": base64url(point(self._key)), "auth": base64url(self._auth)}

    @property
    def subscription(self) -> Json:
        return {"platform": "web", "endpoint": self.endpoint, "keys": self.keys}

    def read(self, asked: Asked) -> Json:
        """What its service worker is handed; everything around it is checked."""
        assert self.endpoint.endswith(asked.path)
        assert asked.headers["content-encoding"] == "aes128gcm"
        assert int(asked.headers["ttl"]) > 0
        assert len(asked.headers["topic"]) <= 32
        assert len(asked.body) <= 4096
        self.check_vapid(asked)
        plain = http_ece.decrypt(asked.body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        shown: Json = json.loads(plain)
        return shown

    def check_vapid(self, asked: Asked) -> Json:
        scheme, _, fields = asked.headers["authorization"].partition(" ")
        assert scheme == "vapid"
        given = dict(each.strip().split("=", 1) for each in fields.split(","))
        raw = base64.urlsafe_b64decode(given["k"] + "==")
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
        claims: Json = jwt.decode(given["t"], public, algorithms=["ES256"], audience=self.service.url)
        return claims

    async def next(self) -> Json:
        return self.read(await self.service.next())


class Google(Service):
    """FCM, and where its access tokens come from."""

    def __init__(self) -> None:
        super().__init__(usual=(200, {}, b'{"name": "projects/p/messages/1"}'))
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.tokens = 0

    def reply_to(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            form = parse_qs(asked.body.decode())
            # Tests move the server's clock.
            claims = jwt.decode(
                form["assertion"][0],
                self.key.public_key(),
                algorithms=["RS256"],
                audience=f"{self.url}/token",
                options={"verify_iat": False, "verify_exp": False},
            )
            assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
            assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
            self.tokens += 1
            answer = {"access_token": f"ya29.{self.tokens}", "expires_in": 3599, "token_type": "Bearer"}
            return 200, {"content-type": "application/json"}, json.dumps(answer).encode()
        assert asked.path == "/v1/projects/p/messages:send"
        if asked.headers["authorization"] != f"Bearer ya29.{self.tokens}":
            return 401, {}, b'{"error": {"status": "UNAUTHENTICATED"}}'
        return super().reply_to(asked)

    def write_account(self, folder: Path) -> Path:
        path = folder / "service-account.json"
        account = {
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "key-1",
            "private_key": pem(self.key).decode(),
            "client_email": "push@p.iam.gserviceaccount.com",
            "token_uri": f"{self.url}/token",
        }
        path.write_text(json.dumps(account))
        return path
