"""Things that change many times a second: whole first, then each change, and whole again for who missed one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amtrio.fanout.hub import Hub, Outgoing
from amtrio.protocol.frames import Event


class Whole(Event, frozen=True, kw_only=True):
    type = "whole"
    text: str


class Added(Event, frozen=True, kw_only=True):
    type = "added"
    text: str


@dataclass(eq=False)
class Text:
    """A live thing."""

    watchers: tuple[str, ...] = ("u:1",)
    text: str = ""

    def snapshot(self) -> Event:
        return Whole(text=self.text)

    def say(self, hub: Hub, more: str) -> int:
        self.text += more
        return hub.change(self, Added(text=more))


@dataclass(eq=False)
class Screen:
    """A device that shows what it is told, unless it is busy."""

    account: str = "u:1"
    is_busy: bool = False
    shown: str | None = None
    told: list[str] = field(default_factory=list)
    login_session: str = ""
    since_us: int = 0
    unconfirmed: int = 0

    def offer(self, outgoing: Outgoing, seq: int, /) -> None: ...
    def end_login(self) -> None: ...
    def tell(self, outgoing: Outgoing, /) -> bool:
        if self.is_busy:
            return False
        event: Any = outgoing.event
        self.told.append(event.type)
        if event.type == "whole":
            self.shown = event.text
        else:
            assert self.shown is not None, "a change before the whole"
            self.shown += event.text
        return True


def hub() -> Hub:
    return Hub(now=lambda: 0.0)


def test_who_is_here_and_who_comes_sees_the_whole_and_then_each_change() -> None:
    made, text = hub(), Text()
    early, late, stranger = Screen(), Screen(), Screen("u:2")
    made.attach(early)
    made.attach(stranger)
    text.say(made, "before")
    made.show(text)
    assert text.say(made, ", a") == 1
    made.attach(late)
    assert text.say(made, ", b") == 2
    assert early.shown == late.shown == "before, a, b"
    assert (early.told, late.told, stranger.told) == (["whole", "added", "added"], ["whole", "added"], [])


def test_who_missed_a_change_is_shown_the_whole_as_soon_as_there_is_room() -> None:
    """And is told nothing in between, which would not fit."""
    made, text, slow, quick = hub(), Text(), Screen(), Screen()
    made.attach(slow)
    made.attach(quick)
    made.show(text)
    text.say(made, "a")
    slow.is_busy = True
    text.say(made, "b")
    text.say(made, "c")
    slow.is_busy = False
    text.say(made, "d")
    assert slow.shown == "a"
    slow.is_busy = True
    assert made.catch_up(), "still busy"
    slow.is_busy = False
    assert not made.catch_up()
    text.say(made, "e")
    assert slow.shown == quick.shown == "abcde"
    assert slow.told == ["whole", "added", "whole", "added"]


def test_who_was_busy_at_the_beginning_is_shown_it_later() -> None:
    made, text, screen = hub(), Text(), Screen(is_busy=True)
    made.attach(screen)
    made.show(text)
    text.say(made, "a")
    late = Screen(is_busy=True)
    made.attach(late)
    for each in (screen, late):
        each.is_busy = False
    assert not made.catch_up()
    assert screen.shown == late.shown == "a"


def test_after_its_end_nobody_is_shown_it() -> None:
    made, text, screen, busy = hub(), Text(), Screen(), Screen(is_busy=True)
    made.attach(screen)
    made.attach(busy)
    made.show(text)
    made.hide(text)
    made.hide(text)
    busy.is_busy = False
    assert not made.catch_up()
    late = Screen()
    made.attach(late)
    assert (busy.told, late.told) == ([], [])


def test_a_device_that_left_is_forgotten() -> None:
    made, text, screen = hub(), Text(), Screen(is_busy=True)
    made.attach(screen)
    made.show(text)
    made.detach(screen)
    assert not made.catch_up()


STEP = st.one_of(
    st.tuples(st.just("say"), st.integers(0, 1)),
    st.tuples(st.sampled_from(["attach", "detach", "busy", "free", "catch up"]), st.integers(0, 2)),
)


class Numbered(Text):
    """One of several live things; whatever it says begins with its number."""

    def say(self, hub: Hub, more: str) -> int:
        self.text += more
        return hub.change(self, Added(text=self.text[0] + more))


class Split(Screen):
    """Shows several things at once."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}

    def tell(self, outgoing: Outgoing, /) -> bool:
        if self.is_busy:
            return False
        event: Any = outgoing.event
        which = event.text[0]
        if event.type == "whole":
            self.texts[which] = event.text
        else:
            assert which in self.texts, "a change before the whole"
            self.texts[which] += event.text[1:]
        return True


class Room:
    """Three places for devices, and two live things."""

    def __init__(self) -> None:
        self.hub = hub()
        self.texts = Numbered(text="0"), Numbered(text="1")
        self.screens: dict[int, Split] = {}
        for text in self.texts:
            self.hub.show(text)

    def do(self, word: str, number: int, letter: str) -> None:
        screen = self.screens.get(number)
        if word == "say":
            self.texts[number].say(self.hub, letter)
        elif word == "catch up":
            self.hub.catch_up()
        elif word == "attach":
            if screen is None:
                self.screens[number] = Split()
                self.hub.attach(self.screens[number])
        elif screen is not None:
            if word == "detach":
                self.hub.detach(self.screens.pop(number))
            else:
                screen.is_busy = word == "busy"


@given(st.lists(STEP, max_size=40))
def test_in_any_order_of_everything_all_that_are_here_show_the_same_in_the_end(steps: list[tuple[str, int]]) -> None:
    room = Room()
    for count, (word, number) in enumerate(steps):
        room.do(word, number, chr(97 + count % 26))
    for screen in room.screens.values():
        screen.is_busy = False
    assert not room.hub.catch_up()
    for screen in room.screens.values():
        assert screen.texts == {text.text[0]: text.text for text in room.texts}
