"""The document of a table of routes: what it says of paths, fields, answers and refusals."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from amtrio.context import Answer, Chunks, Context
from amtrio.errors import Conflict
from amtrio.feature import Registry
from amtrio.protocol.frames import CLIENT_ID_PATTERN
from amtrio.store.database import Tx
from amtrio.transports.openapi import describe

table = Registry()


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """
    A thing.

    Attributes:
        name: what it
            is called. size: of no account.
        colour, shape: how it looks.
    """

    name: str
    colour: Literal["red", "blue"] = "red"
    shape: str | None = None
    secret: str | msgspec.UnsetType = msgspec.UNSET


class Box(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Holds things."""

    things: list[Thing] = []
    weight: int = 0


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which one.

    Attributes:
        limit: how many.
    """

    box_id: str
    limit: int | None = None
    client_id: Annotated[str, Meta(pattern=CLIENT_ID_PATTERN)] | None = None


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent."""

    name: str


@table.get("/boxes/<box_id>", who="user")
def look(tx: Tx, ctx: Context, request: Ask) -> Answer[Box]:
    """
    Look into a box.

    It is not opened.

    Raises:
        NotFound: there is none. Conflict, Malformed: it is
            closed.

    Source: nowhere.
    """
    raise Conflict(str((tx, ctx, request)))


@table.put("/boxes/<box_id>", who="member", answers=(200, 201))
def fill(tx: Tx, ctx: Context, request: Ask) -> list[Thing]:
    """COMPAT: fill a box."""
    raise Conflict(str((tx, ctx, request)))


@table.post("/boxes", who="anyone", streams=True)
async def send(ctx: Context, request: Parcel) -> None:
    """Send a box."""


@table.get("/boxes/<box_id>/picture", who="admin", produces="image/png")
async def picture(ctx: Context, request: Ask) -> Answer[Chunks]:
    """How it looks."""
    raise Conflict(str((ctx, request)))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(table.routes)


def test_fields_of_the_path_are_parameters(document: dict[str, Any]) -> None:
    """The others stand in the query of what has no body, where nothing can be null."""
    box, limit, client_id = document["paths"]["/boxes/{box_id}"]["get"]["parameters"]
    assert box == {"name": "box_id", "in": "path", "required": True, "schema": box["schema"]}
    assert box["schema"] == {"type": "string", "minLength": 1}
    assert limit == {"name": "limit", "in": "query", "description": "how many.", "schema": limit["schema"]}
    assert limit["schema"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert client_id["schema"] == {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{16,64}$"}


def test_a_body_is_json_or_a_form(document: dict[str, Any]) -> None:
    operation = document["paths"]["/boxes/{box_id}"]["put"]
    content = operation["requestBody"]["content"]
    assert set(content) == {"application/json", "application/x-www-form-urlencoded"}
    assert set(content["application/json"]["schema"]["properties"]) == {"limit", "client_id"}
    assert operation["requestBody"]["required"] is False
    assert [each["name"] for each in operation["parameters"]] == ["box_id"]


def test_a_streamed_body_is_a_file(document: dict[str, Any]) -> None:
    """Its fields are parts of a form, or stand in the query."""
    operation = document["paths"]["/boxes"]["post"]
    content = operation["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"]["required"] == ["file"]
    assert content["application/octet-stream"]["schema"] == {"type": "string", "format": "binary", "minLength": 1}
    assert "name" in [each["name"] for each in operation["parameters"]]


def test_answers_are_described_by_their_structs(document: dict[str, Any]) -> None:
    """The wrapper that carries headers is not part of them; what is always sent is required."""
    good = document["paths"]["/boxes/{box_id}"]["get"]["responses"]["200"]["content"]["application/json"]
    assert good == {"schema": {"$ref": "#/components/schemas/Box"}}
    schemas = document["components"]["schemas"]
    assert set(schemas) == {"Box", "Thing", "ErrorBody"}
    assert schemas["Thing"]["required"] == ["name", "colour", "shape"]
    assert schemas["Box"].get("required", []) == []
    assert set(document["paths"]["/boxes/{box_id}"]["put"]["responses"]) == {"200", "201", "4XX", "5XX"}
    shown = document["paths"]["/boxes/{box_id}/picture"]["get"]["responses"]["200"]["content"]
    assert shown == {"image/png": {"schema": {"type": "string", "format": "binary"}}}


def test_docstrings_become_descriptions(document: dict[str, Any]) -> None:
    """Of fields, where the docstring has them; of refusals, with the status and code that clients see."""
    thing = document["components"]["schemas"]["Thing"]
    assert thing["description"] == "A thing."
    assert thing["properties"]["name"]["description"] == "what it is called. size: of no account."
    assert thing["properties"]["shape"]["description"] == "how it looks."
    operation = document["paths"]["/boxes/{box_id}"]["get"]
    assert operation["summary"] == "Look into a box."
    assert operation["description"] == (
        "It is not opened.\n\n- 404 `not_found`: there is none.\n- 409 `conflict`, 400 `malformed`: it is closed."
    )


def test_who_may_ask(document: dict[str, Any]) -> None:
    security = {
        path: operation["security"]
        for path, operations in document["paths"].items()
        for operation in operations.values()
    }
    assert security["/boxes"] == []
    assert security["/boxes/{box_id}/picture"] == [{"token": []}, {"adminSecret": []}]
    assert document["paths"]["/boxes/{box_id}"]["get"]["security"] == [{"token": []}]


def test_what_is_for_older_clients_says_so(document: dict[str, Any]) -> None:
    operation = document["paths"]["/boxes/{box_id}"]["put"]
    assert operation["deprecated"] is True
    assert operation["tags"][-1] == "COMPAT"
    assert operation["summary"] == "fill a box."


def test_the_same_routes_give_the_same_document(document: dict[str, Any]) -> None:
    """To the letter: it is kept under version control."""
    assert msgspec.json.encode(describe(table.routes)) == msgspec.json.encode(document)


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    assert "get_boxes_by_box_id" in names
