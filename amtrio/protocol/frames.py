"""Base classes of everything on the wire, and the envelope that carries it.

Sans I/O: msgspec only. Knows no feature, no socket and no older dialect (those are in `dialects`).

Both directions one JSON object per text frame: `{"type": ..., "data": {...}}`. Events from the account log also carry
the account's `seq` at the top, answers carry the `ref` of the command they answer.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec

Kind = Literal["user", "agent"]

# The shape of an id, where a client chooses it (agents, devices) and where we do (prefix + UUIDv7): it goes unescaped
# into URLs of shipped clients. `$` alone would let one line feed through at the end (Python's re), so it looks ahead.
ID_PATTERN = r"^[A-Za-z0-9_.-]{1,64}(?!\n)$"
# 16 is what a random id needs to be unguessable by accident; 64 what fits any UUID or ULID spelling.
CLIENT_ID_PATTERN = r"^[A-Za-z0-9_.:-]{16,64}(?!\n)$"
# The sender's own name for what it asks; asked again under the same one it is done once.
ClientId = Annotated[str, msgspec.Meta(pattern=CLIENT_ID_PATTERN)]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for. Unknown fields are ignored, so that newer clients can talk to older servers."""


class Hello(Command, frozen=True, kw_only=True):
    """
    The first frame of v2: who this is and what it has already.

    Attributes:
        token: a person's access token, or an agent's credential; not needed if the upgrade carried it in a header.
        since, epoch: the client has everything up to this number of this history; left out, the server's own note of
            the device counts.
        client: name and version, for the log.
    """

    token: str | None = None
    agent_id: str | None = None
    device_id: str | None = None
    since: int | None = None
    epoch: str | None = None
    client: str | None = None


class Ack(Command, frozen=True, kw_only=True):
    """The client has stored everything up to `seq`."""

    seq: int


class Heartbeat(Command, frozen=True, kw_only=True):
    """A sign of life for clients that cannot send control frames."""


# Words that a session answers itself, without a feature.
SESSION_WORDS: dict[str, type[Command]] = {
    "hello": Hello,
    "ack": Ack,
    "heartbeat": Heartbeat,
    "ping": Heartbeat,
    "pong": Heartbeat,
}


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What a server tells of its own accord.

    Attributes:
        type: the word on the wire.
        log_kind: what the account log calls it; empty for ephemeral events, which no log keeps and any queue may drop.
    """

    type: ClassVar[str]
    log_kind: ClassVar[str] = ""

    @property
    def log_conversation(self) -> str | None:
        """The conversation whose members may see it again, if it belongs to one."""
        return None

    @property
    def log_subject(self) -> str | None:
        """The id by which a replay finds today's truth."""
        return None


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one command; over REST it is the body. Carries no seq."""

    type: ClassVar[str] = "done"


class Done(Reply, frozen=True, kw_only=True):
    """Nothing to say but that it is on disk."""

    status: str = "ok"


class Connected(Event, frozen=True, kw_only=True, omit_defaults=False):
    """
    The first frame on every socket, always.

    Attributes:
        seq: the number from which this socket goes on; the client already has everything up to it.
        head: the account's newest number when the socket was opened.
    """

    type: ClassVar[str] = "connected"
    id: str
    kind: Kind
    status: str = "connected"
    protocol_version: str
    supported_versions: tuple[str, ...]
    device_id: str | None = None
    epoch: str
    seq: int
    head: int
    server_time: str
    limits: dict[str, int]
    capabilities: tuple[str, ...]


class Resync(Event, frozen=True, kw_only=True):
    """
    The hole that cannot be filled any more: fetch a snapshot, then go on with what arrives after `seq`.

    Attributes:
        reason: `epoch` (another history), `pruned` (older than the log), `ahead` (newer than the log's head).
    """

    type: ClassVar[str] = "resync"
    epoch: str
    seq: int
    reason: Literal["epoch", "pruned", "ahead"]


class Gone(Event, frozen=True, kw_only=True):
    """
    A log row of which only the number is left.

    Attributes:
        skipped: it is not gone: five connections ended before this event was confirmed, so that it seems to be what
            ends them. What it was about is to be fetched. conversation_id: where it happened.
    """

    type: ClassVar[str] = "gone"
    skipped: bool = False
    conversation_id: str | None = None


class Failed(Event, frozen=True, kw_only=True):
    """
    The answer to a command or frame that was refused; the connection stays open.

    Attributes:
        error: text for people. code: word for machines. retry, details: see `errors.AmtrioError`.
    """

    type: ClassVar[str] = "error"
    error: str
    code: str
    retry: str
    retry_after_ms: int | None = None
    client_id: str | None = None
    details: dict[str, Any] | None = None


class HeartbeatAck(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """Sign of life answered; times in seconds."""

    type: ClassVar[str] = "heartbeat_ack"
    server_time: str
    interval_s: int
    timeout_s: int
    monitoring: bool


class Pong(Reply, frozen=True, kw_only=True):
    """For clients that cannot send control frames."""

    type: ClassVar[str] = "pong"
    server_time: str


class Envelope(msgspec.Struct):
    """One inbound frame before its data is known to be of any shape."""

    type: str
    ref: str | int | None = None
    data: msgspec.Raw = msgspec.Raw(b"")


Json = dict[str, Any]
