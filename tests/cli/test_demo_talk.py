"""What the demo agent says to what."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from amtrio.cli.demo_talk import (
    COMMANDS,
    Ask,
    Call,
    GoOn,
    HandOver,
    Plan,
    Read,
    Say,
    Send,
    Think,
    Wait,
    endless_sentence,
    first_line,
    help_text,
    plan,
    words,
)
from amtrio.client import Attachment

NOON_US = 1_795_348_800_000_000  # 2026-11-22T12:00:00Z


def steps(content: str, conversation_seq: int = 2) -> list[object]:
    return list(plan(content, conversation_seq, NOON_US))


def said(content: str, conversation_seq: int = 2, files: Sequence[Attachment] = ()) -> list[str]:
    return [step.text for step in plan(content, conversation_seq, NOON_US, files) if isinstance(step, Say)]


def test_every_command_of_the_card_is_known_and_in_the_help() -> None:
    """
    The card, the help and the answers are of one list.
    """
    for command in COMMANDS:
        assert f"`/{command.name}" in help_text()
        assert "I do not know" not in str(steps(f"/{command.name}"))
    assert said("/nonsense") == ["I do not know `/nonsense`. Try `/help`."]


def test_plain_answers_are_made_from_the_message_alone() -> None:
    """
    But for the time of day.
    """
    assert said("/help") == [help_text()]
    assert said("/time") == ["It is **12:00:00** UTC."]
    assert said("/echo one  two") == ["one  two"]
    assert said("hello there") == ["You wrote 2 words. I heard you: every one of them is stored."]
    assert "question" in said("why?")[0]
    assert "```python" in said("/long")[0]
    assert said("/quote this") == ["> /quote this\n\nThis is a reply to your message."]


def test_counting_is_several_messages() -> None:
    """
    One each, and never very many.
    """
    assert [step.text for step in steps("/count 3") if isinstance(step, Send)] == ["1", "2", "3"]
    assert said("/count many") == said("/count 21") == ["`/count N` takes a number from 1 to 20."]


def test_busy_says_what_it_is_busy_with() -> None:
    """
    For ten seconds, then there is a word about it.
    """
    waits = [step for step in steps("/busy") if isinstance(step, Wait)]
    assert sum(step.seconds for step in waits) == 10
    assert all(step.status for step in waits)


def test_the_first_message_of_a_conversation_is_greeted() -> None:
    """
    Greeting first, then the answer.
    """
    greeting, answer = said("hi", conversation_seq=1)
    assert "demo agent" in greeting
    assert answer.startswith("You wrote 1 word.")


def test_files_are_named_with_their_type_and_size() -> None:
    """
    One in a sentence, several in a list; then what was written beside them is answered, commands too.
    """
    note = Attachment(attachment_id="a1", filename="`odd` note.txt", content_type="text/plain", size=1)
    photo = Attachment(
        attachment_id="a2", filename="photo.png", content_type="image/png", size=48_151, width=640, height=480
    )
    film = Attachment(attachment_id="a3", filename="film.mp4", content_type="video/mp4", size=12_340_000)
    assert said("", files=[note]) == ["I received `'odd' note.txt` (text/plain, 1 byte)."]
    assert said("", files=[photo, film]) == [
        "I received 2 files:\n\n- `photo.png` (image/png, 48.2 kB, 640 x 480 pixels)\n- `film.mp4` (video/mp4, 12.3 MB)"
    ]
    assert said("", files=[film])[0].endswith("A real agent would open it now.")
    assert said("/echo with words", files=[film])[2] == "with words"
    assert "You wrote 2 words" in said("look here", files=[film])[2]
    assert "demo agent" in said("", 1, files=[film])[0]


def test_one_text_is_read_and_a_file_is_made() -> None:
    """
    Not a long one, nor other kinds; in what is said of it, nothing ends the code that it stands in.
    """
    note = Attachment(attachment_id="a1", filename="note.txt", content_type="text/plain", size=100_000)
    assert [step.file for step in plan("", 2, NOON_US, [note]) if isinstance(step, Read)] == [note]
    longer = Attachment(attachment_id="a1", filename="note.txt", content_type="text/plain", size=100_001)
    for files in ([longer], [note, note], [Attachment(attachment_id="a2", filename="a.png", size=1)]):
        assert not any(isinstance(step, Read) for step in plan("", 2, NOON_US, files))
    assert first_line(b"\n  a `line`\r\nanother") == " It begins with `a 'line'`."
    assert first_line(b"\xff\xfe" + b"x" * 100) == f" It begins with `\ufffd\ufffd{'x' * 78}`."
    assert first_line(b" \n") == " There is nothing in it."
    (made,) = steps("/file some words")
    assert made == HandOver("demo.txt", "some words\n", "Here is your file.")


def test_thoughts_lead_to_the_answer() -> None:
    """
    What is thought is about the words given, and what is said follows from it.
    """
    thoughts, answer = steps("/think a bb cc")
    assert isinstance(thoughts, Think)
    assert isinstance(answer, Say)
    assert "bb has 2, the longest so far" in thoughts.text
    assert "**bb**" in answer.text


def test_the_tool_prints_as_it_goes_and_has_a_result() -> None:
    """
    3, 10, 5, 16, 8, 4, 2, 1; what cannot be computed is a tool that failed.
    """
    (call,) = (step for step in steps("/tool 3") if isinstance(step, Call))
    assert call.lines[0] == "3 * 3 + 1 = 10\n"
    assert call.result == {"steps": 7, "highest": 16}
    for wrong in ("0", "x", "9999999"):
        (call,) = (step for step in steps(f"/tool {wrong}") if isinstance(step, Call))
        assert (call.error != "", call.result) == (True, None)


def test_the_plan_is_done_one_by_one_with_text_between() -> None:
    """
    One step is running at a time, and in the end all are done.
    """
    plans = [step for step in steps("/plan") if isinstance(step, Plan)]
    states = [[item.state for item in each.items] for each in plans]
    assert states == [
        ["running", "pending", "pending"],
        ["done", "running", "pending"],
        ["done", "done", "running"],
        ["done", "done", "done"],
    ]
    assert "day 326 of 365" in "".join(said("/plan"))
    assert "**39 days**" in "".join(said("/plan"))


def test_the_question_has_a_way_on_for_every_answer() -> None:
    """
    And for none.
    """
    (ask,) = (step for step in steps("/ask") if isinstance(step, Ask))
    assert {option.id for option in ask.options} == set(ask.then)
    assert len({str(way) for way in ask.then.values()} | {str(ask.otherwise)}) == 4


def test_the_endless_answer_stays_with_its_topic() -> None:
    """
    Numbered, with the topic in it.
    """
    assert isinstance(steps("/endless")[-1], GoOn)
    assert endless_sentence(7, "soup").startswith("7. Soup ")


@given(st.text())
def test_words_are_the_whole_text(text: str) -> None:
    """
    What is written word by word is what was to be said.
    """
    assert "".join(words(text)) == text
