"""Who is let in: version, origin, credential and place of every socket that is opened.

Knows upgrade requests and first frames. Knows nothing of what a session does afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from amtrio.context import Principal
from amtrio.errors import AmtrioError, Forbidden, Malformed, NotFound, RateLimited, Unauthorized
from amtrio.model.agent import Card
from amtrio.protocol.codec import convert
from amtrio.protocol.dialects import SUPPORTED_VERSIONS, V2_DIALECT, Dialect
from amtrio.protocol.frames import ID_PATTERN, Hello, Kind
from amtrio.protocol.v1 import V1, profile_of
from amtrio.transports.addresses import client_address
from amtrio.transports.answers import error_body, error_headers
from amtrio.transports.credentials import Credentials
from amtrio.transports.origins import Origins
from amtrio.transports.session import Session
from amtrio.transports.sessions import Sessions
from amtrio.transports.ws import Admission, Handshake, Refusal

PATHS: dict[str, Kind] = {"/client/connect": "user", "/agent/connect": "agent"}
# COMPAT: a shipped client doubles slashes.
_SLASHES = re.compile(r"/{2,}")
_CARD = ("name", "model", "personality", "specialty")


class Handshakes:
    """The door of one server."""

    def __init__(self, sessions: Sessions, credentials: Credentials) -> None:
        self._sessions = sessions
        self._services = sessions.services
        self._credentials = credentials
        self._origins = Origins(sessions.services.config.server.cors_allowed_origins)

    async def admit(self, handshake: Handshake, /) -> Admission | Refusal:
        """Decide on an upgrade; a refusal says why in the one shape of errors."""
        try:
            return await self._admit(handshake)
        except AmtrioError as exc:
            if isinstance(exc, RateLimited):
                self._services.metrics.rate_limited += 1
            return Refusal(exc.http, error_body(exc), tuple(error_headers(exc).items()))

    async def _admit(self, handshake: Handshake) -> Admission:
        kind = PATHS.get(_SLASHES.sub("/", handshake.path).rstrip("/"))
        if kind is None:
            text = f"no socket at {handshake.path[:100]!r}"
            raise NotFound(text)
        self._check_origin(handshake)
        proxies = self._services.config.server.trusted_proxies
        # A proxy may append a line of its own; several lines are one list (RFC 9110, 5.3).
        forwarded_for = ",".join(value for name, value in handshake.headers if name == "x-forwarded-for")
        address = client_address(handshake.peer, forwarded_for, proxies)
        user_agent = handshake.header("user-agent") or ""
        is_v2 = _version(handshake) == "v2"
        principal = await self._principal(handshake, kind, is_v2=is_v2, user_agent=user_agent, address=address)
        device_id = handshake.query.get("device_id") or None
        if principal is not None:
            principal = with_device(principal, device_id)
        dialect: Dialect = V2_DIALECT
        if not is_v2:
            profile = profile_of(
                kind,
                user_agent=user_agent,
                offered_v1="v1" in handshake.offered,
                has_origin=bool(handshake.header("origin")),
            )
            dialect = V1(profile)
        session = Session(
            self._sessions,
            dialect,
            principal=principal,
            prove=self.prove_hello,
            device_id=device_id,
            address=address,
            user_agent=user_agent,
            path_kind=kind,
        )
        if principal is not None and not is_v2:
            await session.prepare(principal)
        # RFC 6455, 4.2.2: only what was offered may be answered; older clients that offered nothing would abort.
        return Admission(session, dialect.name if dialect.name in handshake.offered else None)

    def _check_origin(self, handshake: Handshake) -> None:
        """Refuse a page of another host, unless it is allowed; programs send no Origin, one's own host always may."""
        origin = handshake.header("origin")
        if origin and not self._origins.allows(origin, handshake.header("host") or ""):
            text = f"origin {origin[:100]!r} is not allowed"
            raise Forbidden(text)

    async def _principal(
        self, handshake: Handshake, kind: Kind, *, is_v2: bool, user_agent: str, address: str
    ) -> Principal | None:
        """Who the upgrade itself proves to be; None if v2 is to say it in its first frame."""
        # COMPAT: the older protocol has credentials in the URL. v2 never takes one from there.
        query = {} if is_v2 else handshake.query
        bearer = _bearer(handshake.header("authorization"))
        if kind == "agent":
            agent_id = handshake.header("x-agent-id") or query.get("agent_id") or ""
            in_url = query.get("agent_secret") or query.get("api_key") or ""
            secret = bearer or handshake.header("x-agent-secret") or in_url
            if is_v2 and not secret:
                return None
            if not agent_id:
                text = "missing agent_id parameter"
                raise Malformed(text)
            if not secret:
                text = "missing agent_secret parameter"
                raise Unauthorized(text)
            card = convert({name: query[name] for name in _CARD if name in query}, Card, texts=True)
            return await self._credentials.agent(agent_id, secret, card, address=address)
        token = bearer or query.get("token") or ""
        if is_v2 and not token:
            return None
        if not token:
            text = "missing token parameter"
            raise Unauthorized(text)
        return await self._credentials.user(token, user_agent=user_agent, address=address)

    async def prove_hello(self, session: Session, hello: Hello) -> Principal:
        """
        Who the first frame of v2 proves to be.

        Raises:
            Unauthorized: no credential, or a wrong one. Malformed: an id of the wrong shape.
        """
        if hello.device_id is not None:
            session.device_id = hello.device_id
        if session.principal is not None:
            return with_device(session.principal, session.device_id)
        if not hello.token:
            text = "hello must carry a token, or the upgrade an Authorization header"
            raise Unauthorized(text)
        if session.path_kind == "agent":
            if not hello.agent_id:
                text = "hello: agent_id is required"
                raise Malformed(text)
            return await self._credentials.agent(hello.agent_id, hello.token, Card(), address=session.address)
        principal = await self._credentials.user(hello.token, user_agent=session.user_agent, address=session.address)
        return with_device(principal, session.device_id)


def with_device(principal: Principal, device_id: str | None) -> Principal:
    """
    The same, with the device's own id as key of its cursor, if it has one.

    Raises:
        Malformed: an id of the wrong shape.
    """
    if device_id is None or principal.kind == "agent":
        return principal
    if not re.match(ID_PATTERN, device_id):
        text = "device_id must be 1 to 64 characters of A-Z a-z 0-9 _ . -"
        raise Malformed(text)
    return Principal(
        kind=principal.kind,
        id=principal.id,
        account=principal.account,
        name=principal.name,
        session=principal.session,
        device=f"d:{device_id}",
    )


def _version(handshake: Handshake) -> str:
    """The first version that the client offered and we speak; v1, as every older client means, if it said nothing."""
    asked: Iterable[str] = (*handshake.offered, handshake.query.get("protocol_version") or "")
    return next((version for version in asked if version in SUPPORTED_VERSIONS), "v1")


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
