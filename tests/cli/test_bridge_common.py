"""Options that all bridges share."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from amtrio.cli.bridge_common import common_of, fields_of, read, say, split


def test_further_fields_are_json_where_they_can_be() -> None:
    """
    Numbers, lists and truths as such; the rest is text. A value may hold the sign itself.
    """
    given = ["temperature=0.5", 'stop=["END"]', "think=false", "user=me", "a=b=c", 'name="7"']
    assert fields_of(given) == {
        "temperature": 0.5,
        "stop": ["END"],
        "think": False,
        "user": "me",
        "a": "b=c",
        "name": "7",
    }


@pytest.mark.parametrize("text", ["temperature", "=1", " =1"])
def test_a_field_needs_a_name_and_a_sign(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The sentence shows what was given.
    """
    with pytest.raises(typer.Exit) as caught:
        split(text, "=", "--set")
    assert caught.value.exit_code == 2
    assert f"--set wants NAME=VALUE, not {text!r}" in capsys.readouterr().err


def test_a_file_is_read_without_the_space_round_it(tmp_path: Path) -> None:
    """
    What is no text is refused.
    """
    path = tmp_path / "token"
    path.write_text(" agt_1\n")
    assert read(path) == "agt_1"
    path.write_bytes(b"\xff")
    with pytest.raises(typer.Exit):
        read(path)


def test_a_credential_from_a_file_counts_more(tmp_path: Path) -> None:
    """
    Than one that lies in the environment.
    """
    (tmp_path / "token").write_text("agt_file\n")
    common = common_of("http://x", "demo", "agt_environment", tmp_path / "token", "Demo", tmp_path, 4)
    assert (common.identity.token, common.identity.concurrency) == ("agt_file", 4)
    assert common.card("attachments", model="m").fields()["supports"] == ["stop", "queue", "questions", "attachments"]
    assert (common.card().name, common.card(model="m").model) == ("Demo", "m")


def test_what_programs_say_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Escape sequences come out harmless.
    """
    say("\x1b[2Jgone\r\x07 é")
    assert capsys.readouterr().out == " [2Jgone   é\n"
