"""One event, as each older client understands it: only what that client knows, in the form it can take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amtrio.errors import RateLimited
from amtrio.features.presence import PresenceUpdate, StatusChanged
from amtrio.features.receipts import Receipt
from amtrio.features.typing_sign import Typing
from amtrio.model.conversation import ConversationCreated
from amtrio.model.message import Attachment, MessageDeleted, MessageEdited, MessagePosted
from amtrio.protocol import v1
from amtrio.protocol.dialects import V2, Viewer
from amtrio.protocol.frames import Connected, Done, Event, Failed, HeartbeatAck, Kind, Pong
from amtrio.protocol.v1 import V1, V1_EVENTS, Profile, profile_of
from tests.protocol.events import WHEN, every_class, every_event, make
from tests.protocol.telling import PROFILES, SENT, VIEWERS, replied, strictly, told

KIND_OF_PROFILE: dict[str, Kind] = {each.name: "agent" if each.name == "agent" else "user" for each in PROFILES}
# What the shipped clients of the older protocol know (its documents and their sources); a new word is a decision.
OLD_WORDS = {
    "connected", "message", "message_sent", "message_edited", "message_deleted", "read_receipt", "typing", "status",
    "presence_update", "conversation_created", "agent_message", "user_message", "chat", "heartbeat_ack", "pong",
    "error", "reaction_added", "reaction_removed",
}  # fmt: skip
# What is native; an older client would take them for something else or choke on them.
NEW_NAMES = {
    "seq", "ref", "epoch", "head", "conversation_seq", "limits", "capabilities", "read_up_to", "by_presence", "queued",
    "steers", "run", "question",
}  # fmt: skip


def viewers_of(profile: Profile) -> list[Viewer]:
    return [viewer for viewer in VIEWERS if viewer.kind == KIND_OF_PROFILE[profile.name]]


STRANGER = Viewer("user")
OTHER_DEVICE = Viewer("user", is_own=True)
SAME_DEVICE = Viewer("user", is_own=True, is_same_device=True)
FOR_AGENT = Viewer("agent")


def posted(**fields: Any) -> MessagePosted:
    fields = {"attachments": ()} | fields
    message: MessagePosted = make(MessagePosted, edited_at=None, deleted_at=None, deleted_by=None, **fields)
    return message


FROM_AGENT = posted(sender_type="agent", sender_id="helper", agent_id="helper", user_id="user_1")
FROM_PERSON = posted(sender_type="client", sender_id="user_1", agent_id="helper", user_id="user_1")


PICTURE = Attachment(
    attachment_id="att_1", filename="a.png", content_type="image/png", size=1, sha256="0", url="/attachments/att_1",
    created_at="2026-11-22T17:07:01.123Z", message_id="some-message_id",
)  # fmt: skip


# -- every event through every dialect


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
@pytest.mark.parametrize("shape", every_class(), ids=lambda shape: shape.__name__)
def test_v1_gets_only_what_it_knows(shape: type[Event], profile: Profile) -> None:
    """No word and no field of the native protocol reaches an older client, whatever the event."""
    for viewer in viewers_of(profile):
        frames = told(V1(profile), make(shape), viewer, 9)
        if shape.type not in V1_EVENTS:
            assert frames == []
        for frame in frames:
            assert frame["type"] in OLD_WORDS
            names = set(frame) | set(frame.get("data", {}))
            assert not names & (NEW_NAMES | {"client_id"}), f"{shape.__name__} leaks {names & NEW_NAMES}"
            assert None not in frame.values()
            assert None not in frame.get("data", {}).values()


def test_the_allow_list_of_v1_is_a_decision() -> None:
    """Whoever adds a word here has looked at what shipped clients do with it."""
    assert frozenset({
        "connected", "message", "message_edited", "message_deleted", "receipt", "conversation_created", "typing",
        "status", "presence_update", "reaction_added", "reaction_removed",
    }) == V1_EVENTS  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_files_reach_every_older_client_under_both_names_of_their_id(profile: Profile) -> None:
    """Beside the text, and under "data" for the web client, which looks for them there alone."""
    event = posted(sender_type="agent", sender_id="helper", agent_id="helper", user_id="user_1", attachments=(PICTURE,))
    for viewer in viewers_of(profile):
        for frame in told(V1(profile), event, viewer, 9):
            for fields in (frame.get("data", frame), frame if "content" in frame else frame["data"]):
                assert fields["attachment_ids"] == ["att_1"]
                (file,) = fields["attachments"]
                assert file["id"] == file["attachment_id"] == "att_1"
                assert "width" not in file
            assert frame["type"] != "agent_message" or "data" in frame
    for frame in told(V1(profile), FROM_AGENT, viewers_of(profile)[0], 9):
        assert "attachments" not in frame
        assert "attachment_ids" not in frame.get("data", {})


def test_a_new_event_does_not_leak_into_v1() -> None:
    """An event that a feature adds tomorrow reaches v2 and no older client."""

    class Danced(Event, frozen=True, kw_only=True):
        type = "danced"
        content: str = "hop"

    assert told(V2(), Danced(), STRANGER) == [{"type": "danced", "data": {}}]
    for profile in PROFILES:
        for viewer in viewers_of(profile):
            assert told(V1(profile), Danced(), viewer) == []


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_v1_types_inside_data_are_what_strict_parsers_want(profile: Profile) -> None:
    """Shipped apps drop a frame in which one of these keys is no text, or `typing` no truth value."""
    for event in every_event():
        for viewer in viewers_of(profile):
            for frame in told(V1(profile), event, viewer):
                for fields in (frame, frame.get("data", {})):
                    for name in ("conversation_id", "content", "sender_type", "sender_id", "agent_id", "status"):
                        assert isinstance(fields.get(name, ""), str), (name, frame)
                    assert isinstance(fields.get("typing", True), bool)
                assert isinstance(frame.get("data", {}).get("message", ""), str)


# -- chat messages, client by client (contract 3.8)


def forms(profile: Profile, event: Event, viewer: Viewer) -> list[tuple[str, bool, bool]]:
    """Word, has the fields under data, has them beside type."""
    return [
        (frame["type"], "content" in frame.get("data", {}), "content" in frame)
        for frame in told(V1(profile), event, viewer)
    ]


def test_ios_gets_one_nested_frame() -> None:
    """It shows every chat frame that it understands, so one message must be one frame."""
    assert forms(v1.IOS, FROM_AGENT, STRANGER) == [("message", True, False)]


def test_android_gets_one_nested_frame() -> None:
    assert forms(v1.ANDROID, FROM_AGENT, STRANGER) == [("message", True, False)]


def test_the_linux_app_gets_a_flat_agent_message() -> None:
    """It reads content beside type, under this word only."""
    assert forms(v1.LINUX, FROM_AGENT, STRANGER) == [("agent_message", False, True)]


def test_sdks_get_message_and_a_flat_chat() -> None:
    """The SDKs read `message`, the plugin's live suite `chat`."""
    assert forms(v1.SDK, FROM_AGENT, STRANGER) == [("message", True, True), ("chat", False, True)]


def test_agents_get_message_and_a_flat_user_message() -> None:
    """SDK agents read the one, the plugin the other."""
    assert forms(v1.AGENT, FROM_PERSON, FOR_AGENT) == [("message", True, True), ("user_message", False, True)]


@pytest.mark.parametrize("profile", [v1.UNKNOWN, v1.WEBCHAT], ids=lambda profile: profile.name)
def test_pages_and_unknown_clients_get_both_that_apps_read(profile: Profile) -> None:
    assert forms(profile, FROM_AGENT, STRANGER) == [("message", True, True), ("agent_message", False, True)]


def test_two_messages_of_one_millisecond_have_two_times_for_the_plugin() -> None:
    """It takes conversation and time for the identity of a message; so the time differs, and is the same for ever."""
    times = []
    for seq in (7, 8, 7):
        event = posted(sender_type="client", sender_id="user_1", user_id="user_1", conversation_seq=seq)
        nested, flat = told(V1(v1.AGENT), event, FOR_AGENT)
        assert nested["timestamp"] == nested["created_at"] == flat["created_at"] == WHEN
        times.append(flat["timestamp"])
    assert times == ["2026-11-22T17:07:01.123007Z", "2026-11-22T17:07:01.123008Z", "2026-11-22T17:07:01.123007Z"]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_a_message_carries_what_clients_read(profile: Profile) -> None:
    """Both spellings of id and time; the time in the one form that every parser takes."""
    event = FROM_PERSON if profile.name == "agent" else FROM_AGENT
    for frame in told(V1(profile), event, viewers_of(profile)[0]):
        fields = frame.get("data", frame)
        assert fields["id"] == fields["message_id"] == event.message_id
        assert fields["created_at"] == WHEN
        assert fields["timestamp"][:23] == WHEN[:23]
        assert fields["user_id"] == "user_1"
        assert fields["agent_id"] == "helper"
        assert fields["metadata"] == {"key": 1}
        assert fields["recipient_id"] == ("helper" if profile.name == "agent" else "user_1")


@pytest.mark.parametrize("profile", [each for each in PROFILES if each.name != "agent"], ids=lambda each: each.name)
def test_only_two_clients_hear_themselves(profile: Profile) -> None:
    """
    The sending device adds its own bubble, except Android's app, which waits for the echo and wants it as `user`; the
    web client learns the id of its bubble from a `user_message`.
    """
    frames = told(V1(profile), FROM_PERSON, SAME_DEVICE)
    if profile is v1.ANDROID:
        assert [(frame["type"], frame["data"]["sender_type"]) for frame in frames] == [("message", "user")]
    elif profile is v1.WEBCHAT:
        (frame,) = frames
        assert (frame["type"], "data" in frame) == ("user_message", False)
        assert {"conversation_id", "message_id", "content", "user_id", "timestamp"} <= set(frame)
    else:
        assert frames == []


@pytest.mark.parametrize("profile", [each for each in PROFILES if each.name != "agent"], ids=lambda each: each.name)
def test_other_devices_hear_what_one_of_them_sent(profile: Profile) -> None:
    """As one's own; under no `agent_message`, which its readers show as the agent's whatever it says."""
    frames = told(V1(profile), FROM_PERSON, OTHER_DEVICE)
    usual = [frame["type"] for frame in told(V1(profile), FROM_AGENT, STRANGER)]
    assert [frame["type"] for frame in frames] == [word for word in usual if word != "agent_message"]
    own = "user" if profile is v1.ANDROID else "client"
    assert {frame.get("data", frame)["sender_type"] for frame in frames} <= {own}


def test_an_agent_never_hears_itself() -> None:
    """An agent that answers what it said itself would talk for ever."""
    for viewer in (Viewer("agent", is_own=True), Viewer("agent", is_own=True, is_same_device=True)):
        assert told(V1(v1.AGENT), FROM_AGENT, viewer) == []


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_a_deleted_message_shows_nothing(profile: Profile) -> None:
    """Today's truth for v1: a message or an edit whose text is gone is not told."""
    for shape in (MessagePosted, MessageEdited):
        event = make(shape, deleted=True, content="")
        for viewer in viewers_of(profile):
            assert told(V1(profile), event, viewer) == []


# -- the other events


def test_a_deletion_names_who_and_when() -> None:
    event = make(MessageDeleted, deleted=True, content="", deleted_by="user_1")
    (frame,) = told(V1(v1.SDK), event, STRANGER)
    assert frame["type"] == "message_deleted"
    assert frame["data"] == {name: frame[name] for name in frame["data"]}
    assert set(frame["data"]) == {"message_id", "conversation_id", "deleted_by", "deleted_at"}


def test_an_edit_carries_the_new_text() -> None:
    (frame,) = told(V1(v1.SDK), make(MessageEdited, content="new"), STRANGER)
    assert set(frame["data"]) == {"message_id", "conversation_id", "content", "edited_at", "edited_by"}
    assert frame["content"] == frame["data"]["content"] == "new"


def test_a_receipt_becomes_the_read_receipt_of_old() -> None:
    """With a count, all ids, and the last one by itself."""
    event = make(Receipt, account_id="user_1", count=2, message_ids=("msg_1", "msg_2"))
    (frame,) = told(V1(v1.AGENT), event, FOR_AGENT)
    assert frame["type"] == "read_receipt"
    data = frame["data"]
    assert (data["read_by"], data["count"], data["message_ids"], data["message_id"]) == (
        "user_1", 2, ["msg_1", "msg_2"], "msg_2",
    )  # fmt: skip


def test_the_web_client_is_told_of_each_message_that_was_read() -> None:
    """It marks the one that a receipt names."""
    event = make(Receipt, account_id="helper", count=2, message_ids=("msg_1", "msg_2"))
    frames = told(V1(v1.WEBCHAT), event, STRANGER)
    assert [(frame["data"]["message_id"], frame["data"]["count"]) for frame in frames] == [("msg_1", 1), ("msg_2", 1)]
    again = make(Receipt, account_id="helper", count=0, message_ids=())
    (frame,) = told(V1(v1.WEBCHAT), again, STRANGER)
    assert "message_id" not in frame["data"]


def test_a_new_conversation_is_told_with_both_names_of_its_id() -> None:
    for profile, viewer in ((v1.SDK, STRANGER), (v1.AGENT, FOR_AGENT)):
        (frame,) = told(V1(profile), make(ConversationCreated), viewer)
        assert frame["id"] == frame["conversation_id"] == frame["data"]["id"]
        assert {"user_id", "agent_id"} <= set(frame)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_a_stopped_sign_of_writing_is_kept_from_ios(profile: Profile) -> None:
    """It takes any sign of writing for a start."""
    started = make(Typing, typing=True)
    stopped = make(Typing, typing=False)
    viewer = viewers_of(profile)[0]
    (frame,) = told(V1(profile), started, viewer)
    assert frame["typing"] is frame["data"]["typing"] is True
    assert len(told(V1(profile), stopped, viewer)) == (0 if profile is v1.IOS else 1)


def test_a_status_names_its_agent_for_every_reader() -> None:
    """As agent_id and as sender_id, with the free text under `message`."""
    event = make(StatusChanged, sender_type="agent", sender_id="helper", text="on it", by_presence=False)
    (frame,) = told(V1(v1.SDK), event, STRANGER)
    assert frame["agent_id"] == frame["sender_id"] == frame["data"]["agent_id"] == "helper"
    assert frame["data"]["message"] == "on it"


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_sockets_that_offered_v1_hear_no_status_that_nobody_said(profile: Profile) -> None:
    """Coming and going becomes a status only for apps that redraw their list on it."""
    event = make(StatusChanged, sender_type="agent", by_presence=True, conversation_id=None)
    heard = told(V1(profile), event, viewers_of(profile)[0])
    assert bool(heard) == (profile not in (v1.SDK, v1.AGENT))


def test_agents_hear_a_status_only_within_a_conversation() -> None:
    event = make(StatusChanged, sender_type="client", by_presence=False, conversation_id=None)
    assert told(V1(v1.AGENT), event, FOR_AGENT) == []
    event = make(StatusChanged, sender_type="client", by_presence=False, conversation_id="conv_1")
    assert len(told(V1(v1.AGENT), event, FOR_AGENT)) == 1


def test_presence_of_agents_is_for_people_only() -> None:
    """`type` is a field of the data here, so nothing stands beside the frame's own."""
    event = PresenceUpdate(id="helper", kind="agent", online=True, last_seen=WHEN)
    expected = {"type": "presence_update", "data": {"id": "helper", "type": "agent", "online": True}}
    assert told(V1(v1.SDK), event, STRANGER) == [expected]
    assert told(V1(v1.AGENT), event, FOR_AGENT) == []
    assert told(V1(v1.SDK), PresenceUpdate(id="user_1", kind="user", online=True), STRANGER) == []


def test_the_greeting_of_old() -> None:
    """Flat and nested, with the version and the id under both of its names."""
    event = make(Connected, id="user_1", kind="user", protocol_version="v1", supported_versions=("v1", "v2"))
    (frame,) = told(V1(v1.SDK), event, STRANGER)
    data = frame["data"]
    assert data["id"] == data["user_id"] == "user_1"
    assert (data["protocol_version"], data["supported_versions"]) == ("v1", ["v1", "v2"])
    assert data["device_id"] == "some-device_id"
    (frame,) = told(V1(v1.SDK), make(Connected, device_id=None), STRANGER)
    assert "device_id" not in frame["data"]
    (frame,) = told(V1(v1.AGENT), make(Connected, id="helper", kind="agent"), FOR_AGENT)
    assert frame["data"]["agent_id"] == "helper"


# -- answers


@pytest.mark.parametrize(("is_delivered", "status"), [(True, "delivered"), (False, "queued")])
def test_v1_is_told_the_real_state(is_delivered: bool, status: str) -> None:  # noqa: FBT001 - a parameter
    """`delivered` if the other side has an open socket, else `queued`."""
    (frame,) = replied(V1(v1.SDK), SENT, "message", ref=b"1", is_delivered=is_delivered)
    assert frame["type"] == "message_sent"
    assert frame["data"] == {
        "conversation_id": "conv_1",
        "message_id": "msg_1",
        "timestamp": WHEN,
        "status": status,
        "client_id": "client-id-0123456789",
    }
    assert "ref" not in frame


def test_v1_hears_no_answer_it_does_not_know() -> None:
    """`done` is native; signs of life are answered in the old words."""
    assert replied(V1(v1.SDK), Done(), "edit") == []
    beat = HeartbeatAck(server_time=WHEN, interval_s=30, timeout_s=90, monitoring=False)
    (frame,) = replied(V1(v1.SDK), beat, "heartbeat")
    assert (frame["type"], frame["data"]["monitoring"]) == ("heartbeat_ack", False)
    (frame,) = replied(V1(v1.SDK), Pong(server_time=WHEN), "ping")
    assert frame["type"] == "pong"


def test_failures_say_the_same_in_every_place_that_clients_look() -> None:
    """v1: `error` and `message` hold the text, beside type and under data; v2 adds how to try again."""
    failed = Failed(error="too many", code=RateLimited.code, retry="after_ms", retry_after_ms=900, client_id="c" * 16)
    (frame,) = [strictly(raw) for raw in V1(v1.IOS).failure(failed, b"1")]
    fields = {"error": "too many", "message": "too many", "code": "rate_limited", "retry_after_ms": 900}
    assert frame == {"type": "error", "data": fields, **fields}
    (frame,) = [strictly(raw) for raw in V2().failure(failed, b'"r"')]
    assert (frame["ref"], frame["data"]["retry"], frame["data"]["client_id"]) == ("r", "after_ms", "c" * 16)


# -- recognising clients


BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"


@pytest.mark.parametrize(
    ("kind", "user_agent", "signs", "expected"),
    [
        ("agent", "Python/3.12 websockets/14.0", "v1", v1.AGENT),
        ("agent", "", "", v1.AGENT),
        ("user", "", "v1", v1.SDK),
        ("user", BROWSER, "v1 origin", v1.SDK),
        ("user", "AgentMessenger/1 CFNetwork/1490.0.4 Darwin/23.2.0", "", v1.IOS),
        ("user", "okhttp/4.12.0", "", v1.ANDROID),
        ("user", "", "origin", v1.LINUX),
        ("user", BROWSER, "origin", v1.WEBCHAT),
        ("user", BROWSER, "", v1.UNKNOWN),
        ("user", "", "", v1.UNKNOWN),
        ("user", "Python/3.12 websockets/14.0", "", v1.UNKNOWN),
    ],
)
def test_clients_are_known_by_their_handshake(kind: Kind, user_agent: str, signs: str, expected: Profile) -> None:
    """Contract 3.0: what each shipped client sends with its upgrade tells them apart."""
    found = profile_of(kind, user_agent=user_agent, offered_v1="v1" in signs, has_origin="origin" in signs)
    assert found is expected


def test_ciphertext_is_announced_to_older_clients_and_never_shown() -> None:
    """In every profile the one frame of the older server, its fields under "data" and beside it, each once."""
    event = make(MessagePosted, kind="encrypted", content="c2VhbGVk", sender_type="client")
    for profile in (v1.AGENT, v1.SDK, v1.IOS, v1.ANDROID, v1.LINUX, v1.WEBCHAT):
        (raw,) = V1(profile).event(event, Viewer("agent"), None)
        assert raw.count(b'"type":') == raw.count(b'"content":') == 2, "no name twice in one object"
        told = json.loads(raw)
        assert told.pop("data") == told
        assert (told["type"], told["content"]) == ("encrypted_message", f"encrypted:{event.message_id}")
        assert (told["sender_type"], told["recipient_id"], "c2VhbGVk" in raw.decode()) == ("user", "", False)
        assert V1(profile).event(event, Viewer("user", is_own=True, is_same_device=True), None) == []
        assert V1(profile).event(event, Viewer("agent", is_own=True), None) == [], "an agent never hears itself"
        assert len(V1(profile).event(event, Viewer("user", is_own=True), None)) == 1
        assert V1(profile).event(make(MessagePosted, kind="encrypted", deleted=True), Viewer("user"), None) == []
    (native,) = V2().event(event, Viewer("agent"), 1)
    assert json.loads(native)["data"]["content"] == "c2VhbGVk"


def test_a_text_that_looks_like_the_time_is_left_alone() -> None:
    """The time of `user_message` is spliced into what was encoded; what people write stays as it is."""
    text = f'"timestamp":"{WHEN}"'
    event = make(MessagePosted, content=text, created_at=WHEN, conversation_seq=7, metadata={"timestamp": WHEN})
    (_, flat) = (json.loads(raw) for raw in V1(v1.AGENT).event(event, Viewer("agent"), 1))
    assert (flat["type"], flat["content"], flat["metadata"]) == ("user_message", text, {"timestamp": WHEN})
    assert (flat["timestamp"], flat["created_at"]) == (WHEN.replace("Z", "007Z"), WHEN)


@pytest.mark.parametrize("letter", ["x", "\n", "\x01", "é", "👋"])
def test_an_answer_that_would_be_too_long_for_a_client_is_cut_and_shows_it(letter: str) -> None:
    """No frame above 900 KiB, also where a form holds the text twice; what fits is whole."""
    for profile in PROFILES:
        for viewer in viewers_of(profile):
            for count in (60_000, 524_288):
                for frame in V1(profile).event(posted(sender_type="agent", content=letter * count), viewer, None):
                    assert len(frame) < 900 * 1024
                    content = json.loads(frame).get("data", json.loads(frame))["content"]
                    is_whole = len(json.dumps(letter * count, ensure_ascii=False).encode()) <= v1.MAX_CONTENT_BYTES
                    assert (content == letter * count) == is_whole
                    assert is_whole or (content.startswith(letter * 60_000) and content.endswith("[…]"))
