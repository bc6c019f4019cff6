"""Updates of the Agent Client Protocol, from shapes as programs send them."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amtrio.bridges.updates import Picture, Updates, permission, slash_commands
from amtrio.client import SlashCommand


def chunk(text: str, message_id: str | None = None) -> dict[str, Any]:
    return {
        "sessionUpdate": "agent_message_chunk",
        "content": {"type": "text", "text": text},
        **({"messageId": message_id} if message_id else {}),
    }


def tool(**fields: Any) -> dict[str, Any]:
    return {"sessionUpdate": "tool_call_update", "toolCallId": "t1", **fields}


def output(text: str) -> dict[str, Any]:
    return {"type": "content", "content": {"type": "text", "text": text}}


def test_another_message_of_the_same_answer_is_a_paragraph() -> None:
    """
    Programs that number their messages send several in one turn.
    """
    updates = Updates()
    told = [updates.read(each) for each in (chunk("One", "a"), chunk("!", "a"), chunk("Two", "b"), chunk("?"))]
    assert [each[0]["text"] for each in told if not isinstance(each[0], Picture)] == ["One", "!", "\n\nTwo", "?"]


def test_content_of_other_kinds_is_shown_as_markdown() -> None:
    """
    Links, embedded texts, pictures; sounds are not.
    """
    updates = Updates()
    for content, expected in (
        ({"type": "resource_link", "name": "a.py", "uri": "file:///a.py"}, "[a.py](file:///a.py)"),
        ({"type": "resource", "resource": {"uri": "x", "text": "inside"}}, "inside"),
    ):
        assert updates.read({"sessionUpdate": "agent_message_chunk", "content": content}) == [
            {"type": "text", "text": expected}
        ]
    picture = {"type": "image", "data": "AA==", "mimeType": "image/webp"}
    assert updates.read({"sessionUpdate": "agent_message_chunk", "content": picture}) == [Picture("AA==", "image/webp")]
    assert updates.read({"sessionUpdate": "agent_message_chunk", "content": {"type": "audio", "data": "AA=="}}) == []


def test_output_that_is_repeated_is_told_once() -> None:
    """
    It grows, stays, or is another; then it follows on a line of its own.
    """
    updates = Updates()
    texts = [
        updates.read(tool(content=[output(text)]))[0]["text"]  # type: ignore[index]
        for text in ("one", "one\ntwo", "one\ntwo", "three", "")
    ]
    assert texts == ["one", "\ntwo", "", "\nthree", ""]


def test_a_new_file_is_a_diff_from_nothing() -> None:
    """
    As git shows it.
    """
    (told,) = Updates().read(tool(content=[{"type": "diff", "path": "a.py", "newText": "x = 1\n"}]))
    assert not isinstance(told, Picture)
    assert told["text"].splitlines() == ["--- /dev/null", "+++ a.py", "@@ -0,0 +1 @@", "+x = 1"]


def test_only_what_changed_about_a_tool_is_told() -> None:
    """
    Its places and its output come together, however they arrive.
    """
    updates = Updates()
    updates.read(tool(sessionUpdate="tool_call", title="Read", kind="read", status="pending"))
    assert updates.title("t1") == "Read"
    (told,) = updates.read(tool(title="Read", status="completed", rawOutput="x"))
    assert told == {"type": "tool", "id": "t1", "state": "done", "result": {"output": "x"}, "text": ""}
    (told,) = updates.read(tool(locations=[{"path": "/a", "line": None}]))
    assert told == {"type": "tool", "id": "t1", "result": {"output": "x", "locations": [{"path": "/a"}]}, "text": ""}
    assert updates.end() == []


def test_tools_that_are_left_have_failed() -> None:
    """
    Nobody will tell of them any more.
    """
    updates = Updates()
    updates.read(tool(status="in_progress"))
    assert updates.end() == [{"type": "tool", "id": "t1", "state": "failed"}]


def test_what_is_too_long_is_cut() -> None:
    """
    A tool may read a whole file.
    """
    (told,) = Updates().read(tool(rawOutput={"text": "x" * 100_000}, content=[output("y" * 100_000)]))
    assert not isinstance(told, Picture)
    assert (len(told["result"]["output"]), len(told["text"])) == (12_001, 12_000)


def test_usage_is_kept() -> None:
    """
    The newest figures count.
    """
    updates = Updates()
    updates.read({"sessionUpdate": "usage_update", "used": 1, "size": 9})
    updates.read({"sessionUpdate": "usage_update", "used": 2, "cost": {"amount": 0.1, "currency": "USD"}})
    assert updates.usage == {"used": 2, "size": 9, "cost": {"amount": 0.1, "currency": "USD"}}


OPTIONS = [{"optionId": "a b", "name": "Allow", "kind": "allow_once"}, {"optionId": "c", "name": "x" * 200}]


def test_a_permission_names_what_exactly_is_asked_for() -> None:
    """
    The command, the change, else the arguments; fenced so that nothing in it ends the fence.
    """
    for call, content in (
        ({"title": "Run `ls`", "rawInput": {"command": "ls"}}, "Run `ls`"),
        ({"title": "Run", "rawInput": {"command": "ls -l"}}, "Run\n\n```\nls -l\n```"),
        (
            {"title": "Run", "rawInput": {"command": ["ls"]}, "content": [output("in /tmp")]},
            "Run\n\n```\nls\nin /tmp\n```",
        ),
        ({"title": "Ask", "rawInput": {"url": "x"}}, 'Ask\n\n```\n{\n  "url": "x"\n}\n```'),
        ({"title": "Write", "content": [output("a ```` b")]}, "Write\n\n`````\na ```` b\n`````"),
        ({}, "known"),
    ):
        asked = permission({"toolCall": call, "options": OPTIONS}, "known")
        assert asked is not None
        assert asked.content == content


def test_a_permission_does_not_hide_that_it_is_cut() -> None:
    """
    Whoever says yes should know that there is more.
    """
    asked = permission({"toolCall": {"title": "Run", "rawInput": {"command": "x" * 2000}}, "options": OPTIONS}, "")
    assert asked is not None
    assert asked.content.endswith("… and 500 more characters")


def test_options_keep_their_own_ids_apart() -> None:
    """
    Theirs may hold anything, buttons' may not.
    """
    asked = permission({"options": OPTIONS}, "")
    assert asked is not None
    assert [(option.id, option.label, option.style) for option in asked.options] == [
        ("option-0", "Allow", "primary"),
        ("option-1", "x" * 79 + "…", "default"),
    ]
    assert asked.option_ids == {"option-0": "a b", "option-1": "c"}
    assert permission({"options": []}, "") is None


def test_commands_are_told_as_a_card_can_hold_them() -> None:
    """
    Names that people can type, each once, with one line about them.
    """
    told = [
        {"name": "/web", "description": "Search\nthe web", "input": {"hint": "words"}},
        {"name": "init", "description": "x" * 300, "input": None},
        {"name": "mcp:server:tool", "description": "no name of a command"},
        {"name": "web", "description": "again"},
        {},
    ]
    assert slash_commands({"availableCommands": told}) == [
        SlashCommand("web", "again"),
        SlashCommand("init", "x" * 199 + "…"),
    ]
    many = [{"name": f"c{number}"} for number in range(200)]
    assert len(slash_commands({"availableCommands": many})) == 100


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers(),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "content type text diff entries locations path options optionId toolCall rawInput command".split()
            ),
            each,
            max_size=5,
        )
    ),
    max_leaves=20,
)
KINDS = st.sampled_from(
    "agent_message_chunk agent_thought_chunk tool_call tool_call_update plan usage_update new".split()
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=9), ANYTHING), KINDS, ANYTHING)
def test_no_shape_can_break_it(fields: dict[str, Any], kind: str, more: Any) -> None:
    """
    What programs of other versions send is passed over.
    """
    update = {**fields, "sessionUpdate": kind, "content": more, "entries": more, "locations": more, "rawInput": more}
    Updates().read(update)
    permission({"toolCall": more, "options": more, **(more if isinstance(more, dict) else {})}, "")
