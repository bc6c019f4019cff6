"""The OpenAPI 3.1 document of a server, made from the very structs that check requests and shape answers.

Knows the table of routes and JSON Schema. Knows no framework and no feature; what it says of one stands in that
feature's annotations and docstrings.

Source: OpenAPI Specification 3.1.0; JSON Schema 2020-12.
"""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from amtrio import __version__, errors
from amtrio.context import Answer
from amtrio.feature import RouteSpec
from amtrio.transports.aliases import aliases_of
from amtrio.transports.answers import ErrorBody

Json = dict[str, Any]

_REF: Final = "#/components/schemas/{name}"
_PATH_PART: Final = re.compile(r"<(\w+)>")
_WITHOUT_BODY: Final = frozenset({"GET", "DELETE"})
# They have no place in a URL, which ends up in logs; a DELETE that needs one has a body.
_SECRETS: Final = frozenset({"password"})
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
COMPAT: Final = "COMPAT"

_ABOUT: Final = """Talk to AI agents on a server of your own.

What writes and is no plain setting of a state takes a `client_id` (16 to 64 random characters): sent again under the
same one it is done once.
Errors have one shape, `ErrorBody`; its `retry` says whether asking again helps. Pages of other hosts may call only if
they are listed in CORS_ALLOWED_ORIGINS. Live events come over WebSocket: see docs/protocol.md.

Routes tagged COMPAT are other names and older shapes for programs written for Agent Messenger 0.2; new programs do not
need them. Every body but an upload may be JSON or a form."""

_SECURITY: Final[Mapping[str, list[dict[str, list[str]]]]] = {
    "anyone": [],
    "guest": [{}, {"token": []}, {"agentId": [], "agentSecret": []}],
    "user": [{"token": []}],
    "agent": [{"agentId": [], "agentSecret": []}],
    "member": [{"token": []}, {"agentId": [], "agentSecret": []}],
    "admin": [{"token": []}, {"adminSecret": []}],
}
_SCHEMES: Final[Json] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A person's access token, as `POST /auth/login` answers it.",
    },
    "agentId": {"type": "apiKey", "in": "header", "name": "X-Agent-ID", "description": "Which agent asks."},
    "agentSecret": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Agent-Secret",
        "description": "Its credential, `agt_…`; or, older agents, the secret that all of them share.",
    },
    "adminSecret": {"type": "apiKey", "in": "header", "name": "X-Admin-Secret", "description": "ADMIN_SECRET."},
}
_SOCKETS: Final = {
    "/client/connect": "A person's device. WebSocket only (RFC 6455); the frames are those of docs/protocol.md.",
    "/agent/connect": "An agent. WebSocket only (RFC 6455); the frames are those of docs/protocol.md.",
}


def describe(routes: Sequence[RouteSpec]) -> Json:
    """The document of these routes and their aliases; the same routes give the same document, to the letter."""
    places = [((route.method, route.path), route, False) for route in routes]
    places += [(alias, route, True) for alias, route in aliases_of(routes)]
    shapes = _Shapes([route for _, route, _ in places])
    paths: dict[str, Json] = {path: {"get": _socket(path, about)} for path, about in _SOCKETS.items()}
    for (method, path), route, is_alias in places:
        readable = _PATH_PART.sub(r"{\1}", path)
        paths.setdefault(readable, {})[method.lower()] = _operation(shapes, method, path, route, is_alias=is_alias)
    return {
        "openapi": "3.1.0",
        "info": {"title": "amtrio", "version": __version__, "summary": "A messenger for people and their agents.",
                 "description": _ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": "/"}],
        "tags": _tags(routes),
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": shapes.components(paths), "securitySchemes": _SCHEMES},
    }  # fmt: skip


def _tag(route: RouteSpec) -> str:
    """Which capability: the name of its file."""
    return route.function.__module__.rpartition(".")[2]


def _tags(routes: Iterable[RouteSpec]) -> list[Json]:
    modules = {_tag(route): sys.modules[route.function.__module__] for route in routes}
    tags = [
        {"name": name, "description": (inspect.getdoc(module) or name).partition("\n\n")[0].replace("\n", " ")}
        for name, module in sorted(modules.items())
    ]
    return [*tags, {"name": COMPAT, "description": "Names and shapes of the older server, for its clients."}]


def _operation(shapes: _Shapes, method: str, path: str, route: RouteSpec, *, is_alias: bool) -> Json:
    about = inspect.getdoc(route.function) or route.function.__name__
    is_compat = is_alias or about.startswith(COMPAT)
    summary, _, rest = about.removeprefix(f"{COMPAT}: ").partition("\n\n")
    rest = _refusals(rest)
    fields = shapes.fields(route.shape)
    operation: Json = {
        "tags": [_tag(route), COMPAT] if is_compat else [_tag(route)],
        "summary": summary.replace("\n", " "),
        "operationId": _operation_id(method, path),
    }
    if rest:
        operation["description"] = rest
    if is_compat:
        operation["deprecated"] = True
    parameters = [_parameter("path", name, *fields.pop(name)) for name in _PATH_PART.findall(path) if name in fields]
    if route.streams:
        # The body is the thing itself; its fields come with the query or as parts of a form.
        operation["requestBody"] = _raw_body(fields)
        parameters += [_parameter("query", name, False, schema) for name, (_, schema) in fields.items()]  # noqa: FBT003
    elif method in _WITHOUT_BODY and _SECRETS.isdisjoint(fields):
        parameters += [_parameter("query", name, needed, schema) for name, (needed, schema) in fields.items()]
    elif fields:
        operation["requestBody"] = _body(fields)
    if parameters:
        operation["parameters"] = parameters
    operation["security"] = _SECURITY[route.who]
    operation["responses"] = _responses(shapes, route)
    return operation


_SECTION: Final = re.compile(
    r"(?:^|\n\n)(?P<name>Args|Raises|Returns|Source):(?P<lines>(?:\n {4}.*|\n(?=\n {4})| .*)*)"
)
_RAISED: Final = re.compile(
    r"(?P<names>[A-Z]\w+(?:, [A-Z]\w+)*): (?P<about>.*?)(?=\s[A-Z]\w+(?:, [A-Z]\w+)*: |$)", re.DOTALL
)


def _refusals(about: str) -> str:
    """A docstring's text for people who write clients: what is raised becomes what they are answered."""
    said = []
    for section in _SECTION.finditer(about):
        if section["name"] == "Raises":
            for raised in _RAISED.finditer(re.sub(r"\s+", " ", section["lines"]).strip()):
                kinds = [getattr(errors, name, None) for name in raised["names"].split(", ")]
                codes = ", ".join(f"{kind.http} `{kind.code}`" for kind in kinds if kind is not None)
                said.append(f"- {codes}: {raised['about'].strip()}" if codes else f"- {raised['about'].strip()}")
    text = _SECTION.sub("", about).strip()
    return "\n\n".join(part for part in (text, "\n".join(said)) if part)


def _operation_id(method: str, path: str) -> str:
    """`patch_messages_by_message_id`: unique, since method and path are."""
    words = _PATH_PART.sub(r"by_\1", path).strip("/")
    return f"{method.lower()}_{re.sub(r'[^A-Za-z0-9]+', '_', words)}"


def _parameter(where: str, name: str, is_required: bool, schema: Json) -> Json:  # noqa: FBT001 - as `fields` has it
    """A field in the path or the query."""
    parameter: Json = {"name": name, "in": where}
    if where == "path" or is_required:
        parameter["required"] = True
    if "description" in schema:
        parameter["description"] = schema["description"]
    shape = {key: value for key, value in _as_text(schema).items() if key != "description"}
    if where == "path":
        shape.pop("default", None)  # a part of the path is always there
        shape |= {"minLength": 1}
    return parameter | {"schema": shape}


_NULL: Final = {"type": "null"}


def _as_text(schema: Json) -> Json:
    """A field that comes as text: where any text may stand there is no null, which could only be the word."""
    shape = dict(schema)
    kinds = shape.pop("anyOf", None)
    if kinds is not None and any(kind.get("type") == "string" for kind in kinds):
        kinds = [kind for kind in kinds if kind != _NULL]
    if kinds is not None and len(kinds) == 1:
        shape |= kinds[0]
    elif kinds is not None:
        shape["anyOf"] = kinds
    if shape.get("type") == "object" or "$ref" in shape:
        return {"type": "string", "contentMediaType": _JSON}
    if shape.get("type") == "boolean":
        shape = {key: value for key, value in shape.items() if key != "type"} | {"enum": [True, False, 1, 0]}
    if shape.get("default", ...) is None:
        del shape["default"]
    return shape


def _body(fields: Mapping[str, tuple[bool, Json]]) -> Json:
    required = [name for name, (needed, _) in fields.items() if needed]
    shape: Json = {"type": "object", "required": required} if required else {"type": "object"}
    as_json = {name: schema for name, (_, schema) in fields.items()}
    as_form = {name: _as_text(schema) for name, schema in as_json.items()}
    return {
        "required": bool(required),
        "content": {
            _JSON: {"schema": shape | {"properties": as_json}},
            _FORM: {"schema": shape | {"properties": as_form}},
        },
    }


def _raw_body(fields: Mapping[str, tuple[bool, Json]]) -> Json:
    form: Json = {"file": {"type": "string", "format": "binary"}} | {
        name: _as_text(shape) for name, (_, shape) in fields.items()
    }
    return {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": {"type": "object", "properties": form, "required": ["file"]}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}},
        },
    }


def _responses(shapes: _Shapes, route: RouteSpec) -> Json:
    error = {"description": "Refused.", "content": {_JSON: {"schema": shapes.schema(ErrorBody)}}}
    schema: Json = {"type": "string", "format": "binary"}
    if route.produces == _JSON:
        schema = shapes.schema(returned(route))
    good = {"description": "Done.", "content": {route.produces: {"schema": schema}}}
    responses = {str(status): good for status in route.answers}
    return responses | {"4XX": error, "5XX": error | {"description": "The server could not do it."}}


def _socket(path: str, about: str) -> Json:
    return {
        "tags": ["sessions"],
        "summary": about,
        "operationId": _operation_id("get", path),
        "security": [],
        "responses": {
            "101": {"description": "The socket is open."},
            "4XX": {"description": "Refused.", "content": {_JSON: {"schema": {"$ref": _REF.format(name="ErrorBody")}}}},
        },
    }


def returned(route: RouteSpec) -> Any:
    """What the handler answers, without the wrapper that carries headers."""
    kind = typing.get_type_hints(route.function).get("return", Any)
    return typing.get_args(kind)[0] if typing.get_origin(kind) is Answer else kind


class _Shapes:
    """Structs as JSON Schema, each once under its name."""

    def __init__(self, routes: Sequence[RouteSpec]) -> None:
        self._used: set[str] = set()
        asked = dict.fromkeys(route.shape for route in routes)
        told = dict.fromkeys(returned(route) for route in routes if route.produces == _JSON)
        kinds: list[Any] = [ErrorBody, *asked, *(kind for kind in told if kind not in asked)]
        schemas, self._components = msgspec.json.schema_components(kinds, ref_template=_REF)
        self._schemas = dict(zip(map(repr, kinds), schemas, strict=True))
        _plain_patterns(self._components)
        described = _structs_in(kinds)
        for name, schema in self._components.items():
            struct = described.get(schema.get("title", name))
            if struct is not None:
                _describe(schema, struct, is_told=struct not in asked)

    def schema(self, kind: Any) -> Json:
        return self._schemas[repr(kind)]

    def fields(self, shape: type[msgspec.Struct]) -> dict[str, tuple[bool, Json]]:
        """Each field of a request: whether it must be there, and its schema."""
        schema = self._schemas[repr(shape)]
        schema = self._components[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        required = set(schema.get("required", ()))
        return {name: (name in required, dict(field)) for name, field in schema.get("properties", {}).items()}

    def components(self, paths: Json) -> Json:
        """Those that these paths, and they themselves, refer to."""
        wanted: dict[str, Json] = {}
        todo = list(_names_in(paths))
        while todo:
            name = todo.pop()
            if name not in wanted:
                wanted[name] = self._components[name]
                todo += _names_in(wanted[name])
        return dict(sorted(wanted.items()))


def _names_in(schema: Any) -> set[str]:
    """The components that something refers to."""
    prefix = _REF.format(name="")
    if isinstance(schema, dict):
        found = {name for value in schema.values() for name in _names_in(value)}
        reference = schema.get("$ref")
        return found | {reference.removeprefix(prefix)} if isinstance(reference, str) else found
    if isinstance(schema, list | tuple):
        return {name for value in schema for name in _names_in(value)}
    return set()


def _plain_patterns(schema: Any) -> None:
    """Python's `$` forgives one line feed at the end, which our patterns take back; that of ECMA-262 does not."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] = schema["pattern"].replace(r"(?!\n)$", "$")
        for value in schema.values():
            _plain_patterns(value)
    elif isinstance(schema, list):
        for value in schema:
            _plain_patterns(value)


def _structs_in(kinds: Iterable[Any]) -> dict[str, type[msgspec.Struct]]:
    """Every struct in these types, by name."""
    found: dict[str, type[msgspec.Struct]] = {}

    def walk(kind: msgspec.inspect.Type | msgspec.inspect.Field) -> None:
        match kind:
            case msgspec.inspect.StructType(cls=struct, fields=fields):
                if struct.__name__ not in found:
                    found[struct.__name__] = struct
                    for field in fields:
                        walk(field.type)
            case msgspec.inspect.UnionType(types=types):
                for each in types:
                    walk(each)
            case msgspec.inspect.VarTupleType(item_type=item) | msgspec.inspect.ListType(item_type=item):
                walk(item)
            case msgspec.inspect.DictType(value_type=value):
                walk(value)
            case _:
                pass

    for kind in kinds:
        walk(msgspec.inspect.type_info(kind))
    return found


_ATTRIBUTES: Final = re.compile(r"\n\nAttributes:\n(?P<lines>(?: {4}.*\n?|\n)+)")
_ATTRIBUTE: Final = re.compile(r"^ {4}(?P<names>\w+(?:, \w+)*): (?P<about>.*(?:\n {8}.*)*)", re.MULTILINE)


def _describe(schema: Json, struct: type[msgspec.Struct], *, is_told: bool) -> None:
    """Put what the docstring says of fields beside them; and what an answer always has is required."""
    about = inspect.getdoc(struct) or ""
    attributes = _ATTRIBUTES.search(f"{about}\n")
    if attributes is not None:
        for found in _ATTRIBUTE.finditer(attributes["lines"]):
            for name in found["names"].split(", "):
                if name in schema["properties"]:
                    schema["properties"][name]["description"] = re.sub(r"\s+", " ", found["about"])
        about = about[: attributes.start()]
    schema["description"] = about.strip()
    if is_told and not struct.__struct_config__.omit_defaults:
        schema["required"] = [
            field.encode_name for field in msgspec.structs.fields(struct) if field.default is not msgspec.UNSET
        ]
