"""What a dialect makes of an event or an answer, read back strictly."""

from __future__ import annotations

import json
from typing import Any

from amtrio.model.posting import MessageSent
from amtrio.protocol import v1
from amtrio.protocol.dialects import Dialect, Viewer
from amtrio.protocol.frames import Event
from amtrio.protocol.v1 import Profile
from tests.protocol.events import WHEN

Json = dict[str, Any]

PROFILES = [each for each in vars(v1).values() if isinstance(each, Profile)]
VIEWERS = [Viewer(kind, own, same) for kind in ("user", "agent") for own, same in ((0, 0), (1, 0), (1, 1))]  # type: ignore[arg-type]  # 0 and 1 are truth values


def strictly(raw: bytes) -> Json:
    """One JSON object, in which no key stands twice."""

    def unique(pairs: list[tuple[str, Any]]) -> Json:
        assert len({key for key, _ in pairs}) == len(pairs), f"a key stands twice in {raw!r}"
        return dict(pairs)

    parsed: Json = json.loads(raw, object_pairs_hook=unique)
    return parsed


def told(dialect: Dialect, event: Event, viewer: Viewer, seq: int | None = None) -> list[Json]:
    return [strictly(raw) for raw in dialect.event(event, viewer, seq)]


SENT = MessageSent(
    message_id="msg_1", conversation_id="conv_1", conversation_seq=4, user_id="user_1", agent_id="helper",
    created_at=WHEN, client_id="client-id-0123456789",
)  # fmt: skip


def replied(dialect: Dialect, reply: Any, word: str, *, ref: bytes | None = None, is_delivered: bool = False) -> Any:
    return [strictly(raw) for raw in dialect.reply(reply, ref, word=word, is_delivered=is_delivered)]
