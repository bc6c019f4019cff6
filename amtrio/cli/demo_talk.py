"""What the demo agent says to what, as a list of steps: the same message gets the same ones, but for the time of day.

Pure. Knows nothing of runs and of time; `demo_agent` takes the steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from amtrio.client import Attachment, Option, PlanItem, SlashCommand
from amtrio.clock import MICROS_PER_SECOND

# `/count 100` is a joke; `/count 100000` is an attack on the reader.
_COUNT_AT_MOST = 20
# Below a million no sequence takes more than 524 steps: an output to scroll, not to drown in.
_COLLATZ_AT_MOST = 999_999
# Nobody stops it for so many sentences: half an hour. A run may hold 512 KiB.
ENDLESS_SENTENCES: Final = 500
# A text of more is not looked at for the sake of its first line, bytes; and that has an end, characters.
_READ_AT_MOST = 100_000
_LINE_AT_MOST = 80

COMMANDS: Final = (
    SlashCommand("help", "shows what I understand"),
    SlashCommand("think", "thinks aloud which of the words is the longest", "[WORDS]"),
    SlashCommand("tool", "runs a tool that shows its output", "[NUMBER]"),
    SlashCommand("plan", "makes a plan and follows it"),
    SlashCommand("ask", "asks you something, with buttons"),
    SlashCommand("endless", "writes until you stop it; say something into it meanwhile"),
    SlashCommand("time", "tells the time"),
    SlashCommand("count", "counts, one message each", "NUMBER"),
    SlashCommand("typing", "types for a while before it answers"),
    SlashCommand("busy", "says for ten seconds what it is busy with"),
    SlashCommand("long", "answers at length"),
    SlashCommand("file", "hands you a file, with what you say in it", "[TEXT]"),
    SlashCommand("echo", "says what you said", "TEXT"),
    SlashCommand("quote", "replies to your message, quoting it"),
)

_GREETING: Final = """Hello! I am the **demo agent** of this server. I understand a few commands: try `/help`.

I am a few hundred lines of Python on top of `amtrio.client`, so your own agent can do all that I do."""

_LONG: Final = """# A long answer

Long answers show how the client scrolls, wraps and renders *Markdown*.

1. Your message was stored before I saw it.
2. You see this while I write it; I could be stopped at any word.
3. When I am done, all of it is one message, stored as well.

```python
@agent.on_message
async def reply(message: Incoming, run: Run) -> None:
    async for token in model(message.content):
        await run.write(token)
```

> A hole is never silent: from the numbers alone a client knows that it has everything.

| what happens | what you see |
|---|---|
| the server restarts | a short pause, then the answer goes on |
| your network drops | the same |
| you write meanwhile | your message waits until I am done |"""


@dataclass(frozen=True, slots=True)
class Say:
    """A text, word by word."""

    text: str


@dataclass(frozen=True, slots=True)
class Send:
    """A message of its own."""

    text: str
    after_s: float = 0.7


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds in which nothing is said; with a line that says what is going on."""

    seconds: float
    status: str = ""


@dataclass(frozen=True, slots=True)
class Think:
    """Thoughts, word by word."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool: what it prints, line by line, and what comes out; `error` if it fails."""

    name: str
    title: str
    arguments: Mapping[str, object]
    lines: Sequence[str]
    result: Mapping[str, object] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan as it is from now on."""

    items: Sequence[PlanItem]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question; what to do then depends on the option chosen, or on its being closed or expired."""

    text: str
    options: Sequence[Option]
    then: Mapping[str, Sequence[Step]]
    otherwise: Sequence[Step]


@dataclass(frozen=True, slots=True)
class GoOn:
    """Write about something until stopped; about something else once somebody says so."""

    topic: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """A text file, and what is said of it."""

    filename: str
    text: str
    said: str


@dataclass(frozen=True, slots=True)
class Read:
    """The first line of a file that was sent."""

    file: Attachment


Step = Say | Send | Wait | Think | Call | Plan | Ask | GoOn | HandOver | Read


def plan(content: str, conversation_seq: int, now_us: int, files: Sequence[Attachment] = ()) -> list[Step]:
    """
    What to do about a message, in order.

    Args:
        content: may be empty beside files.
        conversation_seq: its number in the conversation; the first one is greeted.
        now_us: microseconds since 1970 UTC.
    """
    text = content.strip()
    before: list[Step] = [Say(_GREETING + "\n\n")] if conversation_seq == 1 else []
    if files:
        before += [Wait(0.5), Say(_files(files)), *([Read(files[0])] if _is_read(files) else [])]
        before += [Say("\n\n")] if text else []
    if files and not text:
        return before
    word, _, rest = text.partition(" ")
    if not word.startswith("/"):
        return [*before, Wait(0.5), Say(_talk(content))]
    return [*before, *_command(word.lower(), rest.strip(), now_us)]


def help_text() -> str:
    lines = [f"- `/{' '.join(filter(None, (each.name, each.arguments)))}` {each.description}" for each in COMMANDS]
    return "\n".join(["**Commands**", "", *lines, "", "Anything else gets an answer too, and so do files."])


def words(text: str) -> list[str]:
    """A text in the pieces in which it is written: words with the space behind them."""
    return re.findall(r"\s*\S+\s*|\s+", text)


def endless_sentence(number: int, topic: str) -> str:
    """The sentence of this number, from 1."""
    verbs = ("goes on", "has no end", "is worth another sentence", "can be looked at from another side")
    return f"{number}. {topic[:1].upper()}{topic[1:]} {verbs[number % len(verbs)]}.\n"


def _command(word: str, rest: str, now_us: int) -> Sequence[Step]:
    match word:
        case "/count":
            return _count(rest)
        case "/think":
            return _think(rest)
        case "/tool":
            return _tool(rest)
        case "/plan":
            return _plan(now_us)
        case "/ask":
            return _ask()
    commands: dict[str, Sequence[Step]] = {
        "/help": [Say(help_text())],
        "/time": [Say(f"It is **{datetime.fromtimestamp(now_us / MICROS_PER_SECOND, UTC):%H:%M:%S}** UTC.")],
        "/typing": [Wait(7.0), Say("That was about seven seconds of typing.")],
        "/busy": [
            Wait(5.0, "counting sheep"),
            Wait(5.0, "counting them again"),
            Say("I was busy for ten seconds and am back."),
        ],
        "/long": [Wait(1.0), Say(_LONG)],
        "/file": [HandOver("demo.txt", f"{rest or 'Nothing was said.'}\n", "Here is your file.")],
        "/echo": [Say(rest or "(nothing to echo)")],
        "/quote": [Say(f"> {f'{word} {rest}'.strip()}\n\nThis is a reply to your message.")],
        "/endless": [
            Say("I write until you stop me. Say something into it, and I write about that.\n\n"),
            GoOn("this answer"),
        ],
    }
    return commands.get(word, [Say(f"I do not know `{word[:40]}`. Try `/help`.")])


def _talk(content: str) -> str:
    count = len(content.split())
    if content.rstrip().endswith("?"):
        return "Good question. I am only a demo, but a real agent would *think* now. Try `/think`."
    return f"You wrote {count} word{'' if count == 1 else 's'}. I heard you: every one of them is stored."


def first_line(content: bytes) -> str:
    """What is said of a text that was read."""
    line = content.decode(errors="replace").strip().partition("\n")[0].strip()[:_LINE_AT_MOST].replace("`", "'")
    return f" It begins with `{line}`." if line else " There is nothing in it."


def _is_read(files: Sequence[Attachment]) -> bool:
    return len(files) == 1 and files[0].content_type.startswith("text/") and files[0].size <= _READ_AT_MOST


def _files(files: Sequence[Attachment]) -> str:
    if _is_read(files):
        return f"I received {_file(files[0])}."
    if len(files) == 1:
        return f"I received {_file(files[0])}. A real agent would open it now."
    return "\n".join([f"I received {len(files)} files:", "", *(f"- {_file(each)}" for each in files)])


def _file(file: Attachment) -> str:
    # In Markdown nothing but a backtick ends what stands between backticks.
    name = file.filename.replace("`", "'")
    picture = f", {file.width} x {file.height} pixels" if file.width and file.height else ""
    return f"`{name}` ({file.content_type}, {_size(file.size)}{picture})"


def _size(size_bytes: int) -> str:
    """In powers of 1000, as clients show it."""
    for unit, unit_bytes in (("MB", 1_000_000), ("kB", 1000)):
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f} {unit}"
    return f"{size_bytes} byte{'' if size_bytes == 1 else 's'}"


def _count(rest: str) -> Sequence[Step]:
    if not rest.isdecimal() or not 1 <= int(rest[:6]) <= _COUNT_AT_MOST:
        return [Say(f"`/count N` takes a number from 1 to {_COUNT_AT_MOST}.")]
    return [Send(str(number)) for number in range(1, int(rest) + 1)]


def _think(rest: str) -> Sequence[Step]:
    given = rest.split() or ["Which", "of", "these", "words", "is", "the", "longest"]
    thoughts, longest = ["I look at one word after the other and keep the longest.\n"], ""
    for word in given:
        is_longer = len(word) > len(longest)
        thoughts.append(f"{word} has {len(word)}{', the longest so far' if is_longer else ''}.\n")
        longest = word if is_longer else longest
    return [
        Think("Measuring words", "".join(thoughts)),
        Say(f"The longest word is **{longest}**, with {len(longest)} characters."),
    ]


def _tool(rest: str) -> Sequence[Step]:
    if rest and not (rest.isdecimal() and 1 <= int(rest[:7]) <= _COLLATZ_AT_MOST):
        return [
            Call("collatz", "Collatz sequence", {"start": rest[:40]}, (), error="that is no number I can start from"),
            Say(f"`/tool N` takes a number from 1 to {_COLLATZ_AT_MOST:,}."),
        ]
    start = int(rest or 27)
    sequence = list(_collatz(start))
    lines = [f"{before} {'/ 2' if before % 2 == 0 else '* 3 + 1'} = {after}\n" for before, after in pairwise(sequence)]
    result = {"steps": len(lines), "highest": max(sequence)}
    return [
        Say(f"I halve {start:,} when it is even, else I triple it and add one, until it is 1."),
        Call("collatz", f"Collatz sequence of {start:,}", {"start": start}, lines, result),
        Say(f"It took **{len(lines)} steps** and went as high as {max(sequence):,}."),
    ]


def _collatz(number: int) -> Iterator[int]:
    yield number
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        yield number


def _plan(now_us: int) -> Sequence[Step]:
    now = datetime.fromtimestamp(now_us / MICROS_PER_SECOND, UTC)
    passed = now.timetuple().tm_yday
    total = datetime(now.year, 12, 31, tzinfo=UTC).timetuple().tm_yday
    stages = (
        ("Look at the calendar", f"Today is {now:%A}, {now:%d.%m.%Y}."),
        ("Count the days", f"This is day {passed} of {total}."),
        ("Say how much of the year is left", f"So **{total - passed} days** of {now.year} are left."),
    )
    steps: list[Step] = [Say("First a plan.")]
    for at, (_, said) in enumerate(stages):
        steps += [_progress([text for text, _ in stages], at), Wait(0.8), Say(f"{said}\n\n")]
    return [*steps, _progress([text for text, _ in stages], len(stages)), Say("All done.")]


def _progress(texts: Sequence[str], at: int) -> Plan:
    """What is before `at` is done, what is there goes on."""
    return Plan(
        [
            PlanItem(text, "done" if place < at else "running" if place == at else "pending")
            for place, text in enumerate(texts)
        ]
    )


def _ask() -> Sequence[Step]:
    return [
        Say("I need to know something first.\n\n"),
        Ask(
            "Shall I tell you the **short** or the **long** version?",
            (
                Option(id="short", label="The short one", style="primary"),
                Option(id="long", label="The long one", description="with a list"),
                Option(id="none", label="Neither", style="danger"),
            ),
            {
                "short": [Say("Short: you pressed a button, and I went on from where I was.")],
                "long": [
                    Say(
                        "Long:\n\n1. My question was a message with options.\n"
                        "2. My answer waited, and was shown as it stood.\n"
                        "3. You chose, on whichever device you like; the first choice counts."
                    )
                ],
                "none": [Say("As you like. Then I have nothing to add.")],
            },
            [Say("You did not choose, so I go on without.")],
        ),
    ]
