"""What messages are made of: files, questions and their answers, and the parts of a run.

Knows the shapes only. Every shape ignores fields it does not know, so that newer servers can be read.
Source: docs/protocol.md, "Events".
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

AccountKind = Literal["user", "agent"]


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """Read from JSON; unknown fields are ignored."""


class SlashCommand(msgspec.Struct, frozen=True):
    """
    A command of an agent that people may type.

    Attributes:
        name: without the slash. arguments: how they are written, for people to read, such as "CITY [DAY]".
    """

    name: str
    description: str = ""
    arguments: str | None = None


class AgentInfo(Thing, frozen=True, kw_only=True):
    """
    An agent as people see it.

    Attributes:
        status: `online`, `busy`, `idle` or `offline`. last_seen: RFC 3339.
        supports: what it can do besides talking: `stop`, `steer`, `queue`, `questions`, `attachments`, or newer words.
        capabilities: for people to read.
    """

    agent_id: str
    name: str = ""
    status: str = "offline"
    status_text: str | None = None
    online: bool = False
    last_seen: str | None = None
    model: str | None = None
    personality: str | None = None
    specialty: str | None = None
    description: str | None = None
    supports: list[str] = []
    commands: list[SlashCommand] = []
    capabilities: list[str] = []


class Attachment(Thing, frozen=True, kw_only=True):
    """
    A file on the server.

    Attributes:
        size: bytes, as stored. url: path on the server, which wants the account's credential.
        width, height: pixels of a picture, as shown.
    """

    attachment_id: str
    filename: str = ""
    content_type: str = "application/octet-stream"
    size: int = 0
    url: str = ""
    created_at: str = ""
    sha256: str | None = None
    message_id: str | None = None
    width: int | None = None
    height: int | None = None
    thumbnail_url: str | None = None


class SealedAttachment(Attachment, frozen=True, kw_only=True):
    """
    A file that was encrypted by who sent it. What the server has of it is ciphertext; name, type, size and pixels are
    what its sender says of the file itself.

    Attributes:
        key: base64url of 32 bytes; with it, anybody who has the ciphertext reads the file.
    """

    key: str

    def __repr__(self) -> str:
        # Messages are logged; what opens them, or says what they are about, is not.
        return f"SealedAttachment({self.attachment_id!r})"


class Option(Thing, frozen=True, kw_only=True):
    """One way to answer a question. Attributes: style: `primary`, `danger` or `default`."""

    id: str
    label: str
    description: str | None = None
    style: str | None = None


class Answer(Thing, frozen=True, kw_only=True):
    """
    What a person answered.

    Attributes:
        option_ids: what was chosen, in no order that means anything; empty if a text was given.
        answered_by: id of the person's account. answered_at: RFC 3339.
    """

    option_ids: list[str] = []
    text: str | None = None
    answered_by: str = ""
    answered_at: str = ""


class Question(Thing, frozen=True, kw_only=True):
    """
    A question that a message asks.

    Attributes:
        multiple: more than one option may be chosen. free_text: a text is an answer too.
        expires_at: RFC 3339. state: `open`, `answered`, `expired` or `closed`.
    """

    options: list[Option] = []
    multiple: bool = False
    free_text: bool = False
    expires_at: str | None = None
    state: str = "open"
    answer: Answer | None = None


class RunPart(Thing, frozen=True, kw_only=True):
    """
    One part of a run: a stretch of text, of thoughts, a tool that ran, ...

    Attributes:
        part: its number, from 0.
        kind: `text`, `reasoning`, `tool`, `plan`, `status`, `artifact`, or one from a newer server.
        meta: what it is besides its text, as docs/protocol.md says for its kind.
        length: of a `text` part in a finished message: how many code points of the message's content are its own.
    """

    part: int
    kind: str
    meta: dict[str, Any] = {}
    text: str = ""
    length: int | None = None


class RunRecord(Thing, frozen=True, kw_only=True):
    """
    How a message came to be: the run that it is the end of.

    Attributes:
        outcome: `done`, `stopped`, `failed` or `interrupted`. error: for people to read. usage: as the agent says.
        started_at, ended_at: RFC 3339.
    """

    run_id: str
    outcome: str = "done"
    error: str | None = None
    usage: dict[str, Any] | None = None
    started_at: str = ""
    ended_at: str = ""
    parts: list[RunPart] = []


class PartDelta(Thing, frozen=True, kw_only=True):
    """
    What is new about a part.

    Attributes:
        kind: only when the part is new. meta: only when it changed; replaces the old one as a whole.
        text: to append at `offset`, code points.
    """

    part: int
    kind: str | None = None
    meta: dict[str, Any] | None = None
    offset: int | None = None
    text: str = ""
