"""An upload's body as a file."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtrio.errors import Malformed, TooLarge
from amtrio.media.multipart import Upload, clean_filename

BOUNDARY = "----AgentMessengerBoundary"  # that of a shipped SDK
FORM = f'multipart/form-data; boundary="{BOUNDARY}"'


def form(*parts: tuple[str, bytes], boundary: str = BOUNDARY) -> bytes:
    """A body; a part is the rest of its Content-Disposition and its value."""
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\nContent-Type: x/y\r\n\r\n".encode()
        + value
        + b"\r\n"
        for head, value in parts
    )
    return body + f"--{boundary}--\r\n".encode()


def read(body: bytes, *, content_type: str = FORM, step: int = 65_536, **how: str) -> tuple[bytes, Upload]:
    """The file of a body that comes in steps."""
    upload = Upload(content_type=content_type, **{"disposition": "", "filename": ""} | how)
    found = b"".join(piece for at in range(0, len(body), step) for piece in upload.feed(body[at : at + step]))
    upload.finish()
    return found, upload


@given(content=st.binary(max_size=300), cuts=st.lists(st.integers(0, 900), max_size=8))
def test_a_file_is_the_same_however_it_is_cut(content: bytes, cuts: list[int]) -> None:
    """Fields before and after it are found too."""
    body = form(
        ('name="conversation_id"', b"c1"), ('name="file"; filename="a b.bin"', content), ('name="message_id"', b"m")
    )
    upload = Upload(content_type=FORM, disposition="", filename="")
    edges = sorted({0, len(body), *(min(cut, len(body)) for cut in cuts)})
    found = b"".join(piece for start, stop in pairwise(edges) for piece in upload.feed(body[start:stop]))
    upload.finish()
    assert found == content
    assert upload.fields == {"conversation_id": "c1", "message_id": "m"}
    assert upload.filename == "a b.bin"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 31])
def test_what_looks_like_a_boundary_is_content(step: int) -> None:
    content = f"\r\n--{BOUNDARY[:-1]}\r\n--\r\r\n\n--{BOUNDARY}x\r\n".encode() * 3
    assert read(form(('name="file"; filename="a"', content)), step=step)[0] == content


def test_bare_bytes() -> None:
    """Named by the query, or by the header; without a name it is `file`."""
    assert read(b"abc", content_type="image/png", filename="a.png")[1].filename == "a.png"
    found, upload = read(b"abc", content_type="", disposition="attachment; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt")
    assert (found, upload.filename) == (b"abc", "grüße.txt")
    assert read(b"abc", content_type="x/y", step=1)[0] == b"abc"
    assert read(b"abc", content_type="x/y")[1].filename == "file"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b""),
        (FORM, b"nothing of the sort"),
        (FORM, form(('name="other"', b"x"))),
        (FORM, form(('name="file"', b"a field is no file"))),
        (FORM, form(('name="file"; filename="a"', b"1"), ('name="file"; filename="b"', b"2"))),
        (FORM, form(('name="file"; filename="a"', b"cut off"))[:-60]),
        (FORM, f"--{BOUNDARY}\r\nContent-Type: x/y\r\n\r\nno name\r\n--{BOUNDARY}--\r\n".encode()),
        (FORM, f"--{BOUNDARY}\r\nContent-Disposition: \xff\xfe".encode("latin-1")),
        ("multipart/form-data", form(('name="file"; filename="a"', b"x"))),
        ("multipart/form-data; boundary=" + "x" * 71, b""),
        ("application/x-www-form-urlencoded", b"file=x"),
        ("image/png", b""),
    ],
)
def test_bodies_without_one_whole_file_are_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body, content_type=content_type)


def test_what_is_no_file_is_small() -> None:
    """Neither a field, nor many of them, nor the head of a part can fill the memory."""
    file = ('name="file"; filename="a"', b"x")
    with pytest.raises(TooLarge):
        read(form(('name="a"', b"x" * 9000), file))
    with pytest.raises(TooLarge):
        read(form(*([('name="a"', b"x")] * 20), file))
    with pytest.raises(TooLarge):
        read(form((f'name="{"x" * 2_000_000}"', b"x"), file))


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("a b.txt", "a b.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\photo.jpg", "photo.jpg"),
        ("..", "file"),
        ("", "file"),
        (".bashrc", "bashrc"),
        ("a\r\nSet-Cookie: x\0.txt", "aSet-Cookie: x.txt"),
        ("invoice\u202etxt.exe", "invoicetxt.exe"),
        ("a/b/", "file"),
        ("e\u0301.txt", "é.txt"),
        ("ü" * 200 + ".jpeg", "ü" * 125 + ".jpeg"),
        ("x" * 300, "x" * 255),
        ("x." + "y" * 300, "x." + "y" * 253),
        ("\ud800.txt", "txt"),
    ],
)
def test_names_are_for_people_and_for_no_path(given_name: str, expected: str) -> None:
    assert clean_filename(given_name) == expected


@given(st.text())
def test_every_name_becomes_a_harmless_one(given_name: str) -> None:
    name = clean_filename(given_name)
    assert 0 < len(name.encode()) <= 255
    assert not set("/\\\0\r\n") & set(name)
    assert not name.startswith(".")
