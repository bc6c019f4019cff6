"""The OpenAPI document as a page for people: one HTML text without scripts, for a browser that trusts nobody.

Knows the document and HTML. Knows no route and no framework.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

Json = Mapping[str, Any]

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --get: #2563a8; --post: #2a7d46; --other: #9a5b00;
  --delete: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --get: #8ab8f0; --post: #7fd09a; --other: #e8b569; --delete: #f2a49e; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
nav a { display: inline-block; margin-right: .8rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; }
summary { cursor: pointer; padding: .5rem .7rem; }
details > div { padding: 0 .9rem .6rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .92em; background: var(--soft); border-radius: .2rem; }
code { padding: .05rem .25rem; }
b { display: inline-block; min-width: 4.2rem; }
.get { color: var(--get); } .post { color: var(--post); } .delete { color: var(--delete); }
.put, .patch { color: var(--other); }
.old { opacity: .75; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); padding: .25rem .5rem .25rem 0; }
"""
# Level 3 of CSP names a style by its digest: nothing else on the page can bring one.
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def page(document: Json) -> str:
    """The whole page."""
    return "".join(_lines(document))


def _lines(document: Json) -> Iterator[str]:
    info = document["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}: REST"
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><h1>{title}</h1>'
    yield f'{_prose(info["description"])}<p>For programs: <a href="openapi.json">openapi.json</a>.</p><nav>'
    groups = _by_tag(document)
    for tag in document["tags"]:
        if tag["name"] in groups:
            yield f'<a href="#{escape(tag["name"])}">{escape(tag["name"])}</a>'
    yield '<a href="#shapes">shapes</a></nav>'
    for tag in document["tags"]:
        operations = groups.get(tag["name"], [])
        if operations:
            yield f'<h2 id="{escape(tag["name"])}">{escape(tag["name"])}</h2>{_prose(tag["description"])}'
            for method, path, operation in operations:
                yield from _operation(method, path, operation)
    yield '<h2 id="shapes">shapes</h2>'
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary><div>'
        yield _prose(schema.get("description", ""))
        yield from _fields(schema)
        yield "</div></details>"
    yield "</body></html>\n"


def _by_tag(document: Json) -> dict[str, list[tuple[str, str, Json]]]:
    """Operations under their last tag, so that the older server's names stand by themselves."""
    groups: dict[str, list[tuple[str, str, Json]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][-1], []).append((method, path, operation))
    return groups


def _operation(method: str, path: str, operation: Json) -> Iterator[str]:
    kind = "old" if operation.get("deprecated") else ""
    yield f'<details class="{kind}"><summary><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code> '
    yield f"{_line(operation['summary'])}</summary><div>"
    if "description" in operation:
        yield _prose(operation["description"])
    yield f"<p>Who: {escape(_who(operation['security']))}.</p>"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "<table><tr><th>in</th><th>name</th><th>kind</th><th></th></tr>"
        for each in parameters:
            yield f"<tr><td>{each['in']}</td><td><code>{escape(each['name'])}</code>{_star(each.get('required'))}</td>"
            yield f"<td>{_kind(each['schema'])}</td><td>{_line(each.get('description', ''))}</td></tr>"
        yield "</table>"
    body = operation.get("requestBody")
    if body is not None:
        content = body["content"]
        yield f"<p>Body: {escape(', '.join(content))}</p>"
        yield from _fields(next(iter(content.values()))["schema"])
    for status, answer in operation["responses"].items():
        for content_type, shown in answer.get("content", {}).items():
            kind = _kind(shown["schema"]) if content_type == "application/json" else escape(content_type)
            yield f"<div>{escape(status)}: {kind}</div>"
    yield "</div></details>"


def _line(text: str) -> str:
    """Markdown of the little kind that docstrings use: names between backticks."""
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", escape(text, quote=False))


def _prose(text: str) -> str:
    """Paragraphs and lists."""
    blocks = []
    for block in filter(None, (each.strip() for each in text.split("\n\n"))):
        if block.startswith("- "):
            items = "".join(f"<li>{_line(' '.join(item.split()))}</li>" for item in block[2:].split("\n- "))
            blocks.append(f"<ul>{items}</ul>")
        else:
            blocks.append(f"<p>{_line(' '.join(block.split()))}</p>")
    return "".join(blocks)


def _who(security: list[Mapping[str, Any]]) -> str:
    words = {"token": "people", "agentId": "agents", "adminSecret": "the administrator's secret", "": "a signed link"}
    if any("adminSecret" in each for each in security):
        words |= {"token": "administrators"}
    who = [words[next(iter(each), "")] for each in security]
    return ", or ".join(who) if who else "anybody"


def _fields(schema: Json) -> Iterator[str]:
    required = set(schema.get("required", ()))
    yield "<table>"
    for name, field in schema.get("properties", {}).items():
        yield f"<tr><td><code>{escape(name)}</code>{_star(name in required)}</td><td>{_kind(field)}</td>"
        yield f"<td>{_line(field.get('description', ''))}</td></tr>"
    yield "</table>"


def _star(is_required: bool | None) -> str:  # noqa: FBT001 - what the document says
    return '<abbr title="required">*</abbr>' if is_required else ""


def _kind(schema: Json) -> str:
    """A schema in a few words, with links to the shapes that it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if "prefixItems" in schema:
        return f"[{', '.join(_kind(each) for each in schema['prefixItems'])}]"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(str(schema.get("type", "anything")))
