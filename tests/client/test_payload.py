"""Text and files as one text, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amtrio.client import Attachment, SealedAttachment, Unreadable
from amtrio.client.envelope import MAX_TEXT_BYTES, spelt
from amtrio.client.payload import packed, parcels, unpacked

KEY = spelt(bytes(range(32)))


def file(number: int = 1, **fields: Any) -> SealedAttachment:
    said = {"filename": f"{number}.png", "content_type": "image/png", "size": 7, "width": 4, "height": 3, **fields}
    return SealedAttachment(attachment_id=f"att_{number}", key=KEY, **said)


def stored(number: int = 1) -> Attachment:
    return Attachment(attachment_id=f"att_{number}", filename="encrypted", size=23, url=f"/attachments/att_{number}")


def test_what_was_packed_is_unpacked() -> None:
    """
    Of the server's word only the address stays.
    """
    text, files, missing = unpacked(packed("Grüße", [file(), file(2, width=None, height=None)]), [stored(2), stored()])
    assert (text, missing) == ("Grüße", [])
    assert files == [
        file(url="/attachments/att_1"),
        file(2, width=None, height=None, url="/attachments/att_2"),
    ]


def test_files_that_are_not_named_are_ignored_and_those_that_are_not_there_are_told() -> None:
    """
    A server can neither bring a file in nor hide that it took one away.
    """
    text, files, missing = unpacked(packed("", [file(1), file(2)]), [stored(3), stored(1)])
    assert ([each.attachment_id for each in files], missing, text) == (["att_1"], ["2.png"], "")


def test_what_a_later_program_adds_is_ignored() -> None:
    """
    Fields of the payload and of a file.
    """
    said = json.loads(packed("hi", [file()]))
    said["mood"] = "good"
    said["files"][0]["duration"] = 3
    assert unpacked(json.dumps(said), [stored()])[1] == [file(url="/attachments/att_1")]


@pytest.mark.parametrize(
    "change",
    [
        {"text": None},
        {"files": None},
        {"files": {}},
        *(
            {"files": [{"attachment_id": "att_1", "key": KEY, "name": "n", "media_type": "t", "size": 1, **bad}]}
            for bad in ({"key": "short"}, {"key": 7}, {"size": -1}, {"size": "1"}, {"width": 0}, {"name": None})
        ),
    ],
)
def test_what_is_none_is_known_as_such(change: dict[str, Any]) -> None:
    """
    Whatever the other side's program may say.
    """
    said = {"text": "hi", "files": [], **change}
    with pytest.raises(Unreadable, match="malformed"):
        unpacked(json.dumps(said), [stored()])
    with pytest.raises(Unreadable, match="malformed"):
        unpacked("no JSON", [])


def test_files_go_with_the_end_of_the_text_ten_at_a_time() -> None:
    """
    By themselves if the text leaves no room for them.
    """
    files = [file(number) for number in range(12)]
    found = parcels("short", files)
    assert [(text, len(group)) for text, group in found] == [("short", 10), ("", 2)]
    assert [(text, len(group)) for text, group in parcels("", files[:1])] == [("", 1)]
    assert parcels("short") == [("short", ())]
    assert parcels("") == []
    longest = "x" * MAX_TEXT_BYTES
    assert [(len(text), len(group)) for text, group in parcels(longest + "end", files)] == [
        (MAX_TEXT_BYTES, 0),
        (3, 10),
        (0, 2),
    ]
    assert [(len(text), len(group)) for text, group in parcels(longest, files[:1])] == [(MAX_TEXT_BYTES, 0), (0, 1)]
