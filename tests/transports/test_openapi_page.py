"""The page that people read: complete, linked, and without a word that a browser would run."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

import amtrio.features  # noqa: F401 - registers every route
from amtrio.feature import registry
from amtrio.transports.openapi import describe
from amtrio.transports.openapi_page import CONTENT_SECURITY_POLICY, page

DOCUMENT = describe(registry.routes)
PAGE = page(DOCUMENT)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def reader() -> _Reader:
    reader = _Reader()
    reader.feed(PAGE)
    return reader


def test_it_is_whole(reader: _Reader) -> None:
    """Every tag is closed, every link inside leads somewhere, every id is there once."""
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)


def test_every_route_and_every_shape_is_on_it() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for method in operations:
            assert f'<b class="{method}">{method.upper()}</b> <code>{path}</code>' in PAGE
    for name in DOCUMENT["components"]["schemas"]:
        assert f'id="{name}"' in PAGE


def test_the_policy_allows_its_style_and_nothing_else() -> None:
    style = re.search(r"<style>(.*)</style>", PAGE, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "<script" not in PAGE
    assert " style=" not in PAGE


def test_what_a_document_says_is_text() -> None:
    """Not even our own docstrings become markup."""
    hostile = DOCUMENT | {"info": DOCUMENT["info"] | {"description": "<script>alert(1)</script>"}}
    assert "<script>" not in page(hostile)


def test_names_between_backticks_are_code_and_lists_are_lists() -> None:
    told = page(DOCUMENT | {"info": DOCUMENT["info"] | {"description": "Say `x <y>`\nor not.\n\n- one\n  more\n- two"}})
    assert "<p>Say <code>x &lt;y&gt;</code> or not.</p><ul><li>one more</li><li>two</li></ul>" in told


def test_who_may_ask_is_said_in_words() -> None:
    """People do not administer because they are people."""
    admin = PAGE[PAGE.index("<code>/admin/users</code>") :]
    assert admin[admin.index("Who: ") :].startswith("Who: administrators, or the administrator&#x27;s secret.")
    assert "Who: people, or agents." in PAGE
