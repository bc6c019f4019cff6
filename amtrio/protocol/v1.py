"""COMPAT(v1): events and answers as the older server's clients understand them, each client in the form it can take.

An allow-list: what is not named here does not reach them, whatever is added later. Sans I/O; knows words and field
names, no feature and no socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import msgspec

from amtrio.protocol.codec import encode, flat, frame, hybrid
from amtrio.protocol.dialects import Viewer
from amtrio.protocol.frames import Connected, Event, Failed, Kind

Fields = dict[str, Any]
ChatForm = Literal["hybrid", "nested", "chat", "agent_message", "user_message"]
Echo = Literal["none", "message", "user_message"]


@dataclass(frozen=True, slots=True)
class Profile:
    """
    What a shipped client of the older protocol can take.

    Attributes:
        chat: the frames one chat message becomes, in order.
        synced: the same for what its user said on another device; whoever reads `agent_message` takes everything
            under that word for the agent's.
        echo: how it is shown what it sent itself, which only some clients want.
        hears_stopped_typing: false for one that takes any sign of typing for its start.
        hears_presence_as_status: it ignores presence and redraws its list on a status.
        hears_each_read: it marks the one message that a receipt names, so it is told of each.
        own_sender: how its user's own messages name their sender's type.
    """

    name: str
    chat: tuple[ChatForm, ...]
    synced: tuple[ChatForm, ...]
    echo: Echo = "none"
    hears_stopped_typing: bool = True
    hears_presence_as_status: bool = True
    hears_each_read: bool = False
    own_sender: Literal["client", "user"] = "client"


AGENT = Profile("agent", ("hybrid", "user_message"), (), hears_presence_as_status=False)
SDK = Profile("sdk", ("hybrid", "chat"), ("hybrid", "chat"), hears_presence_as_status=False)
IOS = Profile("ios", ("nested",), ("nested",), hears_stopped_typing=False)
ANDROID = Profile("android", ("nested",), ("nested",), echo="message", own_sender="user")
LINUX = Profile("linux", ("agent_message",), ())
# A page of somebody's own is taken for the web client too; it reads `message`, which that one ignores.
WEBCHAT = Profile("webchat", ("hybrid", "agent_message"), ("hybrid",), echo="user_message", hears_each_read=True)
UNKNOWN = Profile("unknown", ("hybrid", "agent_message"), ("hybrid",))


def profile_of(kind: Kind, *, user_agent: str, offered_v1: bool, has_origin: bool) -> Profile:
    """
    Recognise a client by its handshake.

    Source: docs/discussion/older-clients.md, "Who is who".
    """
    if kind == "agent":
        return AGENT
    if offered_v1:
        return SDK
    agent = user_agent.lower()
    if "cfnetwork" in agent or "darwin" in agent:
        return IOS
    if agent.startswith("okhttp"):
        return ANDROID
    if has_origin and not agent:
        return LINUX
    if has_origin and agent.startswith("mozilla/"):
        return WEBCHAT
    return UNKNOWN


@dataclass(frozen=True, slots=True)
class V1:
    """The protocol of the older server's clients: fields under "data" and beside it, no numbers, no references."""

    profile: Profile
    name: str = field(default="v1", init=False)

    def form(self, viewer: Viewer, seq: int | None, account: str) -> object:
        del seq, account
        return (self.profile.name, viewer)

    def event(self, event: Event, viewer: Viewer, seq: int | None) -> list[bytes]:
        del seq
        render = _EVENTS.get(event.type)
        if render is None:
            return []
        return list(render(self.profile, event, viewer))

    def reply(self, reply: Any, ref: bytes | None, *, word: str, is_delivered: bool) -> list[bytes]:
        del ref
        if word in {"message", "encrypted_message"}:
            fields = {
                "conversation_id": reply.conversation_id,
                "message_id": reply.message_id,
                "timestamp": reply.created_at,
                "status": "delivered" if is_delivered else "queued",
            }
            if reply.client_id is not None:
                fields["client_id"] = reply.client_id
            return [hybrid("message_sent", encode(fields))]
        if word in {"heartbeat", "ping"}:
            return [hybrid(reply.type, encode(reply))]
        return []

    def failure(self, failed: Failed, ref: bytes | None) -> list[bytes]:
        del ref
        fields: Fields = {"error": failed.error, "message": failed.error, "code": failed.code}
        if failed.retry_after_ms is not None:
            fields["retry_after_ms"] = failed.retry_after_ms
        return [hybrid("error", encode(fields))]


class _Chat(msgspec.Struct, omit_defaults=True, gc=False):
    """A chat message as the older protocol has it; written without the detour through a dict."""

    conversation_id: str
    content: str
    sender_type: str
    sender_id: str
    recipient_id: str
    user_id: str
    agent_id: str
    id: str
    message_id: str
    timestamp: str
    created_at: str
    metadata: Fields | None = None
    reply_to: str | None = None
    attachments: tuple[Fields, ...] = ()
    attachment_ids: tuple[str, ...] = ()


def _message(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    if event.deleted:
        return ()
    if event.kind == "encrypted":
        is_for_itself = viewer.is_same_device or (viewer.is_own and viewer.kind == "agent")
        return () if is_for_itself else (_encrypted(event),)
    if viewer.is_same_device:
        return _echo(profile, event, viewer)
    forms = profile.synced if viewer.is_own else profile.chat
    if not forms:
        return ()
    data = _chat(profile, event, viewer)
    # The web client finds files under "data" alone, of a frame that otherwise has no such thing.
    made = _FORMS_WITH_FILES if event.attachments else _CHAT_FORMS
    return [
        # The one reader of this form takes conversation and time for a message's identity.
        flat("user_message", _with_unique_time(data, event)) if form == "user_message" else made[form](data)
        for form in forms
    ]


def _echo(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    if profile.echo == "message":
        yield frame("message", _chat(profile, event, viewer))
    elif profile.echo == "user_message":
        yield flat("user_message", _chat(profile, event, viewer))


def _with_unique_time(data: bytes, event: Any) -> bytes:
    """
    The time with the message's number as microseconds: two in the same millisecond differ, and it never changes.

    Spliced, so that a message is encoded once: in JSON no text before it can hold a bare quote.
    """
    at = event.created_at
    unique = f"{at[:-1]}{event.conversation_seq % 1000:03d}Z"
    return data.replace(f'"timestamp":"{at}"'.encode(), f'"timestamp":"{unique}"'.encode(), 1)


def _encrypted(event: Any) -> bytes:
    """That there is one: the text itself is fetched, and would be an unreadable bubble here."""
    fields = encode(
        {
            "conversation_id": event.conversation_id,
            "content": f"encrypted:{event.message_id}",
            "sender_type": "agent" if event.sender_type == "agent" else "user",
            "sender_id": event.sender_id,
            "recipient_id": "",
            "id": event.message_id,
            "message_id": event.message_id,
            "timestamp": event.created_at,
        }
    )[1:-1]
    # "type" is a field of the data too, so the copy beside it is not the whole of it.
    word = b'"type":"encrypted_message"'
    return b'{%b,"data":{%b,%b},%b}' % (word, word, fields, fields)


# Of JSON. Some forms hold the text twice, and clients there are take frames of 1 MiB at most (iOS); only answers that
# were made live are longer than 64 KiB of text. Over REST they are whole.
MAX_CONTENT_BYTES = 400 * 1024
_IS_SHORT = MAX_CONTENT_BYTES // 6
_CUT = "\n\n[…]"


def _fitting(content: str) -> str:
    """A text that a frame can hold twice; the end of a longer one is left out, and that shows."""
    if len(content) <= _IS_SHORT or (size := len(encode(content))) <= MAX_CONTENT_BYTES:
        return content
    while size > MAX_CONTENT_BYTES:
        content = content[: len(content) * MAX_CONTENT_BYTES // (size + 64)]
        size = len(encode(content))
    return content + _CUT


_CHAT_FORMS: Mapping[ChatForm, Callable[[bytes], bytes]] = {
    "hybrid": partial(hybrid, "message"),
    "nested": partial(frame, "message"),
    "chat": partial(flat, "chat"),
    "agent_message": partial(flat, "agent_message"),
}
_FORMS_WITH_FILES: Mapping[ChatForm, Callable[[bytes], bytes]] = {
    **_CHAT_FORMS,
    "agent_message": partial(hybrid, "agent_message"),
}


def _chat(profile: Profile, event: Any, viewer: Viewer) -> bytes:
    is_agent = event.sender_type == "agent"
    user_id, agent_id, message_id, created_at = event.user_id, event.agent_id, event.message_id, event.created_at
    return encode(
        _Chat(
            event.conversation_id,
            _fitting(event.content),
            "agent" if is_agent else (profile.own_sender if viewer.kind == "user" else "client"),
            event.sender_id,
            user_id if is_agent else agent_id,
            user_id,
            agent_id,
            message_id,
            message_id,
            created_at,
            created_at,
            event.metadata,
            event.reply_to,
            tuple(map(_file, event.attachments)) if event.attachments else (),
            tuple(each.attachment_id for each in event.attachments) if event.attachments else (),
        )
    )


def _file(attachment: msgspec.Struct) -> Fields:
    """With both names of its id, and without what it has not."""
    fields = {name: value for name, value in msgspec.structs.asdict(attachment).items() if value is not None}
    return {"id": fields["attachment_id"], **fields}


def _edited(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    del profile, viewer
    if event.deleted or event.edited_at is None:
        return
    fields = {
        "message_id": event.message_id,
        "conversation_id": event.conversation_id,
        "content": event.content,
        "edited_at": event.edited_at,
        "edited_by": event.sender_id,
    }
    yield hybrid("message_edited", encode(fields))


def _deleted(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    del profile, viewer
    fields = {
        "message_id": event.message_id,
        "conversation_id": event.conversation_id,
        "deleted_by": event.deleted_by or event.sender_id,
        "deleted_at": event.deleted_at or event.created_at,
    }
    yield hybrid("message_deleted", encode(fields))


def _reaction(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    del profile, viewer
    fields = {
        "message_id": event.message_id,
        "conversation_id": event.conversation_id,
        "user_id": event.user_id,
        "emoji": event.emoji,
        "action": event.type.removeprefix("reaction_"),
    }
    yield hybrid(event.type, encode(fields))


def _receipt(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    del viewer
    if profile.hears_each_read and event.message_ids:
        read = {"conversation_id": event.conversation_id, "read_by": event.account_id, "count": 1}
        for message_id in event.message_ids:
            one = {**read, "message_ids": [message_id], "message_id": message_id}
            yield hybrid("read_receipt", encode(one))
        return
    fields: Fields = {
        "conversation_id": event.conversation_id,
        "read_by": event.account_id,
        "count": event.count,
        "message_ids": list(event.message_ids),
    }
    if event.message_ids:
        fields["message_id"] = event.message_ids[-1]
    yield hybrid("read_receipt", encode(fields))


def _conversation_created(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    del profile, viewer
    fields = {
        "id": event.conversation_id,
        "conversation_id": event.conversation_id,
        "user_id": event.user_id,
        "agent_id": event.agent_id,
    }
    yield hybrid("conversation_created", encode(fields))


def _typing(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    del viewer
    if event.typing or profile.hears_stopped_typing:
        yield hybrid("typing", encode(event))


def _status(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    if event.by_presence and not profile.hears_presence_as_status:
        return
    if viewer.kind == "agent" and event.conversation_id is None:
        return
    fields: Fields = {"sender_type": event.sender_type, "sender_id": event.sender_id, "status": event.status}
    if event.sender_type == "agent":
        fields["agent_id"] = event.sender_id
    if event.text:
        fields["message"] = event.text
    if event.conversation_id is not None:
        fields["conversation_id"] = event.conversation_id
    yield hybrid("status", encode(fields))


def _presence(profile: Profile, event: Any, viewer: Viewer) -> Iterable[bytes]:
    del profile
    if event.kind == "agent" and viewer.kind == "user":
        # "type" is a field of the data here, so there can be no copy beside the frame's own.
        yield frame("presence_update", encode({"id": event.id, "type": "agent", "online": event.online}))


def _connected(profile: Profile, event: Connected, viewer: Viewer) -> Iterable[bytes]:
    del profile
    fields: Fields = {
        "id": event.id,
        "status": event.status,
        "protocol_version": event.protocol_version,
        "supported_versions": list(event.supported_versions),
        f"{viewer.kind}_id": event.id,
    }
    if event.device_id:
        fields["device_id"] = event.device_id
    yield hybrid("connected", encode(fields))


_EVENTS: Mapping[str, Callable[[Profile, Any, Viewer], Iterable[bytes]]] = {
    "connected": _connected,
    "message": _message,
    "message_edited": _edited,
    "message_deleted": _deleted,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "receipt": _receipt,
    "conversation_created": _conversation_created,
    "typing": _typing,
    "status": _status,
    "presence_update": _presence,
}
V1_EVENTS = frozenset(_EVENTS)
