"""Who is connected, and how each event reaches them: once, in order, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass, field

from amtrio.context import Status
from amtrio.fanout.hub import MAX_REMEMBERED, Hub, Outgoing, sender_of
from amtrio.features.presence import StatusChanged
from amtrio.features.typing_sign import Typing
from amtrio.protocol.frames import Event, Gone
from amtrio.store.database import Committed

WRITING = Typing(conversation_id="c", sender_type="agent", sender_id="x", agent_id="x", typing=True)


@dataclass(eq=False)
class Ear:
    """A session that writes down what it hears."""

    account: str
    login_session: str = "s1"
    since_us: int = 5
    unconfirmed: int = 3
    offered: list[tuple[Event, int]] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    is_ended: bool = False
    outgoing: list[Outgoing] = field(default_factory=list)

    def offer(self, outgoing: Outgoing, seq: int, /) -> None:
        self.offered.append((outgoing.event, seq))
        self.outgoing.append(outgoing)

    def tell(self, outgoing: Outgoing, /) -> bool:
        self.told.append(outgoing.event)
        return True

    def end_login(self) -> None:
        self.is_ended = True


def hub() -> tuple[Hub, list[Event], list[tuple[str, bool]]]:
    heard: list[Event] = []
    changes: list[tuple[str, bool]] = []
    made = Hub(now=lambda: 0.0, heard=heard.append, presence_changed=lambda who, online: changes.append((who, online)))
    return made, heard, changes


def committed(event: Event, *seqs: tuple[str, int]) -> Committed:
    return Committed(event, "phone", 1, seqs)


def test_an_event_reaches_every_socket_of_its_accounts_with_their_own_number() -> None:
    made, heard, _ = hub()
    phone, laptop, agent, stranger = Ear("u:1"), Ear("u:1"), Ear("a:x"), Ear("u:2")
    for ear in (phone, laptop, agent, stranger):
        made.attach(ear)
    first, second = Gone(), Gone()
    made.publish([committed(first, ("u:1", 7), ("a:x", 3)), committed(second, ("u:1", 8))])
    assert phone.offered == laptop.offered == [(first, 7), (second, 8)]
    assert agent.offered == [(first, 3)]
    assert stranger.offered == []
    assert heard == [first, second]
    assert phone.outgoing[0] is laptop.outgoing[0], "bytes are made once for all"


def test_a_session_may_leave_while_it_is_told() -> None:
    """A closing socket among many does not cost the others the event."""
    made, _, _ = hub()

    class Leaver(Ear):
        def offer(self, outgoing: Outgoing, seq: int, /) -> None:
            super().offer(outgoing, seq)
            made.detach(self)

    ears = [Leaver("u:1"), Ear("u:1"), Leaver("u:1"), Ear("u:1")]
    for ear in ears:
        made.attach(ear)
    made.publish([committed(Gone(), ("u:1", 1)), committed(Gone(), ("u:1", 2))])
    assert [len(ear.offered) for ear in ears] == [1, 2, 1, 2]


def test_presence_changes_with_the_first_and_the_last_socket() -> None:
    made, _, changes = hub()
    phone, laptop = Ear("u:1"), Ear("u:1", since_us=9)
    made.attach(phone)
    made.attach(laptop)
    assert (made.is_online("u:1"), made.connections("u:1"), made.connected_since_us("u:1")) == (True, 2, 5)
    assert made.unconfirmed() == 6
    made.detach(phone)
    made.detach(phone)
    made.detach(laptop)
    assert changes == [("u:1", True), ("u:1", False)]
    assert (list(made.online()), made.connections("u:1"), made.connected_since_us("u:1")) == ([], 0, None)


def test_a_status_lives_as_long_as_a_socket() -> None:
    made, _, _ = hub()
    made.set_status("u:1", Status("busy"))
    assert made.status("u:1") == Status("offline")
    ear = Ear("u:1")
    made.attach(ear)
    assert made.status("u:1") == Status("online")
    made.set_status("u:1", Status("busy", "writing"))
    assert made.status("u:1") == Status("busy", "writing")
    made.detach(ear)
    made.attach(ear)
    assert made.status("u:1") == Status("online")


def test_ephemeral_events_reach_whom_they_name() -> None:
    made, heard, _ = hub()
    phone, agent = Ear("u:1"), Ear("a:x")
    made.attach(phone)
    made.attach(agent)
    made.tell(WRITING, ["u:1", "u:nobody"])
    assert (phone.told, agent.told, heard) == ([WRITING], [], [WRITING])


def test_the_end_of_a_login_reaches_its_sockets_alone() -> None:
    made, _, _ = hub()
    ended, other = Ear("u:1", "s1"), Ear("u:1", "s2")
    made.attach(ended)
    made.attach(other)
    made.end_sessions({"s1", "s9"})
    assert (ended.is_ended, other.is_ended) == (True, False)


def test_senders_are_accounts() -> None:
    """A person's id and an agent's of the same text are two."""
    assert sender_of(WRITING) == "a:x"
    assert sender_of(StatusChanged(sender_type="client", sender_id="x", status="busy")) == "u:x"
    assert sender_of(Gone()) is None


def test_whoever_attaches_learns_whether_its_log_grew_meanwhile() -> None:
    """What was published between reading the head and attaching must not be missed; other accounts do not count."""
    made, _, _ = hub()
    moment = made.moment()
    made.publish([committed(Gone(), ("u:2", 9))])
    assert not made.may_have_grown("u:1", 7, moment)
    made.publish([committed(Gone(), ("u:1", 8))])
    assert made.may_have_grown("u:1", 7, moment)
    assert not made.may_have_grown("u:1", 8, moment)


def test_what_was_forgotten_counts_as_grown() -> None:
    """Memory is bounded, and forgetting errs on the safe side."""
    made, _, _ = hub()
    moment = made.moment()
    made.publish([committed(Gone(), *((f"u:{number}", 1) for number in range(MAX_REMEMBERED + 1)))])
    assert not made.may_have_grown("u:x", 7, moment)
    made.publish([committed(Gone(), ("u:1", 2))])
    assert made.may_have_grown("u:x", 7, moment)
    assert not made.may_have_grown("u:x", 7, made.moment())
