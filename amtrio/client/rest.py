"""The REST side of the protocol: sign in, lists, history, snapshots.

Knows HTTP and the shapes of answers. Knows nothing of sockets; nothing here tries again by itself.
Source: docs/protocol.md, "REST".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import anyio
import anyio.to_thread
import httpx
import msgspec

from amtrio.client.errors import Refused, Unreachable
from amtrio.client.events import Conversation, Message, Snapshot
from amtrio.client.shapes import AgentInfo, Attachment, SealedAttachment, Thing
from amtrio.client.stream import Position, read_refusal
from amtrio.client.transport import retry_after_s

# A page of history is 200 messages of 64 KiB at most; 30 s carries that over 4 Mbit/s.
DEFAULT_TIMEOUT_S = 30.0
_CONNECT_TIMEOUT_S = 10.0
# Of a file that is uploaded: one read of the disk, and little to keep in memory.
_CHUNK_BYTES = 64 * 1024
T = TypeVar("T")


class SignedIn(Thing, frozen=True, kw_only=True):
    """Attributes: expires_at: RFC 3339, when the token ends; None where the server does not say."""

    token: str
    user_id: str
    username: str
    session_id: str | None = None
    expires_at: str | None = None


class History(Thing, frozen=True, kw_only=True):
    """A page of messages, oldest first. `has_more`: there are older ones (or newer ones, with `after`)."""

    conversation_id: str
    messages: list[Message]
    has_more: bool = False


class _Page(Thing, frozen=True, kw_only=True):
    epoch: str
    seq: int
    conversations: list[Conversation]
    next: str | None = None


class _Read(Thing, frozen=True, kw_only=True):
    read_up_to: int = 0


class Rest:
    """
    REST calls of one account.

    Args:
        url: of the server, `https://chat.example.org`; a path before the routes is kept.
        token: of a person, or an agent's credential (then with `agent_id`).
        http: a client of your own (proxy, certificates, in-process tests); it stays yours to close.

    Every method raises `Refused` if the server says no, `Unreachable` if nobody answers.
    """

    def __init__(
        self, url: str, *, token: str | None = None, agent_id: str | None = None, http: httpx.AsyncClient | None = None
    ) -> None:
        self.url = http_url(url)
        self.token = token
        self.agent_id = agent_id
        self._own = http is None
        self._http = http or new_http()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            await self._http.aclose()

    async def register(self, username: str, password: str) -> SignedIn:
        """Make an account and sign in; keeps the token for the calls that follow."""
        return await self._sign_in("/auth/register", {"username": username, "password": password})

    async def login(self, username: str, password: str, *, device_id: str | None = None) -> SignedIn:
        """Sign in; keeps the token for the calls that follow."""
        body = {"username": username, "password": password, "device_id": device_id}
        return await self._sign_in("/auth/login", body)

    async def logout(self) -> None:
        """End this session: the token is worth nothing afterwards."""
        await self.call("POST", "/auth/logout")
        self.token = None

    async def agents(self) -> list[AgentInfo]:
        """Whom one may talk with, and whether they are there."""
        return _shaped(await self.call("GET", "/agents"), list[AgentInfo])

    async def conversations(self, *, limit: int | None = None, before: str | None = None) -> list[Conversation]:
        """By activity, newest first, with `last_message` and `unread_count`."""
        return _shaped(
            await self.call("GET", "/conversations", query={"limit": limit, "before": before}), list[Conversation]
        )

    async def create_conversation(self, agent_id: str, *, title: str | None = None) -> Conversation:
        """Without a title: the one default conversation with this agent, made if it is not there."""
        body = {"agent_id": agent_id, "title": title}
        return _shaped(await self.call("POST", "/conversations", body=body), Conversation)

    async def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title: one line of 1 to 200 characters."""
        return _shaped(
            await self.call("PATCH", f"/conversations/{_part(conversation_id)}", body={"title": title}), Conversation
        )

    async def delete_conversation(self, conversation_id: str) -> None:
        """Remove a conversation with everything in it, for both sides."""
        await self.call("DELETE", f"/conversations/{_part(conversation_id)}")

    async def history(
        self,
        conversation_id: str,
        *,
        before: str | int | None = None,
        after: str | int | None = None,
        limit: int | None = None,
    ) -> list[Message]:
        """
        One page, oldest first; without `before` and `after` the newest one.

        Args:
            before, after: a message id, a conversation_seq or an RFC 3339 time.
            limit: 1 to 200.
        """
        query = {"before": before, "after": after, "limit": limit}
        found = await self.call("GET", f"/conversations/{_part(conversation_id)}/messages", query=query)
        return _shaped(found["messages"] if isinstance(found, dict) and "messages" in found else found, list[Message])

    async def mark_read(self, conversation_id: str, up_to: int | None = None) -> int:
        """Read up to this conversation_seq (the last one without); returns where the mark stands now."""
        body = {"up_to": up_to}
        found = await self.call("POST", f"/conversations/{_part(conversation_id)}/read", body=body)
        return _shaped(found, _Read).read_up_to

    async def message(self, message_id: str) -> Message:
        """One message as it is now."""
        return _shaped(await self.call("GET", f"/messages/{_part(message_id)}"), Message)

    async def upload(
        self,
        content: Path | str | bytes,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        conversation_id: str | None = None,
    ) -> Attachment:
        """
        Put a file on the server. It belongs to a message once one names it, and goes after a day if none does.

        Args:
            content: its bytes, or the path of a file.
            filename: that of the path if None. content_type: the server looks for itself.

        Raises:
            OSError: the file cannot be read.
        """
        body: bytes | AsyncIterator[bytes]
        if isinstance(content, bytes):
            body, size, name = content, len(content), filename or "file"
        else:
            path = anyio.Path(content)
            body, size, name = _chunks(path), (await path.stat()).st_size, filename or path.name
        return await self.post_file(
            body, size, filename=name, content_type=content_type, conversation_id=conversation_id
        )

    async def post_file(
        self,
        body: bytes | AsyncIterator[bytes],
        size: int,
        *,
        filename: str,
        content_type: str | None = None,
        conversation_id: str | None = None,
        encrypted: bool = False,
    ) -> Attachment:
        """
        Put bytes on the server as they come.

        Args:
            size: how many they are. encrypted: they are ciphertext, so the server does not look at them.
        """
        headers = {"Content-Type": content_type or "application/octet-stream", "Content-Length": str(size)}
        query = {
            "filename": filename,
            "conversation_id": conversation_id,
            "encrypted": "true" if encrypted else None,
        }
        return _shaped(await self._request("POST", "/attachments", query, body, headers), Attachment)

    async def download(self, attachment: Attachment) -> bytes:
        """
        What is in a file; one that came encrypted is opened.

        Raises:
            Unreadable: `tampered`, it is not the one that was sent.
        """
        path = f"/attachments/{_part(attachment.attachment_id)}"
        found = (await self._respond("GET", path, {}, None, {})).content
        if not isinstance(attachment, SealedAttachment):
            return found
        from amtrio.client.file_encryption import open_file  # noqa: PLC0415 - what is encrypted is loaded by who encrypts

        return await anyio.to_thread.run_sync(open_file, attachment.key, found)

    async def head(self) -> Position:
        """Where the account's log is now: a connection that begins there hears what happens from now on."""
        page = _shaped(await self.call("GET", "/snapshot", query={"limit": 1}), _Page)
        return Position(page.epoch, page.seq)

    async def snapshot(self) -> Snapshot:
        """
        The whole account at one place in its log, all pages.

        Raises:
            Refused: `snapshot_moved` if a page belongs to another history than the first: start again.
        """
        page = _shaped(await self.call("GET", "/snapshot"), _Page)
        first, conversations = page, list(page.conversations)
        while page.next is not None:
            found = await self.call("GET", "/snapshot", query={"after": page.next, "seq": first.seq})
            page = _shaped(found, _Page)
            if page.epoch != first.epoch:
                raise Refused("the server's history changed between two pages", code="snapshot_moved", retry="after_ms")
            conversations += page.conversations
        return Snapshot(seq=first.seq, epoch=first.epoch, conversations=conversations)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """
        Any route: JSON there and back. None values are left out.

        Raises:
            Refused: the server said no. Unreachable: nobody answered, or it was no JSON.
        """
        content = None if body is None else msgspec.json.encode(_without_none(body))
        headers = {} if content is None else {"Content-Type": "application/json"}
        return await self._request(method, path, query or {}, content, headers)

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int | None],
        content: bytes | AsyncIterator[bytes] | None,
        headers: dict[str, str],
    ) -> Any:
        response = await self._respond(method, path, query, content, headers)
        try:
            return msgspec.json.decode(response.content) if response.content else None
        except msgspec.DecodeError as exc:
            raise Unreachable(f"{method} {self.url}{path}: the answer is no JSON; is this the right server?") from exc

    async def _respond(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int | None],
        content: bytes | AsyncIterator[bytes] | None,
        headers: dict[str, str],
    ) -> httpx.Response:
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.agent_id:
            headers["X-Agent-ID"] = self.agent_id
        try:
            response = await self._http.request(
                method, self.url + path, params=_without_none(query), content=content, headers=headers
            )
        except httpx.HTTPError as exc:
            raise Unreachable(f"{method} {self.url}{path}: {str(exc) or type(exc).__name__}") from exc
        if response.is_error:
            raise _refusal(response)
        return response

    async def _sign_in(self, path: str, body: Mapping[str, Any]) -> SignedIn:
        signed_in = _shaped(await self.call("POST", path, body=body), SignedIn)
        self.token = signed_in.token
        return signed_in


def new_http() -> httpx.AsyncClient:
    """A client with this library's time-outs; certificates and proxies come from the environment as httpx reads it."""
    return httpx.AsyncClient(timeout=httpx.Timeout(DEFAULT_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S))


def http_url(url: str) -> str:
    """`ws://host/` and `http://host` are the same server."""
    scheme, separator, rest = url.rstrip("/").partition("://")
    return (
        f"{ {'ws': 'http', 'wss': 'https'}.get(scheme, scheme) }{separator}{rest}" if separator else f"http://{scheme}"
    )


def _shaped(value: object, shape: type[T]) -> T:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as exc:
        raise Unreachable(f"the server's answer has another shape: {exc}; is this an amtrio server?") from exc


def _refusal(response: httpx.Response) -> Refused:
    try:
        data = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        data = None  # a proxy in between
    fields = data if isinstance(data, dict) else {"error": response.reason_phrase, "code": "unknown"}
    wait_s = retry_after_s(response)
    if wait_s is not None:
        fields = {"retry": "after_ms", "retry_after_ms": int(wait_s * 1000), **fields}
    return read_refusal(fields, response.status_code)


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


async def _chunks(path: anyio.Path) -> AsyncIterator[bytes]:
    async with await path.open("rb") as file:
        while chunk := await file.read(_CHUNK_BYTES):
            yield chunk


def _part(text: str) -> str:
    return quote(text, safe="")
